package portal

import (
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/webhook"
)

// webhookHandler answers a request about a webhook of one of the developer's apps.
type webhookHandler func(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, of *loop.Webhook) error

// ownWebhook is the phase of every page about one webhook. One of another app is
// NotFound.
func (h *Host) ownWebhook(next webhookHandler) appHandler {
	return func(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
		of := app.Webhook(loop.WebhookID(r.PathValue("webhook")))
		if of == nil {
			return loop.Errorf(loop.NotFound, "This app has no such webhook.")
		}
		return next(w, r, dev, app, of)
	}
}

// webhookView is the data of webhook.html.
type webhookView struct {
	web.PortalFrame
	App        appRow
	Webhook    webhookRow
	List       string // leads to the app's webhooks
	Deliveries []deliveryRow
	Shown      int
}

type deliveryRow struct {
	webhook.DeliveryView
	When   string
	Next   string // when it is attempted next; empty: it is over
	Replay bool   // a button makes sense
}

// deliveriesShown is how many deliveries a page shows.
const deliveriesShown = 50

// showWebhook answers GET /apps/{id}/webhooks/{webhook}.
func (h *Host) showWebhook(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, of *loop.Webhook) error {
	found, err := h.deliveries.List(r.Context(), app, of.ID, webhook.Query{AtMost: deliveriesShown})
	if err != nil {
		return err
	}
	view := webhookView{
		PortalFrame: h.frame("apps", dev), App: newAppRow(app), List: webhooksPath(app.ID), Shown: deliveriesShown,
		Webhook: webhookRow{webhook.ViewOf(app.ID, of, h.site.World.Now()), webhookPath(app.ID, of.ID)},
	}
	for _, d := range found {
		row := deliveryRow{DeliveryView: d.View(), When: moment(d.Event.OccurredAt), Replay: d.Status != webhook.Pending || d.Attempts > 0}
		if !d.NextAt.IsZero() {
			row.Next = moment(d.NextAt)
		}
		view.Deliveries = append(view.Deliveries, row)
	}
	return h.render(w, http.StatusOK, "webhook", view)
}

// actOnWebhook answers POST /apps/{id}/webhooks/{webhook}: the button that was pressed
// says what is done.
func (h *Host) actOnWebhook(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, of *loop.Webhook) error {
	form, err := h.form(w, r, dev)
	if errors.Is(err, errOldForm) {
		return web.SeeOther(w, r, webhookPath(app.ID, of.ID))
	}
	if err != nil {
		return err
	}
	if id := form.Get("delivery"); id != "" {
		if _, err := h.deliveries.Replay(r.Context(), app, loop.DeliveryID(id), dev.actor()); err != nil {
			return err
		}
		return web.SeeOther(w, r, webhookPath(app.ID, of.ID)+"#deliveries")
	}
	sent, _ := h.once(r, dev, form)
	switch act := form.Get("act"); act {
	case "test":
		_, err = sent.TestWebhook(r.Context(), app.ID, of.ID)
	case "enable", "disable":
		err = sent.ChangeWebhook(r.Context(), app.ID, of.ID, func(h *loop.Webhook) { h.SetEnabled(act == "enable", "Disabled by its developer.") })
	case "rotate":
		if err = sent.RotateWebhookSecret(r.Context(), app.ID, of.ID); err == nil || errors.Is(err, registration.ErrSentBefore) {
			return h.carryWebhookSecret(w, r, dev, app, of.ID)
		}
	case "delete":
		if err = sent.DeleteWebhook(r.Context(), app.ID, of.ID); err == nil {
			return web.SeeOther(w, r, webhooksPath(app.ID))
		}
	default:
		return loop.Errorf(loop.ValidationError, "Press one of the buttons of the page.").About("act")
	}
	if err != nil && !errors.Is(err, registration.ErrSentBefore) {
		return err
	}
	return web.SeeOther(w, r, webhookPath(app.ID, of.ID))
}

// carryWebhookSecret leads to the page that shows a webhook's newest secret, for ten
// minutes, as with an app's secret; the cookie only says whom it is shown to.
func (h *Host) carryWebhookSecret(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, id loop.WebhookID) error {
	text, err := seal(h.sealer, sealedSecret, shownSecret{Member: dev.Member, Client: app.ID, Webhook: id, MadeAt: h.site.World.Now()})
	if err != nil {
		return err
	}
	h.secret.Set(w, text, secretLife)
	return web.SeeOther(w, r, webhookPath(app.ID, id)+"/secret")
}

// webhookSecretView is the data of webhook_secret.html.
type webhookSecretView struct {
	web.PortalFrame
	App    appRow
	URL    string
	Path   string
	Secret string
}

// showWebhookSecret answers GET /apps/{id}/webhooks/{webhook}/secret, for as long as
// there is one to show.
func (h *Host) showWebhookSecret(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, of *loop.Webhook) error {
	made, ok := open[shownSecret](h.sealer, sealedSecret, h.secret.Read(r))
	if !ok || made.Member != dev.Member || made.Client != app.ID || made.Webhook != of.ID || !loop.Alive(h.site.World.Now(), made.MadeAt, secretLife) {
		return web.SeeOther(w, r, webhookPath(app.ID, of.ID))
	}
	return h.render(w, http.StatusOK, "webhook_secret", webhookSecretView{
		PortalFrame: h.frame("apps", dev), App: newAppRow(app), URL: of.URL, Path: webhookPath(app.ID, of.ID), Secret: h.webhookSecrets.Of(of.ID, of.Secret).Reveal(),
	})
}
