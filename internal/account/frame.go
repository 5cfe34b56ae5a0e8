package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// The member's own pages.
const (
	accountPath  = visitor.AccountPath
	appsPath     = "/account/apps"
	activityPath = "/account/activity"
	securityPath = "/account/security"
	passkeyPath  = "/account/security/passkey" //nolint:gosec // G101: a path
	newCodePath  = "/account/security/code"
	factorPath   = "/account/security/factor"
	sessionsPath = "/account/security/sessions"
)

// own lets through to a page of the account who is signed in; others are led to
// sign-in, and back.
func (h *Host) own(next func(w http.ResponseWriter, r *http.Request, m *loop.Member) error) web.Handler {
	return h.inSession(func(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
		return next(w, r, signIn.Member)
	})
}

// inSession is own for what goes by the session, too.
func (h *Host) inSession(next func(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		signIn, err := h.Visitors.SignIn(r)
		if err != nil {
			return err
		}
		if signIn == nil {
			return web.SeeOther(w, r, visitor.Back(r.URL.Path).At(visitor.SignInPath))
		}
		return next(w, r, signIn)
	}
}

// recent lets through who signed in within loop.RecentSignIn, for what a session that
// was left open must not be enough for: a password, a passkey, another session, the
// account itself. Others sign in again and are led to page, the one whose form asks
// for it; nothing is done until they send it from there.
func (h *Host) recent(page string, next func(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		signIn, err := h.Visitors.SignIn(r)
		if err != nil {
			return err
		}
		if signIn == nil || !signIn.Recent(h.world.Now()) {
			return web.SeeOther(w, r, visitor.BackRecent(page).At(visitor.SignInPath))
		}
		return next(w, r, signIn)
	}
}

// frame is what is around a page of the account.
func (h *Host) frame(w http.ResponseWriter, r *http.Request, section string, m *loop.Member) web.AccountFrame {
	carried := h.Visitors.Carry(w, r, visitor.Journey{})
	return web.AccountFrame{Section: section, Member: m.Name, CSRF: carried.CSRF, Here: carried.Here, Imports: h.Imports != nil}
}

// byMember is the member as who acts.
func byMember(m *loop.Member) audit.Actor {
	return audit.Actor{Kind: audit.ByMember, ID: string(m.ID)}
}
