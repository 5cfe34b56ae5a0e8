package portal

import (
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// A secret is shown once, on a page of its own. The post that makes it answers
// with a redirect, so that a reload makes no second app and no second secret; on
// the way the secret is in a cookie, sealed, for ten minutes. Reloading the page
// shows it again; going on to the app's page ends the cookie, and with it the
// last place that held the secret.
const secretLife = 10 * time.Minute

// shownSecret is what the cookie holds, sealed.
type shownSecret struct {
	Member loop.MemberID
	Client loop.ClientID
	Secret string
	// Webhook is the webhook whose newest signing secret it is, which is derived anew; empty: it
	// is the app's.
	Webhook loop.WebhookID
	MadeAt  time.Time
}

// carrySecret leads to the page that shows a new secret; to the app's page, where it
// was made too long ago.
func (h *Host) carrySecret(w http.ResponseWriter, r *http.Request, made shownSecret) error {
	left := secretLife - h.site.World.Now().Sub(made.MadeAt)
	if left <= 0 {
		return web.SeeOther(w, r, appPath(made.Client))
	}
	text, err := seal(h.sealer, sealedSecret, made)
	if err != nil {
		return err
	}
	h.secret.Set(w, text, left)
	return web.SeeOther(w, r, appPath(made.Client)+"/secret")
}

// showSecret answers GET /apps/{id}/secret, for as long as there is one to show.
func (h *Host) showSecret(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	made, ok := open[shownSecret](h.sealer, sealedSecret, h.secret.Read(r))
	if !ok || made.Member != dev.Member || made.Client != app.ID || made.Webhook != "" || !loop.Alive(h.site.World.Now(), made.MadeAt, secretLife) {
		return web.SeeOther(w, r, appPath(app.ID))
	}
	return h.secretPage(w, dev, app, made.Secret)
}

// askToRotate answers GET /apps/{id}/rotate-secret: a question, since a link
// changes nothing.
func (h *Host) askToRotate(w http.ResponseWriter, _ *http.Request, dev *developer, app *loop.Client) error {
	return h.confirmPage(w, dev, confirmation{
		App: app.Name, Back: appPath(app.ID), Action: appPath(app.ID) + "/rotate-secret", Button: "rotate-secret", Verb: "Make a new secret",
		Question: "Make a new secret for",
		Text:     "You see it once. The present secret works for another 24 hours, so that you can put the new one in place; one that is older still ends now.",
	})
}

// rotateSecret answers POST /apps/{id}/rotate-secret.
func (h *Host) rotateSecret(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	return h.press(w, r, dev, app, func(act registration.Sent) error { return act.RotateSecret(r.Context(), app.ID) })
}
