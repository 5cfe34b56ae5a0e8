package account

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// another is the parameter by which a member asks for another account than the one
// that is signed in.
const another = "another"

// showSignIn answers GET /signin. Who has signed in meanwhile, in another tab, is
// led on.
func (h *Host) showSignIn(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	needed, err := h.needsSignIn(r, j)
	if err != nil {
		return err
	}
	if !needed {
		return web.SeeOther(w, r, j.Next())
	}
	return h.signInPage(w, r, j, loginHint(j), nil)
}

// needsSignIn reports whether a member has to sign in, or wants to.
func (h *Host) needsSignIn(r *http.Request, j visitor.Journey) (bool, error) {
	signIn, err := h.Visitors.SignIn(r)
	if err != nil || signIn == nil || r.URL.Query().Has(another) {
		return true, err
	}
	if !j.Travels() {
		return j.TooOld(h.world.Now(), signIn), nil
	}
	_, step, err := h.Visitors.Step(r.Context(), j, signIn)
	return err == nil && step == oauth.StepSignIn, nil // of an error says more who decides what is next
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
	begun, err := h.prove(r, form)
	if fault, ok := fieldFault(err); ok {
		return h.signInPage(w, r, j, form.Get("email"), fault)
	}
	if err != nil {
		return err
	}
	if begun.Waits != "" {
		h.Visitors.Wait(w, begun.Waits)
		return web.SeeOther(w, r, j.Next())
	}
	return h.begin(w, r, j, begun)
}

// begin gives the browser the session that a proof led to, and goes on.
func (h *Host) begin(w http.ResponseWriter, r *http.Request, j visitor.Journey, begun *signin.Begun) error {
	h.Visitors.Begin(w, r, begun.Cookie, begun.Member)
	return h.signedIn(w, r, j)
}

// prove judges what a form of the sign-in page brings: a passkey or a password.
func (h *Host) prove(r *http.Request, form url.Values) (*signin.Begun, error) {
	if answer := form.Get("passkey"); answer != "" {
		return h.SignIns.SignInByPasskey(r.Context(), signin.PasskeyCredentials{
			Answer: answer, Browsers: h.Visitors.Browsers(r), Visit: h.visit(r),
		})
	}
	return h.SignIns.SignIn(r.Context(), signin.Credentials{
		Email: form.Get("email"), Password: form.Get("password"), Visit: h.visit(r), Device: h.Visitors.Device(r, form.Get("email")),
	})
}

// visit is the browser of a request, as sign-ins are told apart by it.
func (h *Host) visit(r *http.Request) signin.Visit {
	return signin.Visit{Before: h.Visitors.Session(r), Browser: h.Visitors.Known(r), Agent: r.UserAgent(), Knows: h.knows(r)}
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
	Again bool // for a page that needs a recent sign-in
	Email string
	Mails bool // a forgotten password can be reset by mail
	Fault *loop.Error
	// Passkey is the options of a request for a passkey, as JSON; empty: there are none.
	Passkey string
}

func (h *Host) signInPage(w http.ResponseWriter, r *http.Request, j visitor.Journey, email string, fault *loop.Error) error {
	view := signInView{Carried: h.Visitors.Carry(w, r, j), App: h.Visitors.App(r, j), Again: j.NeedsRecent(), Email: email, Mails: h.Mailed != nil, Fault: fault}
	options, err := h.SignIns.RequestPasskey(h.Visitors.Known(r))
	if err != nil {
		return err
	}
	view.Passkey = string(options)
	return h.Visitors.ShowScripted(w, r, h.pages, "signin", view, fault)
}

// knows reports whether a member has signed in with the request's browser before.
func (h *Host) knows(r *http.Request) func(loop.Email) bool {
	return func(m loop.Email) bool { return h.Visitors.Device(r, string(m)) != "" }
}
