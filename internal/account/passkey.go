package account

import (
	"encoding/base64"
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// passkeyView is the data of passkey.html.
type passkeyView struct {
	web.AccountFrame
	Options string // by which the browser makes it, as JSON
	Name    string
	Fault   *loop.Error
}

// showNewPasskey answers GET /account/security/passkey: a form that makes one.
func (h *Host) showNewPasskey(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	return h.passkeyPage(w, r, signIn.Member, "", nil)
}

func (h *Host) passkeyPage(w http.ResponseWriter, r *http.Request, m *loop.Member, name string, fault *loop.Error) error {
	view := passkeyView{AccountFrame: h.frame(w, r, "security", m), Name: name, Fault: fault}
	options, err := h.SignIns.NewPasskey(r.Context(), m, h.Visitors.Known(r))
	if err != nil {
		return err
	}
	view.Options = string(options)
	return h.Visitors.ShowScripted(w, r, h.ownPages, "passkey", view, fault)
}

// postNewPasskey answers POST /account/security/passkey: the browser made one.
func (h *Host) postNewPasskey(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	err = h.SignIns.AddPasskey(r.Context(), signIn.Member, form.Get("name"), form.Get("passkey"), h.Visitors.Browsers(r))
	if fault, ok := fieldFault(err); ok {
		return h.passkeyPage(w, r, signIn.Member, form.Get("name"), fault)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, securityPath+"?added")
}

// removePasskey answers POST /account/security/passkey/{id}. One that is gone leads on
// as the first time does.
func (h *Host) removePasskey(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
	if _, err := h.Visitors.Form(w, r); err != nil {
		return err
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(r.PathValue("id"))
	if err != nil {
		return web.NotFound()
	}
	err = h.SignIns.RemovePasskey(r.Context(), signIn.Member, id)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return err
	}
	return web.SeeOther(w, r, securityPath+"?removed")
}
