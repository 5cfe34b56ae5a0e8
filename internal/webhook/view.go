package webhook

import (
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// View is a webhook as a command and the API give it.
type View struct {
	ID        loop.WebhookID   `json:"id"`
	Client    loop.ClientID    `json:"client_id"`
	URL       string           `json:"url"`
	Events    []loop.EventType `json:"events"`
	Enabled   bool             `json:"enabled"`
	Disabled  string           `json:"disabled_reason,omitempty"`
	Secret    string           `json:"secret,omitempty"` // shown once, when it is made
	OldSecret *time.Time       `json:"previous_secret_expires_at,omitempty"`
	CreatedAt time.Time        `json:"created_at"`
	UpdatedAt time.Time        `json:"updated_at"`
}

// ViewOf is a client's webhook at a moment, without its secret.
func ViewOf(client loop.ClientID, h *loop.Webhook, now time.Time) View {
	v := View{
		ID: h.ID, Client: client, URL: h.URL, Events: h.Events, Enabled: h.Disabled == "", Disabled: h.Disabled,
		CreatedAt: h.CreatedAt.UTC().Truncate(time.Second), UpdatedAt: h.UpdatedAt.UTC().Truncate(time.Second),
	}
	if len(h.LiveSecrets(now)) > 1 {
		until := h.RotatedAt.Add(loop.SecretOverlap).UTC().Truncate(time.Second)
		v.OldSecret = &until
	}
	return v
}

// WithSecret shows the secret with it.
func (v View) WithSecret(secret credential.Secret) View {
	v.Secret = secret.Reveal()
	return v
}

// DeliveryView is a delivery as a command and the API give it.
type DeliveryView struct {
	ID        loop.DeliveryID `json:"delivery_id"`
	Webhook   loop.WebhookID  `json:"webhook_id"`
	Client    loop.ClientID   `json:"client_id"`
	Event     loop.EventID    `json:"event_id"`
	Type      loop.EventType  `json:"event_type"`
	Member    loop.MemberID   `json:"user_id"`
	At        time.Time       `json:"occurred_at"`
	Status    Status          `json:"status"`
	Attempts  int             `json:"attempts"`
	Failure   string          `json:"last_failure,omitempty"`
	NextAt    *time.Time      `json:"next_attempt_at,omitempty"`
	SettledAt *time.Time      `json:"settled_at,omitempty"`
}

// View is the delivery as a command and the API give it.
func (d Delivery) View() DeliveryView {
	return DeliveryView{
		ID: d.ID, Webhook: d.Webhook, Client: d.Event.Client, Event: d.Event.ID, Type: d.Event.Type, Member: d.Event.Member, At: d.Event.OccurredAt,
		Status: d.Status, Attempts: d.Attempts, Failure: d.Failure, NextAt: moment(d.NextAt), SettledAt: moment(d.SettledAt),
	}
}

// moment is a time to the second; nil where there is none.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}
