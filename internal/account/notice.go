package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// noticeView is the data of notice.html.
type noticeView struct {
	visitor.Carried
	Notice loop.Notice
}

// showNotice answers GET /notice: what a member has to know before they go on.
func (h *Host) showNotice(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	signIn, err := h.Visitors.SignIn(r)
	if err != nil {
		return err
	}
	if signIn == nil || signIn.Member.Notice == "" {
		return web.SeeOther(w, r, j.Next())
	}
	return h.Visitors.Show(w, r, h.pages, "notice", noticeView{Carried: h.Visitors.Carry(w, r, j), Notice: signIn.Member.Notice}, nil)
}

// postNotice answers POST /notice: the member has read it.
func (h *Host) postNotice(w http.ResponseWriter, r *http.Request) error {
	_, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	signIn, err := h.Visitors.SignIn(r)
	if err != nil {
		return err
	}
	if signIn != nil {
		if err := h.Accounts.Dismiss(r.Context(), signIn.Member.ID); err != nil {
			return err
		}
	}
	return web.SeeOther(w, r, j.Next())
}
