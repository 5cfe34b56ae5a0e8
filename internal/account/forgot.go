package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// Where a member who has forgotten their password asks for a link.
const (
	forgotPath     = "/forgot-password"
	forgotSentPath = "/forgot-password/sent"
)

// mountMailed adds what takes mail, where there is a server for it.
func (h *Host) mountMailed(site *web.Site) {
	if h.Mailed == nil {
		return
	}
	site.Page("GET "+forgotPath, visitor.InPopup(h.showForgot))
	site.Page("POST "+forgotPath, visitor.InPopup(h.postForgot))
	site.Page("GET "+forgotSentPath, visitor.InPopup(h.showForgotSent))
	site.Page("GET "+member.SetPasswordPath, visitor.InPopup(h.showSetPassword))
	site.Page("POST "+member.SetPasswordPath, visitor.InPopup(h.postSetPassword))
	site.Page("GET "+passwordSetPath, visitor.InPopup(h.showPasswordSet))
}

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

// asker is who asks for a mail to an address.
func (h *Host) asker(w http.ResponseWriter, r *http.Request, j visitor.Journey, email string) member.Asker {
	return member.Asker{Browser: h.Visitors.Browser(w, r), Device: h.Visitors.Device(r, email), Journey: j.Text(), Locale: h.Visitors.Language(r).Tag}
}

// sentView is the data of pages that say that a mail is on its way.
type sentView struct {
	visitor.Carried
	Late bool // it takes longer than it should
}

// showForgotSent answers GET /forgot-password/sent.
func (h *Host) showForgotSent(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	return h.Visitors.Show(w, r, h.pages, "forgot_sent", sentView{h.Visitors.Carry(w, r, j), h.Mailed.Late()}, nil)
}
