package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

const (
	privacyPath = "/account/privacy"
	leftPath    = "/left"
)

// privacyView is the data of privacy.html.
type privacyView struct {
	web.AccountFrame
	Unsure bool // the member asked to be deleted and did not say that they are sure
}

// showPrivacy answers GET /account/privacy: what a member can do with all that is kept
// of them.
func (h *Host) showPrivacy(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	return h.privacyPage(w, r, m, nil)
}

func (h *Host) privacyPage(w http.ResponseWriter, r *http.Request, m *loop.Member, fault *loop.Error) error {
	view := privacyView{AccountFrame: h.frame(w, r, "privacy", m), Unsure: fault != nil}
	return h.Visitors.Show(w, r, h.ownPages, "privacy", view, fault)
}

// errUnsure is the answer to a deletion that was asked for without a word more.
var errUnsure = loop.Errorf(loop.ValidationError, "Tick the box if you are sure.").About("sure")

// postPrivacy answers POST /account/privacy: the member leaves. Sent twice, the first
// counts.
func (h *Host) postPrivacy(w http.ResponseWriter, r *http.Request) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	return h.recent(privacyPath, func(w http.ResponseWriter, r *http.Request, signIn *loop.SignIn) error {
		if form.Get("act") != "delete" {
			return loop.Errorf(loop.InvalidRequest, "This form does not say what to do. Go back and try again.")
		}
		if form.Get("sure") == "" {
			return h.privacyPage(w, r, signIn.Member, errUnsure)
		}
		if _, err := h.Accounts.Leave(r.Context(), signIn.Member.ID); err != nil {
			return err
		}
		return web.SeeOther(w, r, leftPath)
	})(w, r)
}

// showLeft answers GET /left: what happens to a member who left, and how they come back.
func (h *Host) showLeft(w http.ResponseWriter, r *http.Request) error {
	return h.Visitors.Show(w, r, h.pages, "left", h.Visitors.Carry(w, r, visitor.Journey{}), nil)
}
