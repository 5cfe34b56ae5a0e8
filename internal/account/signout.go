package account

import (
	"net/http"

	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// signOutView is the data of signout.html.
type signOutView struct {
	visitor.Carried
	Member string
	Stay   string // where it leads not to sign out
}

// showSignOut answers GET /signout: a question, since a link changes nothing.
func (h *Host) showSignOut(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	signIn, err := h.Visitors.SignIn(r)
	if err != nil {
		return err
	}
	if signIn == nil {
		return web.SeeOther(w, r, j.At(visitor.SignInPath))
	}
	return h.Visitors.Show(w, r, h.pages, "signout", signOutView{Carried: h.Visitors.Carry(w, r, j), Member: signIn.Member.Name, Stay: j.Next()}, nil)
}

// postSignOut answers POST /signout: the session ends. A request that was on its
// way begins again with sign-in.
func (h *Host) postSignOut(w http.ResponseWriter, r *http.Request) error {
	_, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	if err := h.SignIns.SignOut(r.Context(), h.Visitors.Session(r)); err != nil {
		return err
	}
	h.Visitors.End(w)
	return web.SeeOther(w, r, j.At(visitor.SignInPath))
}

// showSignedOut answers GET /signed-out: what is true now.
func (h *Host) showSignedOut(w http.ResponseWriter, r *http.Request) error {
	signIn, err := h.Visitors.SignIn(r)
	if err != nil {
		return err
	}
	if signIn != nil {
		return web.SeeOther(w, r, visitor.HomePath)
	}
	return h.Visitors.Show(w, r, h.pages, "signed_out", h.Visitors.Carry(w, r, visitor.Journey{}), nil)
}
