package account

import (
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// codeView is the data of code.html.
type codeView struct {
	visitor.Carried
	Fault *loop.Error
}

// showCode answers GET /code: the second factor of who has typed a right password.
func (h *Host) showCode(w http.ResponseWriter, r *http.Request) error {
	j, err := h.Visitors.Asked(r)
	if err != nil {
		return err
	}
	_, err = h.SignIns.Waiting(r.Context(), h.Visitors.Waits(r), h.Visitors.Browsers(r))
	if errors.Is(err, loop.ErrNotFound) {
		return h.nobodyWaits(w, r, j)
	}
	if err != nil {
		return err
	}
	return h.codePage(w, r, j, nil)
}

// nobodyWaits goes on where no code is asked for, or not any more.
func (h *Host) nobodyWaits(w http.ResponseWriter, r *http.Request, j visitor.Journey) error {
	h.Visitors.StopWaiting(w)
	return web.SeeOther(w, r, j.Next())
}

func (h *Host) codePage(w http.ResponseWriter, r *http.Request, j visitor.Journey, fault *loop.Error) error {
	return h.Visitors.Show(w, r, h.pages, "code", codeView{Carried: h.Visitors.Carry(w, r, j), Fault: fault}, fault)
}

// postCode answers POST /code: a code of the member's app or a recovery code, or the
// wish to sign in otherwise.
func (h *Host) postCode(w http.ResponseWriter, r *http.Request) error {
	form, j, err := h.Visitors.Posted(w, r)
	if err != nil {
		return err
	}
	waits := h.Visitors.Waits(r)
	m, err := h.SignIns.Waiting(r.Context(), waits, h.Visitors.Browsers(r))
	if errors.Is(err, loop.ErrNotFound) || form.Get("act") == "cancel" {
		return h.nobodyWaits(w, r, j)
	}
	if err != nil {
		return err
	}
	begun, err := h.SignIns.SignInByCode(r.Context(), waits, form.Get("code"), h.Visitors.Browsers(r), h.Visitors.Device(r, string(m.Email)), h.visit(r))
	if fault, ok := fieldFault(err); ok {
		return h.codePage(w, r, j, fault)
	}
	if errors.Is(err, loop.ErrNotFound) { // the factor was removed meanwhile
		return h.nobodyWaits(w, r, j)
	}
	if err != nil {
		return err
	}
	return h.begin(w, r, j, begun)
}
