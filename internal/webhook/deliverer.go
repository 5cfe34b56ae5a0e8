package webhook

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Poster sends documents to the outside.
type Poster interface {
	// PostWith sends a body with header fields and gives the status of the answer. An
	// error says to who registered the address why there is none.
	PostWith(ctx context.Context, url string, header http.Header, body []byte) (status int, err error)
}

// Disabler ends a webhook that does not work.
type Disabler interface {
	// DisableWebhook has nothing sent to a webhook any more, and writes to the app's
	// developer why. One that is disabled already stays as it is.
	DisableWebhook(ctx context.Context, client loop.ClientID, id loop.WebhookID, why string) error
}

// Health says since when a webhook does not work.
type Health interface {
	// WebhookFailingSince is when the first attempt at a webhook failed after which none
	// has worked; zero: there is none.
	WebhookFailingSince(ctx context.Context, id loop.WebhookID) (time.Time, error)
}

// Deliverer sends events to webhooks (outbox.Deliverer).
type Deliverer struct {
	Store    Store
	Health   Health
	Outgoing Poster
	Disabler Disabler
	Secrets  Secrets
	Events   *Composer
	World    loop.World

	underWay underWay
}

// Revoked cuts off what is being sent under what was revoked. It MUST be called before a
// revocation is answered, in every process.
func (d *Deliverer) Revoked(revocation loop.Revocation) { d.underWay.revoked(revocation) }

// Kind is the kind of events (outbox.Deliverer).
func (*Deliverer) Kind() outbox.Kind { return Kind }

// How events are sent again.
const (
	firstRetry  = time.Minute
	longestWait = 8 * time.Hour
	retriedFor  = 3 * 24 * time.Hour
	// failingAtMost is how long a webhook may fail until it is disabled.
	failingAtMost = 5 * 24 * time.Hour
)

// Policy is how events are sent (outbox.Deliverer): again and again for three days, a
// few at a time to one webhook.
func (*Deliverer) Policy() outbox.Policy {
	return outbox.Policy{Retries: retries(), Timeout: 30 * time.Second, AtOnce: 256, PerDestination: 4, Keeps: true}
}

// retries are the waits: twice as long each time, and three days in all.
func retries() []time.Duration {
	var waits []time.Duration
	for wait, left := firstRetry, retriedFor; left > 0; wait = min(2*wait, longestWait) {
		waits = append(waits, min(wait, left))
		left -= wait
	}
	return waits
}

// Deliver makes one attempt (outbox.Deliverer). One that a revocation cuts off is
// decided on anew.
func (d *Deliverer) Deliver(ctx context.Context, delivery outbox.Delivery) error {
	event, body, err := d.Events.read(delivery.Payload)
	if err != nil {
		return errors.Join(outbox.ErrHopeless, err)
	}
	for {
		if err = d.attempt(ctx, event, body, delivery); !errors.Is(err, errCut) {
			return err
		}
	}
}

func (d *Deliverer) attempt(ctx context.Context, event Event, body []byte, delivery outbox.Delivery) error {
	sending, end := d.underWay.begin(ctx, event)
	defer end()
	to, err := allowed(sending, d.Store, d.World.Now(), event, loop.WebhookID(delivery.Destination))
	var failed error
	if err == nil {
		failed = d.post(sending, to.URL, d.Secrets.sign(to, event, body, delivery.Attempts+1, d.World.Now()), body)
	}
	switch {
	case errors.Is(context.Cause(sending), errCut):
		return errCut
	case err != nil || failed == nil:
		return err
	case errors.Is(failed, errGone):
		return errors.Join(outbox.ErrHopeless, failed, d.disable(ctx, event, to, "It answered 410: it is gone."))
	}
	return errors.Join(failed, d.disableWhereFailing(ctx, event, to))
}

// errGone: the webhook says that it is not there any more.
var errGone = loop.Errorf(loop.TemporarilyUnavailable, "The webhook answered 410: it is gone.")

func (d *Deliverer) post(ctx context.Context, url string, header http.Header, body []byte) error {
	status, err := d.Outgoing.PostWith(ctx, url, header, body)
	switch {
	case err != nil:
		return err
	case status == http.StatusGone:
		return errGone
	case status < 200 || status > 299:
		return loop.Errorf(loop.TemporarilyUnavailable, "The webhook answered with status %d instead of 2xx.", status)
	}
	return nil
}

// disableWhereFailing disables a webhook at which nothing has worked for too long.
func (d *Deliverer) disableWhereFailing(ctx context.Context, event Event, to *loop.Webhook) error {
	since, err := d.Health.WebhookFailingSince(ctx, to.ID)
	if err != nil || since.IsZero() {
		return err
	}
	if since.Before(to.UpdatedAt) { // whoever changes it has mended it, perhaps
		since = to.UpdatedAt
	}
	if d.World.Now().Before(since.Add(failingAtMost)) {
		return nil
	}
	return d.disable(ctx, event, to, "Nothing that was sent to it for 5 days was answered with 2xx.")
}

func (d *Deliverer) disable(ctx context.Context, event Event, to *loop.Webhook, why string) error {
	if event.Type == loop.TestEvent {
		return nil // its developer is looking
	}
	return d.Disabler.DisableWebhook(ctx, event.Client, to.ID, why)
}

// Records is one record of an event that was not delivered (outbox.Deliverer). That one
// was says nothing that the record of its act does not.
func (d *Deliverer) Records(delivery outbox.Delivery) []audit.Record {
	if delivery.Outcome == outbox.Delivered {
		return nil
	}
	event, _, _ := d.Events.read(delivery.Payload) // what can't be read was given up, and is recorded without names
	return []audit.Record{{
		At: d.World.Now(), Event: audit.WebhookUndelivered, Actor: audit.Actor{Kind: audit.BySystem}, Client: event.Client, Member: event.Member, Grant: event.Grant,
		Detail: audit.Detail{"delivery": delivery.ID, "webhook": delivery.Destination, "event": string(event.ID), "outcome": string(delivery.Outcome), "attempts": strconv.Itoa(delivery.Attempts)},
	}}
}
