package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/web"
)

// recentlyFor is how old a sign-in may be for what a stolen session must not do:
// every change to an app (ASVS 7.5.1).
const recentlyFor = 15 * time.Minute

// developerHandler answers a request of a signed-in developer's.
type developerHandler func(w http.ResponseWriter, r *http.Request, dev *developer) error

// appHandler answers a request about an app of the signed-in developer's.
type appHandler func(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error

// signedIn is the phase that every page about apps passes: without a developer
// the visitor signs in first, and comes back to the page that they asked for.
func (h *Host) signedIn(next developerHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		dev, err := h.developer(r)
		if err != nil {
			return err
		}
		if dev == nil {
			return h.signInFirst(w, r, nil, false)
		}
		return next(w, r, dev)
	}
}

// recentSignIn is the phase of whatever changes an app, the pages that ask for it
// among them: a sign-in that is older is made anew, and the developer comes back.
func (h *Host) recentSignIn(next developerHandler) developerHandler {
	return func(w http.ResponseWriter, r *http.Request, dev *developer) error {
		if !loop.Alive(h.site.World.Now(), dev.AuthTime, recentlyFor+time.Microsecond) {
			return h.signInFirst(w, r, dev, true)
		}
		return next(w, r, dev)
	}
}

// ownApp is the phase that every page about one app passes. An app that is
// somebody else's is NotFound, like one that does not exist.
func (h *Host) ownApp(next appHandler) developerHandler {
	missing := loop.Errorf(loop.NotFound, "There is no such app among yours.")
	return func(w http.ResponseWriter, r *http.Request, dev *developer) error {
		id := loop.ClientID(r.PathValue("id"))
		if !id.Valid() {
			return missing
		}
		app, err := h.clients.Store.Client(r.Context(), id)
		if errors.Is(err, loop.ErrNotFound) || err == nil && app.Owner != dev.Member {
			return missing
		}
		if err != nil {
			return err
		}
		web.NoteClient(r.Context(), id)
		return next(w, r, dev, app)
	}
}

// requestHandler answers a request about a request of one of the developer's apps.
type requestHandler func(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, entry requestlog.Entry) error

// ownRequest is the phase that every page about one request passes. One of another's
// app is NotFound, like one that never was.
func (h *Host) ownRequest(next requestHandler) developerHandler {
	missing := loop.Errorf(loop.NotFound, "No app of yours sent this request lately. Of each app the newest %d are kept.", requestlog.Kept)
	return func(w http.ResponseWriter, r *http.Request, dev *developer) error {
		id := loop.RequestID(r.PathValue("request"))
		if !id.Valid() {
			return missing
		}
		apps, err := h.clients.Store.ClientsOf(r.Context(), dev.Member)
		if err != nil {
			return err
		}
		for _, app := range apps {
			entry, err := h.requests.Find(r.Context(), app.ID, id)
			if errors.Is(err, loop.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			web.NoteClient(r.Context(), app.ID)
			return next(w, r, dev, app, entry)
		}
		return missing
	}
}

// signInFirst leads through sign-in and back to the page that was asked for, or to
// the one whose form was sent: that is kept, and comes back as it was filled in. dev
// is nil where nobody is signed in.
func (h *Host) signInFirst(w http.ResponseWriter, r *http.Request, dev *developer, recent bool) error {
	if r.Method == http.MethodPost {
		if err := h.keepForm(w, r, dev); err != nil {
			return err
		}
	}
	query := url.Values{"return": {formPath(r)}}
	if recent {
		query.Set("fresh", "1")
	}
	return web.SeeOther(w, r, "/login?"+query.Encode())
}

// formPath is the page that shows the form which a request has sent, or the page
// that it asks for.
func formPath(r *http.Request) string {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, playPath) {
		return playPath
	}
	return strings.TrimSuffix(strings.TrimSuffix(r.URL.Path, "/enable"), "/redirect-uri")
}
