package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/visitor"
)

// showSignUp answers GET /signup.
func (h *Host) showSignUp(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(w, r)
	if err != nil {
		return err
	}
	return h.signUpPage(w, r, j, signin.Registration{Email: loginHint(j)}, nil)
}

// postSignUp answers POST /signup.
func (h *Host) postSignUp(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	sent := signin.Registration{
		Name: form.Get("name"), Email: form.Get("email"), Password: form.Get("password"), Before: h.Visitors.Session(r),
	}
	cookie, m, err := h.SignIns.SignUp(r.Context(), sent)
	if fault, ok := fieldFault(err); ok {
		return h.signUpPage(w, r, j, sent, fault)
	}
	if err != nil {
		return err
	}
	h.Visitors.Begin(w, r, cookie, m)
	return h.signedIn(w, r, j)
}

// signUpView is the data of signup.html.
type signUpView struct {
	visitor.Carried
	App    *visitor.App
	Name   string
	Email  string
	Fault  string
	Faulty string // the field at fault
}

func (h *Host) signUpPage(w http.ResponseWriter, r *http.Request, j visitor.Journey, sent signin.Registration, fault *loop.Error) error {
	view := signUpView{Carried: h.Visitors.Carry(w, r, j), App: h.Visitors.App(r, j), Name: sent.Name, Email: sent.Email}
	if fault != nil {
		view.Fault, view.Faulty = fault.Description, fault.Field
	}
	return h.Visitors.Show(w, r, h.pages, "signup", view, fault)
}
