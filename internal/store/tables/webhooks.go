package tables

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/webhook"
)

// The kind is written out, since the indexes of webhooks hold that kind alone.
const (
	selectWebhookDelivery = `SELECT ` + DeliveryColumns + ` FROM deliveries WHERE kind = 'webhook' AND id = $1`
	// selectWebhookDeliveries gives those of a webhook behind a number, newest first. An
	// empty outcome ($3) is any, with those that are on their way.
	selectWebhookDeliveries = `SELECT ` + DeliveryColumns + ` FROM deliveries
		WHERE kind = 'webhook' AND destination = $1 AND number < $2 AND ($3 = '' OR outcome = $3) AND ($4 = 0 OR settled_at = 0) ORDER BY number DESC LIMIT $5`
	selectWebhookFailingSince = `SELECT coalesce(min(failing_since), 0) FROM deliveries WHERE kind = 'webhook' AND destination = $1 AND failing_since > 0
		AND failing_since > (SELECT coalesce(max(settled_at), 0) FROM deliveries WHERE kind = 'webhook' AND destination = $1 AND outcome = 'delivered')`
	// resendWebhookDelivery has all that lies behind a delivery forgotten. One that is
	// being attempted stays as it is.
	resendWebhookDelivery = `UPDATE deliveries SET attempts = 0, due_at = $1, settled_at = 0, outcome = '', failing_since = 0
		WHERE kind = 'webhook' AND id = $2 AND claimed_until <= $1`
)

// WebhookDelivery reads a delivery (webhook.DeliveryStore).
func (s Identity) WebhookDelivery(ctx context.Context, id loop.DeliveryID) (outbox.Delivery, error) {
	d, err := ScanDelivery(s.db.Row(ctx, selectWebhookDelivery, string(id)))
	return d, store.Found(err)
}

// WebhookDeliveries lists deliveries to a webhook, newest first (webhook.DeliveryStore).
func (s Identity) WebhookDeliveries(ctx context.Context, of webhook.Listing) ([]outbox.Delivery, error) {
	waiting := 0
	if of.Waiting {
		waiting = 1
	}
	return list(ctx, s.db, ScanDelivery, selectWebhookDeliveries, string(of.Webhook), of.Before, string(of.Outcome), waiting, of.AtMost)
}

// WebhookFailingSince is when the first attempt at a webhook failed after which none has
// worked (webhook.Health).
func (s Identity) WebhookFailingSince(ctx context.Context, id loop.WebhookID) (since time.Time, err error) {
	err = s.db.Row(ctx, selectWebhookFailingSince, string(id)).Scan(moment(&since))
	return since, store.Found(err)
}

// ResendWebhook has a delivery attempted again from the beginning, with the record
// (webhook.DeliveryStore).
func (s Identity) ResendWebhook(ctx context.Context, id loop.DeliveryID, at time.Time, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(errUnderWay, resendWebhookDelivery, store.Micro(at), string(id))
		return tx.Record(rec)
	})
}

var errUnderWay = loop.Errorf(loop.Conflict, "The delivery is being attempted at this moment. Look what becomes of it.").Because(errors.New("it is claimed"))
