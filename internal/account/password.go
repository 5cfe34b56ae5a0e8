package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/web"
)

// passwordPath is where a member changes their password.
const passwordPath = "/account/password"

// passwordView is the data of password.html.
type passwordView struct {
	web.AccountFrame
	Email  loop.Email
	Recent bool // the sign-in is recent: the old password is not needed
	Mails  bool // a forgotten one can be reset by mail
	Saved  bool // it was just changed
	Fault  *loop.Error
}

// showPassword answers GET /account/password.
func (h *Host) showPassword(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	return h.passwordPage(w, r, signIn, nil)
}

func (h *Host) passwordPage(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn, fault *loop.Error) error {
	return h.Visitors.Show(w, r, h.ownPages, "password", passwordView{
		AccountFrame: h.frame(w, r, "security", signIn.Member), Email: signIn.Member.Email, Recent: signIn.Recent(h.world.Now()),
		Mails: h.Mailed != nil, Saved: fault == nil && r.URL.Query().Has("saved"), Fault: fault,
	}, fault)
}

// postPassword answers POST /account/password.
func (h *Host) postPassword(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	err = h.SignIns.ChangePassword(r.Context(), signin.PasswordChange{
		Session: h.Visitors.Session(r), Old: form.Get("old"), New: form.Get("password"), Device: h.Visitors.Device(r, string(signIn.Member.Email)),
	})
	if fault, ok := fieldFault(err); ok {
		return h.passwordPage(w, r, signIn, fault)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, passwordPath+"?saved")
}
