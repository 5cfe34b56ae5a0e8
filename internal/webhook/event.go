package webhook

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Event is something that happened, as an app is sent it: the body of a request.
type Event struct {
	ID         loop.EventID    `json:"id"`
	Type       loop.EventType  `json:"type"`
	Member     loop.MemberID   `json:"user_id"` // empty: of a test
	Client     loop.ClientID   `json:"client_id"`
	OccurredAt time.Time       `json:"occurred_at"`
	Data       json.RawMessage `json:"data"` // ids, and no health values

	// Grant is under which the app is sent it; empty: of a test.
	Grant loop.GrantID `json:"-"`
}

// Kind is the kind of the messages.
const Kind outbox.Kind = "webhook"

// Composer makes messages of events. Whoever reads an outbox could learn from them whose
// results are critical, so they are sealed while they wait and as long as they are kept.
// A nil one makes none.
type Composer struct {
	World  loop.World
	Sealer credential.Sealer
}

// stored is what a message says: the body as every attempt sends it, byte by byte.
type stored struct {
	Grant loop.GrantID    `json:"grant,omitempty"`
	Body  json.RawMessage `json:"body"`
}

// Messages gives a message for each of the client's webhooks that takes the event.
func (c *Composer) Messages(client *loop.Client, event Event) []outbox.Message {
	var messages []outbox.Message
	for i := range client.Webhooks {
		if client.Webhooks[i].Takes(event.Type) {
			messages = append(messages, c.message(client, &client.Webhooks[i], event))
		}
	}
	return messages
}

// message is the event on its way to one webhook. Events of a member follow each other.
func (c *Composer) message(client *loop.Client, to *loop.Webhook, event Event) outbox.Message {
	event.Client, event.OccurredAt = client.ID, event.OccurredAt.UTC()
	body, _ := json.Marshal(event) // texts, a time and what was encoded before: it can't fail
	return outbox.Message{
		ID: string(loop.NewDeliveryID(event.ID, to.ID)), Kind: Kind, Destination: string(to.ID), OrderKey: string(to.ID) + "/" + string(event.Member),
		Payload: c.seal(stored{event.Grant, body}), DueAt: event.OccurredAt,
	}
}

// Test gives the message of a test event for one webhook, which works or not.
func (c *Composer) Test(client *loop.Client, to *loop.Webhook) outbox.Message {
	return c.message(client, to, Event{ID: loop.NewEventID(c.World), Type: loop.TestEvent, OccurredAt: c.World.Now(), Data: encode(map[string]loop.WebhookID{"webhook_id": to.ID})})
}

// read gives the event of a message, and the body that is sent.
func (c *Composer) read(payload []byte) (event Event, body []byte, err error) {
	var s stored
	if err := c.open(payload, &s); err != nil {
		return Event{}, nil, err
	}
	if err := json.Unmarshal(s.Body, &event); err != nil {
		return Event{}, nil, fmt.Errorf("reading an event: %w", err)
	}
	event.Grant = s.Grant
	return event, s.Body, nil
}

func (c *Composer) seal(says any) []byte { return []byte(c.Sealer.Seal(encode(says))) }

func (c *Composer) open(payload []byte, into any) error {
	plain, err := c.Sealer.Open(string(payload))
	if err == nil {
		err = json.Unmarshal(plain, into)
	}
	if err != nil {
		return fmt.Errorf("opening a message: %w", err)
	}
	return nil
}

// encode encodes the data of an event.
func encode(data any) json.RawMessage {
	text, _ := json.Marshal(data) // ids, scopes and times: it can't fail
	return text
}
