package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// aboutView is the data of help.html and privacy.html.
type aboutView struct {
	visitor.Carried
	Mails bool // a forgotten password can be reset by mail
}

// showAbout answers with a page that says something to everybody.
func (h *Host) showAbout(page string) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := h.Visitors.SignIn(r); err != nil { // whose language it is in
			return err
		}
		return h.Visitors.Show(w, r, h.pages, page, aboutView{h.Visitors.Carry(w, r, visitor.Journey{}), h.Mailed != nil}, nil)
	}
}

// leadToPassword answers GET /.well-known/change-password, where password managers send
// whoever wants another password (W3C, A Well-Known URL for Changing Passwords).
func leadToPassword(w http.ResponseWriter, r *http.Request) error {
	return web.SeeOther(w, r, passwordPath)
}
