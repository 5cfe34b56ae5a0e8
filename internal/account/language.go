package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// postLanguage answers POST /language: the member reads on in another language, in
// this browser and, signed in, in their account. It leads back to the page.
func (h *Host) postLanguage(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	chosen, err := h.Visitors.KnownLanguage(form.Get("language"))
	if err != nil {
		return err
	}
	signIn, err := h.Visitors.SignIn(r)
	if err != nil {
		return err
	}
	if signIn != nil {
		if err := h.Accounts.ChooseLanguage(r.Context(), signIn.Member.ID, chosen.Tag); err != nil {
			return err
		}
	}
	return web.SeeOther(w, r, h.Visitors.ChooseLanguage(w, j, chosen).From(visitor.Local(form.Get("here"))))
}
