package visitor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/web"
)

// Sessions are the sign-ins of members.
type Sessions interface {
	// Resume gives the live sign-in behind a cookie's value; loop.ErrNotFound where
	// there is none.
	Resume(ctx context.Context, cookie string) (*loop.SignIn, error)
	// DevicesSince is since when the browsers of the member with an address are known;
	// zero: all that the member ever signed in with.
	DevicesSince(ctx context.Context, email loop.Email) (time.Time, error)
}

// Visitors knows the browsers on identity's host.
type Visitors struct {
	site     *web.Site
	oauth    *oauth.Server
	sessions Sessions
	csrf     web.CSRF
	devices  credential.Tagger
	session  web.Cookie // of a signed-in member
	waiting  web.Cookie // of who has typed a right password and is asked for a code
	device   web.Cookie // of a browser that a member has signed in with
	browser  web.Cookie // of a browser, before and after: forms and continuations are bound to it
	language web.Cookie // that was chosen in a browser
	texts    *locale.Texts
}

// New makes what knows the browsers; it works once it is mounted.
func New(server *oauth.Server, sessions Sessions, ring *credential.Ring, texts *locale.Texts) *Visitors {
	return &Visitors{
		oauth: server, sessions: sessions, texts: texts,
		csrf:    web.CSRF{Tagger: credential.Tagger{Ring: ring, Purpose: credential.ForPages, Label: "identity forms"}},
		devices: credential.Tagger{Ring: ring, Purpose: credential.ForPages, Label: "identity devices"},
	}
}

// Mount makes the site's browsers those that are known. It MUST come before what
// uses them is mounted.
func (v *Visitors) Mount(site *web.Site) {
	v.site, v.csrf.Site = site, site
	v.session = web.Cookie{Name: "loop_session", Secure: site.Secure()}
	v.waiting = web.Cookie{Name: "loop_waiting", Secure: site.Secure()}
	v.device = web.Cookie{Name: "loop_device", Secure: site.Secure()}
	v.browser = web.Cookie{Name: "loop_browser", Secure: site.Secure()}
	v.language = web.Cookie{Name: "loop_language", Secure: site.Secure()}
}

// InPopup lets a page that opened ours in a popup keep its hold of the window, as
// apps that sign in by a popup need: every answer on the way there and back must
// have it. What such a page can do is to lead the window elsewhere and to see
// whether it was closed; our pages can't be framed, and no other origin reads them.
func InPopup(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cross-Origin-Opener-Policy", "unsafe-none")
		return next(w, r)
	}
}

// SignIn gives the live sign-in of the request's browser; nil where nobody is
// signed in.
func (v *Visitors) SignIn(r *http.Request) (*loop.SignIn, error) {
	signIn, err := v.sessions.Resume(r.Context(), v.Session(r))
	if errors.Is(err, loop.ErrNotFound) {
		return nil, nil //nolint:nilnil // nobody is signed in, and that is no error
	}
	if err != nil {
		return nil, err
	}
	web.NoteMember(r.Context(), signIn.Member.ID)
	web.NoteLanguage(r.Context(), web.ChosenByMember, signIn.Member.Locale)
	return signIn, nil
}

// Session is the value of the session cookie that the browser sent; empty: none.
func (v *Visitors) Session(r *http.Request) string { return v.session.Read(r) }

// Begin gives the browser the session of a member who has just signed in with it,
// and notes that they did.
func (v *Visitors) Begin(w http.ResponseWriter, r *http.Request, cookie credential.Secret, m *loop.Member) {
	v.session.Set(w, cookie.Reveal(), signin.CookieLifetime)
	v.remember(w, r, m)
	v.StopWaiting(w)
	web.NoteMember(r.Context(), m.ID)
}

// End takes the session's cookie from the browser.
func (v *Visitors) End(w http.ResponseWriter) {
	v.session.Clear(w)
	v.StopWaiting(w)
}

// Form reads a posted form of one of the host's own pages and proves where it
// came from.
func (v *Visitors) Form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	form, err := web.Form(w, r)
	if err != nil {
		return nil, err
	}
	for name, values := range form {
		if name != "scope" && len(values) > 1 {
			return nil, loop.Errorf(loop.InvalidRequest, "A field of this form was sent twice.")
		}
	}
	return form, v.checkToken(r, form.Get("csrf"))
}

// CheckForm holds the token of a form that was read otherwise, one with a file, against
// the browser.
func (v *Visitors) CheckForm(r *http.Request, form url.Values) error {
	return v.checkToken(r, form.Get("csrf"))
}

// checkToken holds a form's token against each cookie that the browser is known by.
func (v *Visitors) checkToken(r *http.Request, token string) error {
	err := v.csrf.Check(r, "", token)
	for _, browser := range v.Browsers(r) {
		if err = v.csrf.Check(r, browser, token); err == nil {
			return nil
		}
	}
	return err
}
