package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/webhook"
)

// Webhooks is how an app looks after its own webhooks. All faults come back at once,
// joined; each is a *loop.Error of code ValidationError.
type Webhooks interface {
	// AddWebhook has a client's events sent to an address.
	AddWebhook(ctx context.Context, id loop.ClientID, by audit.Actor, url string, events []loop.EventType) (*loop.Webhook, error)
	// ChangeWebhook changes a webhook; NotFound where the client has none of this id.
	ChangeWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor, alter func(*loop.Webhook)) (*loop.Webhook, error)
	// RotateWebhookSecret gives a webhook a new signing secret.
	RotateWebhookSecret(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) (*loop.Webhook, error)
	// DeleteWebhook has nothing sent to a webhook any more.
	DeleteWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) error
	// TestWebhook has a test event sent to a webhook.
	TestWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) (loop.DeliveryID, error)
}

// WebhookSecrets gives signing secrets.
type WebhookSecrets interface {
	// Of is the signing secret of a webhook with a number.
	Of(id loop.WebhookID, number int) credential.Secret
}

const webhooksPath = "/v1/connect/webhooks"

// webhookRoutes are for an app's own server, which proves itself by client_secret_basic.
func (h *Host) webhookRoutes() {
	for pattern, route := range map[string]struct {
		class  limit.Class
		answer ownHandler
	}{
		"GET " + webhooksPath:                          {limit.Read, h.listWebhooks},
		"POST " + webhooksPath:                         {limit.Write, h.addWebhook},
		"GET " + webhooksPath + "/{id}":                {limit.Read, h.showWebhook},
		"PATCH " + webhooksPath + "/{id}":              {limit.Write, h.changeWebhook},
		"DELETE " + webhooksPath + "/{id}":             {limit.Write, h.deleteWebhook},
		"POST " + webhooksPath + "/{id}/rotate-secret": {limit.Write, h.rotateWebhookSecret},
		"POST " + webhooksPath + "/{id}/test":          {limit.Write, h.testWebhook},
		"GET " + webhooksPath + "/{id}/deliveries":     {limit.Read, h.listDeliveries},
		"POST " + webhooksPath + "/{id}/replay":        {limit.Write, h.replay},
	} {
		h.site.API(pattern, h.fromOwner(route.class, route.answer))
	}
}

// ownHandler answers a request of a confidential client about its own registration.
type ownHandler func(w http.ResponseWriter, r *http.Request, client *loop.Client) error

// fromOwner is the phase of requests in which an app looks after itself: it proves
// itself in the header, so that a body is left to what the request says.
func (h *Host) fromOwner(class limit.Class, next ownHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		req := clientauth.Request{Evidence: h.site.Evidence(r), Authorization: r.Header.Values("Authorization")}
		client, err := h.prove(w, r, class, req)
		if err != nil {
			return err
		}
		if client.Type != loop.Confidential {
			return loop.Errorf(loop.UnauthorizedClient, "An app that keeps no secret looks after its webhooks in the developer portal.")
		}
		return next(w, r, client)
	}
}

func byOwner(client *loop.Client) audit.Actor {
	return audit.Actor{Kind: audit.ByClient, ID: string(client.ID)}
}

func hookOf(r *http.Request) loop.WebhookID { return loop.WebhookID(r.PathValue("id")) }

// listWebhooks answers GET /v1/connect/webhooks.
func (h *Host) listWebhooks(w http.ResponseWriter, _ *http.Request, client *loop.Client) error {
	views := make([]webhook.View, len(client.Webhooks))
	for i := range client.Webhooks {
		views[i] = webhook.ViewOf(client.ID, &client.Webhooks[i], h.site.World.Now())
	}
	return web.WriteJSON(w, http.StatusOK, map[string]any{"data": views})
}

// showWebhook answers GET /v1/connect/webhooks/{id}.
func (h *Host) showWebhook(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	found := client.Webhook(hookOf(r))
	if found == nil {
		return loop.Errorf(loop.NotFound, "This app has no webhook with this id.")
	}
	return web.WriteJSON(w, http.StatusOK, webhook.ViewOf(client.ID, found, h.site.World.Now()))
}

// sentWebhook is what an app says of a webhook.
type sentWebhook struct {
	URL     *string          `json:"url"`
	Events  []loop.EventType `json:"events"`
	Enabled *bool            `json:"enabled"`
}

// maxWebhookBytes bounds the body of a request about a webhook.
const maxWebhookBytes = 8 << 10

// readSent reads a body that holds an object with these fields and no others.
func readSent(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := web.JSONBody(w, r, maxWebhookBytes)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return loop.Errorf(loop.ValidationError, `The body can't be read, or has a field that there is not. Send an object such as {"url": "https://app.example.com/webhooks", "events": ["identity.grant.revoked.v1"]}.`)
	}
	return nil
}

// addWebhook answers POST /v1/connect/webhooks.
func (h *Host) addWebhook(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	var sent sentWebhook
	if err := readSent(w, r, &sent); err != nil {
		return err
	}
	if sent.URL == nil || sent.Enabled != nil {
		return loop.Errorf(loop.ValidationError, "Send url and events.").About("url")
	}
	added, err := h.webhooks.AddWebhook(r.Context(), client.ID, byOwner(client), *sent.URL, sent.Events)
	if err != nil {
		return firstFault(err)
	}
	return web.WriteJSON(w, http.StatusCreated, h.withSecret(client, added))
}

