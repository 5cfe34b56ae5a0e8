package account

import (
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// overviewView is the data of overview.html.
type overviewView struct {
	web.AccountFrame
	Email    loop.Email
	Apps     int       // that are connected
	LastRead time.Time // by any of them; zero: not lately

	OffersPasskey bool // the member has none, and could
}

// showOverview answers GET /account: where the member finds what.
func (h *Host) showOverview(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	apps, err := h.Connections.List(r.Context(), m.ID)
	if err != nil {
		return err
	}
	view := overviewView{AccountFrame: h.frame(w, r, "overview", m), Email: m.Email, Apps: len(apps)}
	for i := range apps {
		if at := apps[i].Usage.LastReadAt; at.After(view.LastRead) {
			view.LastRead = at
		}
	}
	if h.SignIns.OffersPasskeys() {
		passkeys, err := h.SignIns.Passkeys.Passkeys(r.Context(), m.ID)
		if err != nil {
			return err
		}
		view.OffersPasskey = len(passkeys) == 0
	}
	return h.Visitors.Show(w, r, h.ownPages, "overview", view, nil)
}
