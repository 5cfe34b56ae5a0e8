package account

import (
	"encoding/base64"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// passwordSetPath is where a member is led once the new password is set.
const passwordSetPath = "/set-password/done"

// setPasswordView is the data of set_password.html.
type setPasswordView struct {
	visitor.Carried
	Link      string
	Email     loop.Email // of the account
	Support   bool       // an operator made the link
	Confirmed string     // shows that the link was taken up in this browser; empty: it was not, and is asked for
	Fault     *loop.Error
}

// showSetPassword answers GET /set-password, where the link in a mail leads. It
// consumes nothing, whoever follows it: programs that look at mails do.
func (h *Host) showSetPassword(w http.ResponseWriter, r *http.Request) error {
	params, err := web.Query(r, "link")
	if err != nil {
		return err
	}
	link := params.Get("link")
	o, err := h.follow(w, r, member.ToResetPassword, link)
	if o == nil {
		return err
	}
	view := setPasswordView{Carried: h.carryLink(w, r, o), Link: link, Email: o.Member.Email, Support: o.ByOperator}
	if o.AskedBy(h.Visitors.Browsers(r)...) {
		view.Confirmed = h.confirmation(w, r, link)
	}
	return h.Visitors.Show(w, r, h.pages, "set_password", view, nil)
}

// postSetPassword answers POST /set-password: a link is taken up in another browser
// than the one that asked for it, or the new password is set.
func (h *Host) postSetPassword(w http.ResponseWriter, r *http.Request) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	link := form.Get("link")
	o, err := h.follow(w, r, member.ToResetPassword, link)
	if o == nil {
		return err
	}
	view := setPasswordView{Carried: h.carryLink(w, r, o), Link: link, Email: o.Member.Email, Support: o.ByOperator}
	if !h.isConfirmed(r, link, form.Get("confirmed")) {
		if form.Has("confirm") {
			view.Confirmed = h.confirmation(w, r, link)
		}
		return h.Visitors.Show(w, r, h.pages, "set_password", view, nil)
	}
	view.Confirmed = form.Get("confirmed")
	err = h.Links.ResetPassword(r.Context(), o, form.Get("password"))
	if fault, ok := fieldFault(err); ok {
		view.Fault = fault
		return h.Visitors.Show(w, r, h.pages, "set_password", view, fault)
	}
	if fault, ended := linkFault(err); ended {
		return h.linkEndedPage(w, r, member.ToResetPassword, fault)
	}
	if err != nil {
		return err
	}
	h.Visitors.End(w)
	return web.SeeOther(w, r, h.Visitors.Resumed(r, o.Journey).At(passwordSetPath))
}

// showPasswordSet answers GET /set-password/done.
func (h *Host) showPasswordSet(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	return h.Visitors.Show(w, r, h.pages, "password_set", h.Visitors.Carry(w, r, j), nil)
}

// confirmation shows that a link was taken up in this browser. Who only has the link
// has none: it takes a form of ours, posted.
func (h *Host) confirmation(w http.ResponseWriter, r *http.Request, link string) string {
	return base64.RawURLEncoding.EncodeToString(h.Confirmations.Tag(confirmed(link, h.Visitors.Browser(w, r))))
}

func (h *Host) isConfirmed(r *http.Request, link, text string) bool {
	tag, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return false
	}
	for _, browser := range h.Visitors.Browsers(r) {
		if h.Confirmations.Check(confirmed(link, browser), tag) {
			return true
		}
	}
	return false
}

func confirmed(link, browser string) []byte { return []byte(link + "\n" + browser) }
