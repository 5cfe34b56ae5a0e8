package webhook

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// DeliveryStore keeps deliveries, those on their way and for 30 days those that are over.
type DeliveryStore interface {
	// WebhookDelivery reads a delivery; loop.ErrNotFound where there is none.
	WebhookDelivery(ctx context.Context, id loop.DeliveryID) (outbox.Delivery, error)
	// WebhookDeliveries lists deliveries to a webhook, newest first.
	WebhookDeliveries(ctx context.Context, of Listing) ([]outbox.Delivery, error)
	// ResendWebhook has a delivery attempted again from the beginning, with the record.
	// Conflict where an attempt is being made.
	ResendWebhook(ctx context.Context, id loop.DeliveryID, at time.Time, rec audit.Record) error
}

// Listing says which deliveries are listed.
type Listing struct {
	Webhook loop.WebhookID
	Outcome outbox.Outcome // empty: any
	Waiting bool           // only those on their way
	Before  int64          // by number
	AtMost  int
}

// Status is how far a delivery has come, as developers know it.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	Delivered Status = "delivered"
	Dead      Status = "dead"      // after its last attempt
	Withdrawn Status = "withdrawn" // the app may not have it any more
)

var outcomes = map[Status]outbox.Outcome{Delivered: outbox.Delivered, Dead: outbox.GivenUp, Withdrawn: outbox.Obsolete}

// Valid reports whether it is one of the statuses.
func (s Status) Valid() bool { return s == Pending || outcomes[s] != "" }

func statusOf(outcome outbox.Outcome) Status {
	for status, known := range outcomes {
		if known == outcome {
			return status
		}
	}
	return Pending
}

// Delivery is an event on its way to a webhook, or what became of it.
type Delivery struct {
	ID        loop.DeliveryID
	Webhook   loop.WebhookID
	Event     Event
	Status    Status
	Attempts  int
	Failure   string    // of the newest attempt; empty: it worked, or there was none
	NextAt    time.Time // when it is attempted next; zero: it is over
	SettledAt time.Time // zero: it is on its way
	Number    int64     // in the order in which deliveries were written
}

// Deliveries is what a developer sees of their app's deliveries, and does with them.
type Deliveries struct {
	Store  DeliveryStore
	Events *Composer
}

// Query says which deliveries are asked for.
type Query struct {
	Status Status // empty: any
	Before int64  // by number; 0: from the newest
	AtMost int

	Since, Until time.Time // when the event occurred, of those that are replayed; zero: whenever
}

// List gives deliveries to a webhook of a client, newest first.
func (d *Deliveries) List(ctx context.Context, client *loop.Client, id loop.WebhookID, query Query) ([]Delivery, error) {
	if client.Webhook(id) == nil {
		return nil, errNoWebhook
	}
	of := Listing{Webhook: id, Outcome: outcomes[query.Status], Waiting: query.Status == Pending, Before: query.Before, AtMost: query.AtMost}
	if of.Before == 0 {
		of.Before = math.MaxInt64
	}
	stored, err := d.Store.WebhookDeliveries(ctx, of)
	all := make([]Delivery, len(stored))
	for i := range stored {
		all[i] = d.shown(stored[i])
	}
	return all, err
}

// Show gives a delivery of a client; NotFound where it has none of this id.
func (d *Deliveries) Show(ctx context.Context, client *loop.Client, id loop.DeliveryID) (Delivery, error) {
	stored, err := d.Store.WebhookDelivery(ctx, id)
	if errors.Is(err, loop.ErrNotFound) || err == nil && client.Webhook(loop.WebhookID(stored.Destination)) == nil {
		return Delivery{}, errNoDelivery
	}
	return d.shown(stored), err
}

// Replay has a delivery of a client attempted at once, whatever became of it, and again
// as often as a new one; its event keeps its id. Whether the app may have it is judged
// as at every attempt.
func (d *Deliveries) Replay(ctx context.Context, client *loop.Client, id loop.DeliveryID, by audit.Actor) (Delivery, error) {
	delivery, err := d.Show(ctx, client, id)
	if err != nil {
		return Delivery{}, err
	}
	now := d.Events.World.Now()
	rec := audit.NewRecord(ctx, now, audit.WebhookReplayed, by)
	rec.Client, rec.Detail = client.ID, audit.Detail{"delivery": string(id), "webhook": string(delivery.Webhook)}
	if err := d.Store.ResendWebhook(ctx, id, now, rec); err != nil {
		return Delivery{}, err
	}
	delivery.Status, delivery.Attempts, delivery.NextAt, delivery.SettledAt = Pending, 0, now, time.Time{}
	return delivery, nil
}

// Many deliveries are replayed in batches.
const (
	replayPage = 200
	replayMost = 1000
)

// ReplayAll replays the deliveries that a query describes, the oldest first, up to 1,000:
// whoever has more asks again.
func (d *Deliveries) ReplayAll(ctx context.Context, client *loop.Client, id loop.WebhookID, query Query, by audit.Actor) ([]Delivery, error) {
	var chosen []Delivery
	query.AtMost = replayPage
	for len(chosen) < replayMost {
		page, err := d.List(ctx, client, id, query)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for _, one := range page {
			if at := one.Event.OccurredAt; !at.Before(query.Since) && (query.Until.IsZero() || at.Before(query.Until)) {
				chosen = append(chosen, one)
			}
		}
		query.Before = page[len(page)-1].Number
	}
	replayed := make([]Delivery, 0, len(chosen))
	for _, one := range slices.Backward(chosen[:min(len(chosen), replayMost)]) {
		again, err := d.Replay(ctx, client, one.ID, by)
		if err != nil {
			return nil, err
		}
		replayed = append(replayed, again)
	}
	return replayed, nil
}

var (
	errNoWebhook  = loop.Errorf(loop.NotFound, "The app has no webhook with this id.")
	errNoDelivery = loop.Errorf(loop.NotFound, "The app has no delivery with this id. A delivery is kept for 30 days.")
)

func (d *Deliveries) shown(stored outbox.Delivery) Delivery {
	event, _, _ := d.Events.read(stored.Payload) // what can't be read is shown without
	one := Delivery{
		ID: loop.DeliveryID(stored.ID), Webhook: loop.WebhookID(stored.Destination), Event: event, Status: statusOf(stored.Outcome),
		Attempts: stored.Attempts, Failure: stored.Failure, SettledAt: stored.SettledAt, Number: stored.Number,
	}
	if one.Status == Pending {
		one.NextAt = stored.DueAt
	}
	return one
}
