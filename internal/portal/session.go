package portal

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// sessionLife is how long a developer stays signed in.
const sessionLife = 12 * time.Hour

// signInLately is how old the sign-in itself may be for what a stolen session
// must not do (ASVS 7.5.1).
const signInLately = 15 * time.Minute

// session is who is signed in: what the session cookie holds, sealed.
type session struct {
	ID       string // by which it is known once it has ended
	SignIn   string // the session at identity that it came from (sid)
	Member   loop.MemberID
	Name     string
	Email    string
	AuthTime time.Time // of the sign-in at identity
	IssuedAt time.Time
}

func (s *session) hash() [32]byte { return sha256.Sum256([]byte(s.ID)) }

// signInHash is what is noted of a sign-in that has ended at identity.
func signInHash(sid string) [32]byte { return sha256.Sum256([]byte("sign-in " + sid)) }

func (s *session) expiresAt() time.Time { return s.IssuedAt.Add(sessionLife) }

// developer is the signed-in developer of a request.
type developer struct {
	session
	cookie string // the session cookie's value, to which forms are bound
}

func (d *developer) actor() audit.Actor {
	return audit.Actor{Kind: audit.ByMember, ID: string(d.Member)}
}

// developer finds who is signed in; nil where nobody is. A cookie outlives
// neither its twelve hours, nor its signing out, nor the account: one that was
// suspended, resumed, changed or deleted since is nobody's.
func (h *Host) developer(r *http.Request) (*developer, error) {
	s, cookie, ok := h.openSession(r)
	if !ok {
		return nil, nil //nolint:nilnil // nobody is signed in, and that is no error
	}
	m, err := h.members.Member(r.Context(), s.Member)
	if errors.Is(err, loop.ErrNotFound) || err == nil && (m.Suspended || s.IssuedAt.Before(m.UpdatedAt)) {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, err
	}
	if ended, err := h.sessions.PortalSessionEnded(r.Context(), s.hash(), signInHash(s.SignIn)); err != nil || ended {
		return nil, err
	}
	web.NoteMember(r.Context(), s.Member)
	return &developer{session: s, cookie: cookie}, nil
}

// openSession opens the session cookie; not ok where there is none or its time
// is over.
func (h *Host) openSession(r *http.Request) (s session, cookie string, ok bool) {
	cookie = h.session.Read(r)
	s, ok = open[session](h.sealer, sealedSession, cookie)
	return s, cookie, ok && s.ID != "" && h.site.World.Now().Before(s.expiresAt())
}

// Limited is the phase that every page passes: it counts by developer or, where
// nobody is signed in, by network. A developer who was suspended since is still
// counted by name.
func (h *Host) Limited(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := limit.ByAddress(web.Address(r.Context()))
		if s, _, ok := h.openSession(r); ok {
			key = limit.ByMember(s.Member)
		}
		if err := h.site.Limit(w, limit.Portal, key, 0); err != nil {
			return err
		}
		return next(w, r)
	}
}

// signedIn is the phase that every page about apps passes: without a developer
// the visitor signs in first, and comes back to the page that they asked for.
func (h *Host) signedIn(next func(http.ResponseWriter, *http.Request, *developer) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		dev, err := h.developer(r)
		if err != nil {
			return err
		}
		if dev != nil {
			return next(w, r, dev)
		}
		back := "/apps" // a form that was posted is not posted again
		if r.Method == http.MethodGet {
			back = r.URL.Path
		}
		return web.SeeOther(w, r, "/login?"+url.Values{"return": {back}}.Encode())
	}
}

// lately is the phase of what asks for a fresh sign-in: one that is older is made
// anew, and the developer comes back to the page that asks them.
func (h *Host) lately(next func(http.ResponseWriter, *http.Request, *developer) error) func(http.ResponseWriter, *http.Request, *developer) error {
	return func(w http.ResponseWriter, r *http.Request, dev *developer) error {
		if h.site.World.Now().Sub(dev.AuthTime) <= signInLately {
			return next(w, r, dev)
		}
		return web.SeeOther(w, r, "/login?"+url.Values{"return": {r.URL.Path}, "fresh": {"1"}}.Encode())
	}
}

// form reads a posted form of one of the host's own pages and proves where it
// came from.
func (h *Host) form(w http.ResponseWriter, r *http.Request, dev *developer) (url.Values, error) {
	form, err := web.Form(w, r)
	if err != nil {
		return nil, err
	}
	return form, h.csrf.Check(r, dev.cookie, form.Get("csrf"))
}

// What is sealed into cookies. The kind keeps one from passing for another.
const (
	sealedSession = "session"
	sealedAttempt = "attempt"
	sealedSecret  = "secret"
)

type sealed[T any] struct {
	Kind  string
	Value T
}

func seal[T any](s Sealer, kind string, value T) (string, error) {
	plain, err := json.Marshal(sealed[T]{kind, value})
	if err != nil {
		return "", err
	}
	return s.Seal(plain), nil
}

func open[T any](s Sealer, kind, text string) (value T, ok bool) {
	plain, err := s.Open(text)
	if err != nil {
		return value, false
	}
	var opened sealed[T]
	if err := json.Unmarshal(plain, &opened); err != nil || opened.Kind != kind {
		return value, false
	}
	return opened.Value, true
}
