package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// News is something that happened to a member's data, before it is known which apps may
// hear of it: rooms that know no apps put it into an outbox of their own.
type News struct {
	ID         loop.EventID    `json:"id"`
	Type       loop.EventType  `json:"type"`
	Member     loop.MemberID   `json:"member"`
	OccurredAt time.Time       `json:"occurred_at"`
	Data       json.RawMessage `json:"data"` // ids, and no health values
}

// NewsKind is the kind of the messages that bring news to who knows the apps.
const NewsKind outbox.Kind = "news"

// News gives the message of news, for the change that it is about.
func (c *Composer) News(what loop.EventType, member loop.MemberID, data any) outbox.Message {
	news := News{ID: loop.NewEventID(c.World), Type: what, Member: member, OccurredAt: c.World.Now(), Data: encode(data)}
	return outbox.Message{ID: string(news.ID), Kind: NewsKind, Destination: "identity", OrderKey: string(member), Payload: c.seal(news), DueAt: news.OccurredAt}
}

// Taker takes in news; what it took before changes nothing.
type Taker interface {
	// TakeNews has the apps that may hear of something be sent it.
	TakeNews(ctx context.Context, news News) error
}

// Forwarder brings news to who knows the apps (outbox.Deliverer).
type Forwarder struct {
	Taker  Taker
	Events *Composer
}

// Kind is the kind of news (outbox.Deliverer).
func (*Forwarder) Kind() outbox.Kind { return NewsKind }

// Policy is how news is forwarded (outbox.Deliverer): for five days, which a platform's
// own part is not away.
func (*Forwarder) Policy() outbox.Policy {
	retries := []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, 30 * time.Minute}
	for range 5 * 24 {
		retries = append(retries, time.Hour)
	}
	return outbox.Policy{Retries: retries, Timeout: 30 * time.Second, AtOnce: 16, PerDestination: 16}
}

// Deliver forwards news (outbox.Deliverer).
func (f *Forwarder) Deliver(ctx context.Context, delivery outbox.Delivery) error {
	var news News
	if err := f.Events.open(delivery.Payload, &news); err != nil {
		return errors.Join(outbox.ErrHopeless, err)
	}
	return f.Taker.TakeNews(ctx, news)
}

// Records is one record of news that nobody heard (outbox.Deliverer).
func (f *Forwarder) Records(delivery outbox.Delivery) []audit.Record {
	if delivery.Outcome == outbox.Delivered {
		return nil
	}
	var news News
	_ = f.Events.open(delivery.Payload, &news) // what can't be read was given up, and is recorded without names
	return []audit.Record{{
		At: f.Events.World.Now(), Event: audit.WebhookUndelivered, Actor: audit.Actor{Kind: audit.BySystem}, Member: news.Member,
		Detail: audit.Detail{"event": delivery.ID, "outcome": string(delivery.Outcome)},
	}}
}

// NewsStore is what decides who hears of news, and where it waits for them.
type NewsStore interface {
	Store
	// Grants lists the grants of a member, the revoked ones too.
	Grants(ctx context.Context, member loop.MemberID) ([]*loop.Grant, error)
	// AddMessages writes messages; those whose ids are there already, not again.
	AddMessages(ctx context.Context, messages []outbox.Message) error
}

// Desk has apps be sent the news that they may hear (Taker).
type Desk struct {
	Store  NewsStore
	Events *Composer
}

// TakeNews writes a message for each webhook that takes the news, of each app that the
// member allows the scope which it needs.
func (d *Desk) TakeNews(ctx context.Context, news News) error {
	info, known := news.Type.Info()
	if !known || !news.ID.Valid() {
		return fmt.Errorf("%q is no event", news.Type)
	}
	grants, err := d.Store.Grants(ctx, news.Member)
	if err != nil {
		return err
	}
	var messages []outbox.Message
	for _, grant := range grants {
		if !grant.Live(d.Events.World.Now()) || info.Scope != "" && !slices.Contains(grant.Scopes, info.Scope) {
			continue
		}
		client, err := d.Store.Client(ctx, grant.Client)
		if errors.Is(err, loop.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		messages = append(messages, d.Events.Messages(client, Event{ID: news.ID, Type: news.Type, Member: news.Member, OccurredAt: news.OccurredAt, Data: news.Data, Grant: grant.ID})...)
	}
	if len(messages) == 0 {
		return nil
	}
	return d.Store.AddMessages(ctx, messages)
}
