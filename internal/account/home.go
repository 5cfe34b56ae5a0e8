package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// showHome answers GET /: it decides what is next for a member who came by
// themselves. Where that is nothing else, it is the page of the account that they
// were on their way to, or what there is.
func (h *Host) showHome(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	signIn, err := h.Visitors.SignIn(r)
	switch {
	case err != nil:
		return err
	case j.Travels():
		return web.SeeOther(w, r, j.Next())
	case h.Visitors.Waits(r) != "":
		return web.SeeOther(w, r, j.At(visitor.CodePath))
	case signIn == nil || j.TooOld(h.world.Now(), signIn):
		return web.SeeOther(w, r, j.At(visitor.SignInPath))
	case signIn.Member.Notice != "":
		return web.SeeOther(w, r, j.At(visitor.NoticePath))
	case j.BackTo() != "":
		return web.SeeOther(w, r, j.BackTo())
	default:
		return h.showOverview(w, r, signIn.Member)
	}
}
