package portal

import (
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// errOtherContent: a form was sent again, and said something else than when it did
// its act.
var errOtherContent = errors.New("the form was sent before, with other values")

// answer leads on after an act: to the page that shows the secret that it made, or to
// the app's. For a form that was sent before that is where the first one led; err is
// what came of the act.
func (h *Host) answer(w http.ResponseWriter, r *http.Request, dev *developer, form sentForm, sent registration.Form, app loop.ClientID, err error) error {
	if errors.Is(err, registration.ErrSentBefore) {
		first, err := h.clients.Store.SentForm(r.Context(), sent.Hash)
		if err != nil {
			return err
		}
		if first.Content != sent.Content {
			return errOtherContent
		}
		sent, app = *first, first.Client
	} else if err != nil {
		return err
	} else {
		sent.SentAt = h.site.World.Now()
	}
	web.NoteClient(r.Context(), app)
	c, err := h.clients.Store.Client(r.Context(), app)
	if err != nil {
		return err
	}
	for _, secret := range h.formSecrets(form.id) {
		if c.HoldsSecret(secret.Hash(), h.site.World.Now()) {
			return h.carrySecret(w, r, shownSecret{Member: dev.Member, Client: app, Secret: secret.Reveal(), MadeAt: sent.SentAt})
		}
	}
	return web.SeeOther(w, r, appPath(app))
}

// press carries out an act that needs nothing but a button. A form that lay open for
// too long is shown again.
func (h *Host) press(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, do func(registration.Sent) error) error {
	form, err := h.form(w, r, dev)
	if errors.Is(err, errOldForm) {
		return web.SeeOther(w, r, formPath(r))
	}
	if err != nil {
		return err
	}
	act, sent := h.once(r, dev, form)
	return h.answer(w, r, dev, form, sent, app.ID, do(act))
}