// changeWebhook answers PATCH /v1/connect/webhooks/{id}.
func (h *Host) changeWebhook(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	var sent sentWebhook
	if err := readSent(w, r, &sent); err != nil {
		return err
	}
	changed, err := h.webhooks.ChangeWebhook(r.Context(), client.ID, hookOf(r), byOwner(client), sent.apply)
	if err != nil {
		return firstFault(err)
	}
	return web.WriteJSON(w, http.StatusOK, webhook.ViewOf(client.ID, changed, h.site.World.Now()))
}

// apply changes what was sent, and nothing else.
func (sent *sentWebhook) apply(to *loop.Webhook) {
	if sent.URL != nil {
		to.URL = *sent.URL
	}
	if sent.Events != nil {
		to.Events = sent.Events
	}
	if sent.Enabled != nil {
		to.SetEnabled(*sent.Enabled, "Disabled by the app.")
	}
}

// deleteWebhook answers DELETE /v1/connect/webhooks/{id}.
func (h *Host) deleteWebhook(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	if err := h.webhooks.DeleteWebhook(r.Context(), client.ID, hookOf(r), byOwner(client)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// rotateWebhookSecret answers POST /v1/connect/webhooks/{id}/rotate-secret.
func (h *Host) rotateWebhookSecret(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	changed, err := h.webhooks.RotateWebhookSecret(r.Context(), client.ID, hookOf(r), byOwner(client))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, h.withSecret(client, changed))
}

func (h *Host) withSecret(client *loop.Client, of *loop.Webhook) webhook.View {
	return webhook.ViewOf(client.ID, of, h.site.World.Now()).WithSecret(h.webhookSecrets.Of(of.ID, of.Secret))
}

// queued is the answer to what sends something.
type queued struct {
	Delivery loop.DeliveryID `json:"delivery_id"`
	Client   loop.ClientID   `json:"client_id"`
	Status   webhook.Status  `json:"status"`
}

// testWebhook answers POST /v1/connect/webhooks/{id}/test.
func (h *Host) testWebhook(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	delivery, err := h.webhooks.TestWebhook(r.Context(), client.ID, hookOf(r), byOwner(client))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusAccepted, queued{delivery, client.ID, webhook.Pending})
}

// Deliveries on a page.
const (
	deliveriesPage      = 100
	deliveriesPageMost  = 500
	maxDeliveriesCursor = 20 // digits
)

// listDeliveries answers GET /v1/connect/webhooks/{id}/deliveries, newest first.
func (h *Host) listDeliveries(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	query, err := deliveryQuery(r)
	if err != nil {
		return err
	}
	found, err := h.deliveries.List(r.Context(), client, hookOf(r), query)
	if err != nil {
		return err
	}
	page := struct {
		Data []webhook.DeliveryView `json:"data"`
		Next *string                `json:"next_cursor"`
	}{Data: make([]webhook.DeliveryView, len(found))}
	for i, d := range found {
		page.Data[i] = d.View()
	}
	if len(found) == query.AtMost {
		next := strconv.FormatInt(found[len(found)-1].Number, 10)
		page.Next = &next
	}
	return web.WriteJSON(w, http.StatusOK, page)
}

func deliveryQuery(r *http.Request) (webhook.Query, error) {
	asked := r.URL.Query()
	query := webhook.Query{Status: webhook.Status(asked.Get("status")), AtMost: deliveriesPage}
	if query.Status != "" && !query.Status.Valid() {
		return query, loop.Errorf(loop.ValidationError, "The status is pending, delivered, dead or withdrawn.").About("status")
	}
	if text := asked.Get("limit"); text != "" {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > deliveriesPageMost {
			return query, loop.Errorf(loop.ValidationError, "The limit is a number from 1 to %d.", deliveriesPageMost).About("limit")
		}
		query.AtMost = number
	}
	if text := asked.Get("cursor"); text != "" {
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil || number < 1 || len(text) > maxDeliveriesCursor {
			return query, loop.Errorf(loop.ValidationError, "The cursor is not one that a page gave.").About("cursor")
		}
		query.Before = number
	}
	return query, nil
}

// replay answers POST /v1/connect/webhooks/{id}/replay: of a delivery, that one is sent
// again; of a webhook, all of a status and time.
func (h *Host) replay(w http.ResponseWriter, r *http.Request, client *loop.Client) error {
	if hook := hookOf(r); hook.Valid() {
		return h.replayMany(w, r, client, hook)
	}
	replayed, err := h.deliveries.Replay(r.Context(), client, loop.DeliveryID(r.PathValue("id")), byOwner(client))
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusAccepted, queued{replayed.ID, client.ID, replayed.Status})
}

func (h *Host) replayMany(w http.ResponseWriter, r *http.Request, client *loop.Client, hook loop.WebhookID) error {
	var sent struct {
		Status webhook.Status `json:"status"`
		Since  time.Time      `json:"since"`
		Until  time.Time      `json:"until"`
	}
	if err := readSent(w, r, &sent); err != nil {
		return err
	}
	if !sent.Status.Valid() || sent.Status == webhook.Pending {
		return loop.Errorf(loop.ValidationError, "Say which are sent again: those with the status dead, delivered or withdrawn.").About("status")
	}
	replayed, err := h.deliveries.ReplayAll(r.Context(), client, hook, webhook.Query{Status: sent.Status, Since: sent.Since, Until: sent.Until}, byOwner(client))
	if err != nil {
		return err
	}
	answers := make([]queued, len(replayed))
	for i, d := range replayed {
		answers[i] = queued{d.ID, client.ID, d.Status}
	}
	return web.WriteJSON(w, http.StatusAccepted, map[string]any{"data": answers})
}

// firstFault is the first of the faults of a form, which one answer names.
func firstFault(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
		return joined.Unwrap()[0]
	}
	return err
}
