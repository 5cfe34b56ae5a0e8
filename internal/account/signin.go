package account

import (
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// showSignIn answers GET /signin.
func (h *Host) showSignIn(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(w, r)
	if err != nil {
		return err
	}
	return h.signInPage(w, r, j, loginHint(j), nil)
}

// loginHint is the address that the app thinks the member will sign in with
// (OpenID Connect Core §3.1.2.1); only a well-formed one is shown.
func loginHint(j visitor.Journey) string {
	hint, err := loop.ParseEmail(j.Continuation().Parameters.Get("login_hint"))
	if err != nil {
		return ""
	}
	return string(hint)
}

// postSignIn answers POST /signin.
func (h *Host) postSignIn(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	cookie, m, err := h.SignIns.SignIn(r.Context(), signin.Credentials{
		Email: form.Get("email"), Password: form.Get("password"), Before: h.Visitors.Session(r), Device: h.Visitors.Device(r, form.Get("email")),
	})
	if fault, ok := fieldFault(err); ok {
		return h.signInPage(w, r, j, form.Get("email"), fault)
	}
	if err != nil {
		return err
	}
	h.Visitors.Begin(w, r, cookie, m)
	return h.signedIn(w, r, j)
}

// signedIn goes on after a member has signed in or up.
func (h *Host) signedIn(w http.ResponseWriter, r *http.Request, j visitor.Journey) error {
	return web.SeeOther(w, r, h.Visitors.Progress(j, func(p *oauth.Progress) { p.SignedIn = true }).Next())
}

// fieldFault finds an error that belongs beside the form that caused it.
func fieldFault(err error) (*loop.Error, bool) {
	e, ok := errors.AsType[*loop.Error](err)
	return e, ok && (e.Code == loop.ValidationError || e.Code == loop.RateLimited)
}

// signInView is the data of signin.html.
type signInView struct {
	visitor.Carried
	App   *visitor.App
	Email string
	Fault string
}

func (h *Host) signInPage(w http.ResponseWriter, r *http.Request, j visitor.Journey, email string, fault *loop.Error) error {
	view := signInView{Carried: h.Visitors.Carry(w, r, j), App: h.Visitors.App(r, j), Email: email}
	if fault != nil {
		view.Fault = fault.Description
	}
	return h.Visitors.Show(w, r, h.pages, "signin", view, fault)
}
