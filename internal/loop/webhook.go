package loop

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"
)

type (
	// WebhookID names an address that an app has events sent to: whk_01HXY….
	WebhookID string
	// EventID names something that happened, in everything that says so: evt_01HXY….
	EventID string
	// DeliveryID names one event on its way to one webhook: del_01HXY….
	DeliveryID string
)

// NewWebhookID makes an identifier for a new webhook.
func NewWebhookID(w World) WebhookID { return WebhookID(newID(w, "whk")) }

// NewEventID makes an identifier for what has just happened.
func NewEventID(w World) EventID { return EventID(newID(w, "evt")) }

// NewDeliveryID is the identifier of an event's delivery to a webhook: always the same,
// so that what is written twice is one row. Its time is the event's.
func NewDeliveryID(event EventID, to WebhookID) DeliveryID {
	sum := sha256.Sum256([]byte(string(event) + "/" + string(to)))
	own := appendULID(nil, [16]byte(sum[:16]))
	at := strings.TrimPrefix(string(event), "evt_")[:ulidTimeLength]
	return DeliveryID("del_" + at + string(own[ulidTimeLength:]))
}

// Valid reports whether the text has the form of a webhook's identifier.
func (id WebhookID) Valid() bool { return validID(string(id), "whk") }

// Valid reports whether the text has the form of an event's identifier.
func (id EventID) Valid() bool { return validID(string(id), "evt") }

// Valid reports whether the text has the form of a delivery's identifier.
func (id DeliveryID) Valid() bool { return validID(string(id), "del") }

// EventType is what happened: <service>.<thing>.<verb>.v1.
type EventType string

// The events that webhooks can be sent.
const (
	GrantCreatedEvent   EventType = "identity.grant.created.v1"
	GrantUpdatedEvent   EventType = "identity.grant.updated.v1"
	GrantRevokedEvent   EventType = "identity.grant.revoked.v1"
	UserDeletedEvent    EventType = "identity.user.deleted.v1"
	ResultsParsedEvent  EventType = "clinical.biomarker.parsed.v1"
	ResultCriticalEvent EventType = "clinical.lab_result.critical.v1"

	// TestEvent is sent at a developer's request, to one webhook, whatever it takes.
	TestEvent EventType = "identity.webhook.test.v1"
)

// EventInfo is a row of the registry of events.
type EventInfo struct {
	Type EventType
	// Scope is what a grant must have for its app to be sent the event; empty: any
	// grant will do.
	Scope Scope
	// Ends says that the app's access has ended: it is sent after that, too.
	Ends bool
}

var eventRegistry = []EventInfo{
	{Type: GrantCreatedEvent},
	{Type: GrantUpdatedEvent},
	{Type: GrantRevokedEvent, Ends: true},
	{Type: UserDeletedEvent, Ends: true},
	{Type: ResultsParsedEvent, Scope: ScopeReadBiomarkers},
	{Type: ResultCriticalEvent, Scope: ScopeReadBiomarkers},
}

// EventRegistry lists every event that a webhook can be sent.
func EventRegistry() []EventInfo { return slices.Clone(eventRegistry) }

// Info finds the registry's row for the type.
func (t EventType) Info() (EventInfo, bool) {
	at := slices.IndexFunc(eventRegistry, func(row EventInfo) bool { return row.Type == t })
	if at < 0 {
		return EventInfo{}, false
	}
	return eventRegistry[at], true
}

// Webhook is an address that an app has events sent to.
type Webhook struct {
	ID     WebhookID   `json:"id"`
	URL    string      `json:"url"`
	Events []EventType `json:"events"`
	// Secret is which of its signing secrets is the newest, counted from 1: the secret
	// itself is derived from the key ring, and nowhere stored.
	Secret    int       `json:"secret"`
	RotatedAt time.Time `json:"rotated_at,omitzero"` // when the newest took over from the one before; zero: there was none
	// Disabled says why nothing is sent; empty: it is sent.
	Disabled  string    `json:"disabled,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// MaxWebhooks is how many webhooks an app can have.
const MaxWebhooks = 10

// Takes reports whether the webhook is sent events of the type.
func (h *Webhook) Takes(t EventType) bool {
	return h.Disabled == "" && (t == TestEvent || slices.Contains(h.Events, t))
}

// SetEnabled has events sent to the webhook, or says why none are. One that is disabled
// already keeps its reason.
func (h *Webhook) SetEnabled(enabled bool, why string) {
	switch {
	case enabled:
		h.Disabled = ""
	case h.Disabled == "":
		h.Disabled = why
	}
}

// LiveSecrets are the signing secrets that are good at a moment, the newest first: after
// a rotation the one before works for SecretOverlap more.
func (h *Webhook) LiveSecrets(now time.Time) []int {
	if h.Secret > 1 && now.Before(h.RotatedAt.Add(SecretOverlap)) {
		return []int{h.Secret, h.Secret - 1}
	}
	return []int{h.Secret}
}

// Webhook finds one of the client's webhooks; nil where it has none of this id.
func (c *Client) Webhook(id WebhookID) *Webhook {
	at := slices.IndexFunc(c.Webhooks, func(h Webhook) bool { return h.ID == id })
	if at < 0 {
		return nil
	}
	return &c.Webhooks[at]
}

// validateWebhooks checks all but the addresses, which registration does.
func (c *Client) validateWebhooks() (faults []error) {
	if len(c.Webhooks) > MaxWebhooks {
		faults = append(faults, Errorf(ValidationError, "An app has at most %d webhooks. Delete one first.", MaxWebhooks).About("url"))
	}
	for _, h := range c.Webhooks {
		if len(h.Events) == 0 {
			faults = append(faults, Errorf(ValidationError, "Choose at least one event: %s.", eventNames()).About("events"))
		}
		for i, t := range h.Events {
			if _, known := t.Info(); !known {
				faults = append(faults, Errorf(ValidationError, "%q is not an event. Choose from %s.", t, eventNames()).About("events"))
			} else if slices.Contains(h.Events[:i], t) {
				faults = append(faults, Errorf(ValidationError, "The event %s is there twice.", t).About("events"))
			}
		}
	}
	return faults
}

func eventNames() string {
	names := make([]string, len(eventRegistry))
	for i, row := range eventRegistry {
		names[i] = string(row.Type)
	}
	return strings.Join(names, ", ")
}

func cloneWebhooks(hooks []Webhook) []Webhook {
	hooks = slices.Clone(hooks)
	for i := range hooks {
		hooks[i].Events = slices.Clone(hooks[i].Events)
	}
	return hooks
}
