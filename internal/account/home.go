package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// homeView is the data of home.html.
type homeView struct {
	visitor.Carried
	Member string
}

// showHome answers GET /: who is signed in here. It decides what is next for a
// member who came by themselves.
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
	case signIn == nil:
		return web.SeeOther(w, r, visitor.SignInPath)
	case signIn.Member.Notice != "":
		return web.SeeOther(w, r, visitor.NoticePath)
	}
	return h.Visitors.Show(w, r, h.pages, "home", homeView{Carried: h.Visitors.Carry(w, r, j), Member: signIn.Member.Name}, nil)
}
