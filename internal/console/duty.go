package console

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// freshSignIn is how old an operator's sign-in may be for a page; for an act it is
// loop.RecentSignIn.
const freshSignIn = time.Hour

// onDuty is an operator at work.
type onDuty struct {
	signIn *loop.SignIn
	role   operator.Role
}

func (on *onDuty) actor() audit.Actor {
	return audit.Actor{Kind: audit.ByOperator, ID: string(on.signIn.Member.ID)}
}

// errWeak is the answer to a password alone, where the account has more.
var errWeak = loop.Errorf(loop.Forbidden, "Your account has a passkey or a second factor. Sign out, and sign in with it, to use the console.")

// view lets through to a page who has a role and signed in within the hour, by the
// strongest way that the account has.
func (h *Host) view(next func(http.ResponseWriter, *http.Request, *onDuty) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		on, err := h.onDuty(r, operator.Viewer)
		if err != nil {
			return err
		}
		if on == nil {
			return web.SeeOther(w, r, visitor.Back(r.URL.Path).At(visitor.SignInPath))
		}
		if h.world.Now().Sub(on.signIn.At) > freshSignIn {
			return web.SeeOther(w, r, visitor.BackRecent(r.URL.Path).At(visitor.SignInPath))
		}
		return next(w, r, on)
	}
}

// act lets through to an act who may do it and signed in lately, and leads to what it
// gives; others sign in again, and nothing is done until they send the form afresh.
func (h *Host) act(next func(r *http.Request, on *onDuty, form url.Values) (string, error)) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		on, err := h.onDuty(r, operator.Acting)
		if err != nil {
			return err
		}
		if on == nil || !on.signIn.Recent(h.world.Now()) {
			return web.SeeOther(w, r, visitor.BackRecent(r.URL.Path).At(visitor.SignInPath))
		}
		form, err := h.Visitors.Form(w, r)
		if err != nil {
			return err
		}
		path, err := next(r, on, form)
		if err != nil {
			return err
		}
		return web.SeeOther(w, r, path)
	}
}

// onDuty gives who is signed in, if their role covers what is needed; nil: nobody is
// signed in. For everybody else there is nothing here.
func (h *Host) onDuty(r *http.Request, needed operator.Role) (*onDuty, error) {
	signIn, err := h.Visitors.SignIn(r)
	if err != nil || signIn == nil {
		return nil, err
	}
	o, err := h.Team.Store.Operator(r.Context(), signIn.Member.ID)
	if errors.Is(err, loop.ErrNotFound) {
		return nil, web.NotFound()
	}
	if err != nil {
		return nil, err
	}
	if !o.Role.Covers(needed) {
		return nil, loop.Errorf(loop.Forbidden, "Your role lets you see, and not act.")
	}
	if signIn.Methods.Context() == loop.ContextPassword {
		if strong, err := h.Strength.HasStrong(r.Context(), signIn.Member.ID); err != nil || strong {
			return nil, errors.Join(err, weakIf(strong))
		}
	}
	return &onDuty{signIn, o.Role}, nil
}

func weakIf(strong bool) error {
	if strong {
		return errWeak
	}
	return nil
}

// frame is what is around a page.
func (h *Host) frame(w http.ResponseWriter, r *http.Request, section string, on *onDuty) web.ConsoleFrame {
	return web.ConsoleFrame{
		Section: section, Operator: on.signIn.Member.Name, Role: string(on.role), Acts: on.role.Covers(operator.Acting),
		CSRF: h.Visitors.Carry(w, r, visitor.Journey{}).CSRF,
	}
}

// show records that the operator looks at a page, and then shows it.
func (h *Host) show(w http.ResponseWriter, r *http.Request, on *onDuty, page string, m loop.MemberID, c loop.ClientID, view any) error {
	if err := h.Team.Viewed(r.Context(), on.actor(), page, m, c); err != nil {
		return err
	}
	web.AllowPage(w.Header(), "'self'")
	return h.pages.Render(w, http.StatusOK, page, view)
}
