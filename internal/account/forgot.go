package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// Where a member who has forgotten their password asks for a link.
const (
	forgotPath     = "/forgot-password"
	forgotSentPath = "/forgot-password/sent"
)

// forgotView is the data of forgot.html.
type forgotView struct {
	visitor.Carried
	Email string
	Fault *loop.Error
}

// showForgot answers GET /forgot-password.
func (h *Host) showForgot(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	return h.forgotPage(w, r, j, loginHint(j), nil)
}

func (h *Host) forgotPage(w http.ResponseWriter, r *http.Request, j visitor.Journey, email string, fault *loop.Error) error {
	return h.Visitors.Show(w, r, h.pages, "forgot", forgotView{h.Visitors.Carry(w, r, j), email, fault}, fault)
}

// postForgot answers POST /forgot-password, alike for every address.
func (h *Host) postForgot(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	email := form.Get("email")
	err = h.Mailed.AskForReset(r.Context(), email, h.asker(w, r, j, email))
	if fault, ok := fieldFault(err); ok {
		return h.forgotPage(w, r, j, email, fault)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, j.At(forgotSentPath))
}

// showForgotSent answers GET /forgot-password/sent.
func (h *Host) showForgotSent(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	return h.Visitors.Show(w, r, h.pages, "forgot_sent", sentView{h.Visitors.Carry(w, r, j), h.Mailed.Late()}, nil)
}
