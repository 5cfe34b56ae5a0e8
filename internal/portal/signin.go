package portal

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// attemptLife is how long a developer may take to sign in, as at identity.
const attemptLife = 30 * time.Minute

// maxAttempts is how many sign-ins one browser can have under way, one a tab. With
// one more, the oldest is forgotten.
const maxAttempts = 8

// attempt is one sign-in under way: what its cookie holds, sealed. Each has a
// cookie of its own, so that two tabs do not disturb each other.
type attempt struct {
	State    string
	Nonce    string
	Verifier string
	Return   string
	Fresh    bool // the member has to have signed in lately
	Choose   bool // somebody else may be signed in at identity: who played a member
	BeganAt  time.Time
}

// attemptPrefix begins the names of the cookies of attempts.
const attemptPrefix = "loop_portal_signin_"

// attemptCookie is the cookie of the attempt with this state.
func (h *Host) attemptCookie(state string) web.Cookie {
	return web.Cookie{Name: attemptPrefix + state[:min(len(state), 12)], Secure: h.site.Secure()}
}

// login answers GET /login: the developer is sent to identity, with a state, a
// nonce and a verifier of this attempt alone.
func (h *Host) login(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r, "return", "fresh")
	if err != nil {
		return err
	}
	a := attempt{
		State: h.random(), Nonce: h.random(), Verifier: h.random(),
		Return: localPath(params.Get("return")), Fresh: params.Has("fresh"), BeganAt: h.site.World.Now(),
		Choose: h.playing.Read(r) != "",
	}
	to, err := h.identity.authorizeURL(r.Context(), a)
	if err != nil {
		return err
	}
	text, err := seal(h.sealer, sealedAttempt, a)
	if err != nil {
		return err
	}
	h.makeRoom(w, r)
	h.attemptCookie(a.State).Set(w, text, attemptLife)
	return web.SeeOther(w, r, to)
}

// makeRoom forgets the oldest attempts where there are too many, before their cookies
// make the browser's requests too large. One that can't be read is older than all.
func (h *Host) makeRoom(w http.ResponseWriter, r *http.Request) {
	type pending struct {
		cookie  web.Cookie
		beganAt time.Time
	}
	var all []pending
	for _, sent := range r.Cookies() {
		name := strings.TrimPrefix(sent.Name, "__Host-")
		if strings.HasPrefix(name, attemptPrefix) {
			a, _ := open[attempt](h.sealer, sealedAttempt, sent.Value)
			all = append(all, pending{web.Cookie{Name: name, Secure: h.site.Secure()}, a.BeganAt})
		}
	}
	slices.SortStableFunc(all, func(a, b pending) int { return a.beganAt.Compare(b.beganAt) })
	for len(all) >= maxAttempts {
		all[0].cookie.Clear(w)
		all = all[1:]
	}
}

// localPath keeps a return address within this host: a clean absolute path,
// nothing else. What is not one leads to the apps.
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" ||
		!strings.HasPrefix(text, "/") || text != path.Clean(text) || strings.ContainsAny(text, "\\%") {
		return "/apps"
	}
	return text
}

// callback answers GET /callback: identity's answer to an attempt, which is used
// up by it.
func (h *Host) callback(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r, "state", "iss", "code", "error")
	if err != nil {
		return err
	}
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(params[name]) > 1 {
			return errForeignAnswer
		}
	}
	a, err := h.finishAttempt(w, r, params.Get("state"))
	if errors.Is(err, errForeignAnswer) {
		return h.answeredBefore(w, r, params.Get("state"))
	}
	if err != nil {
		return err
	}
	// RFC 9207 §2.4: an answer of another server is not looked at.
	if params.Get("iss") != h.identity.issuer {
		return errForeignAnswer
	}
	if params.Has("error") {
		return h.signInRefused(w, r, params.Get("error"))
	}
	if params.Get("code") == "" {
		return errForeignAnswer
	}
	who, err := h.identity.exchange(r.Context(), params.Get("code"), a)
	if err != nil {
		return err
	}
	who.ID, who.IssuedAt, who.State, who.Return = h.random(), h.site.World.Now(), a.State, a.Return
	if who.Since, err = h.beginVisit(r, who.Member); err != nil {
		return err
	}
	text, err := seal(h.sealer, sealedSession, who)
	if err != nil {
		return err
	}
	h.session.Set(w, text, sessionLife)
	web.NoteMember(r.Context(), who.Member)
	return web.SeeOther(w, r, a.Return)
}

// answeredBefore leads on from an answer of identity's that was loaded again, or that
// came after its attempt was forgotten: who is signed in goes where they wanted to.
func (h *Host) answeredBefore(w http.ResponseWriter, r *http.Request, state string) error {
	dev, err := h.developer(r)
	if err != nil {
		return err
	}
	if dev == nil {
		return errForeignAnswer
	}
	if dev.State == state {
		return web.SeeOther(w, r, dev.Return)
	}
	return web.SeeOther(w, r, "/apps")
}

// beginVisit says when a developer was here before, as their session goes on saying
// it. Who signs in again while they are here is on the same visit.
func (h *Host) beginVisit(r *http.Request, member loop.MemberID) (time.Time, error) {
	dev, err := h.developer(r)
	if err != nil {
		return time.Time{}, err
	}
	if dev != nil && dev.Member == member {
		return dev.Since, nil
	}
	return h.sessions.BeginVisit(r.Context(), member, h.site.World.Now())
}

var errForeignAnswer = loop.Errorf(loop.InvalidRequest, "This sign-in was not begun in this browser, or too long ago. Sign in again.")

// finishAttempt opens the attempt that an answer belongs to and ends its cookie.
func (h *Host) finishAttempt(w http.ResponseWriter, r *http.Request, state string) (attempt, error) {
	cookie := h.attemptCookie(state)
	a, ok := open[attempt](h.sealer, sealedAttempt, cookie.Read(r))
	if !ok || state == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 ||
		!loop.Alive(h.site.World.Now(), a.BeganAt, attemptLife) {
		return attempt{}, errForeignAnswer
	}
	cookie.Clear(w)
	return a, nil
}

// signInRefused shows what identity said instead of a code. Only codes from the
// list are repeated.
func (h *Host) signInRefused(w http.ResponseWriter, r *http.Request, code string) error {
	if !slices.Contains(loop.Codes(), loop.Code(code)) {
		return errForeignAnswer
	}
	return h.errorPage(w, r, loop.Errorf(loop.Code(code), "You were not signed in: identity answered with this error."))
}
