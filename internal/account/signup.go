package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// showSignUp answers GET /signup. Who has signed in meanwhile, in another tab, is
// led on.
func (h *Host) showSignUp(w http.ResponseWriter, r *http.Request) error {
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
	return h.signUpPage(w, r, j, signin.Registration{Email: loginHint(j)}, nil)
}

// postSignUp answers POST /signup.
func (h *Host) postSignUp(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	sent := signin.Registration{
		Name: form.Get("name"), Email: form.Get("email"), Password: form.Get("password"), Locale: h.Visitors.Language(r).Tag, Visit: h.visit(r),
	}
	if h.Mailed != nil {
		return h.askForSignUp(w, r, j, sent)
	}
	begun, err := h.SignIns.SignUp(r.Context(), sent)
	if fault, ok := fieldFault(err); ok {
		return h.signUpPage(w, r, j, sent, fault)
	}
	if err != nil {
		return err
	}
	h.Visitors.Begin(w, r, begun.Cookie, begun.Member)
	return h.signedIn(w, r, j)
}

// signUpView is the data of signup.html.
type signUpView struct {
	visitor.Carried
	App    *visitor.App
	Name   string
	Email  string
	Mails  bool                   // the address is confirmed by a link
	Faults map[string]*loop.Error // by the field at fault; of none in particular under the empty name
}

func (h *Host) signUpPage(w http.ResponseWriter, r *http.Request, j visitor.Journey, sent signin.Registration, fault *loop.Error) error {
	view := signUpView{Carried: h.Visitors.Carry(w, r, j), App: h.Visitors.App(r, j), Name: sent.Name, Email: sent.Email, Mails: h.Mailed != nil}
	if fault != nil {
		view.Faults = byField(append(signin.FaultsOf(sent), fault))
	}
	return h.Visitors.ShowScripted(w, r, h.pages, "signup", view, fault)
}

// byField sorts faults by their fields; the first of a field counts.
func byField(faults []*loop.Error) map[string]*loop.Error {
	sorted := map[string]*loop.Error{}
	for _, fault := range faults {
		if _, known := sorted[fault.Field]; !known {
			sorted[fault.Field] = fault
		}
	}
	return sorted
}
