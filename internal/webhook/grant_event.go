package webhook

import (
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// grantData is what an event says of a consent.
type grantData struct {
	ID     loop.GrantID `json:"grant_id"`
	Scopes []loop.Scope `json:"scopes"`
	EndsAt *time.Time   `json:"expires_at"` // that the member chose
	Reason string       `json:"reason,omitempty"`
}

// OfGrant gives the messages that an app is sent when a member's consent to it becomes
// what it is after: given (before is nil), changed in what it allows, or ended.
func (c *Composer) OfGrant(client *loop.Client, before, after *loop.Grant) []outbox.Message {
	what := grantEvent(before, after)
	if c == nil || what == "" || len(client.Webhooks) == 0 {
		return nil
	}
	data := grantData{ID: after.ID, Scopes: append([]loop.Scope{}, after.Scopes...), Reason: after.Reason}
	if what == loop.GrantRevokedEvent {
		data.Scopes = []loop.Scope{} // none is left
	}
	if !after.EndsAt.IsZero() {
		end := after.EndsAt.UTC()
		data.EndsAt = &end
	}
	return c.Messages(client, Event{
		ID: loop.NewEventID(c.World), Type: what, Member: after.Member, OccurredAt: c.World.Now(), Data: encode(data), Grant: after.ID,
	})
}

// grantEvent names what happened to a grant; empty where its app need not know.
func grantEvent(before, after *loop.Grant) loop.EventType {
	switch {
	case before == nil || before.ID != after.ID:
		return loop.GrantCreatedEvent
	case before.RevokedAt.IsZero() && !after.RevokedAt.IsZero():
		return loop.GrantRevokedEvent
	case !slices.Equal(before.Scopes, after.Scopes) || !before.EndsAt.Equal(after.EndsAt):
		return loop.GrantUpdatedEvent
	}
	return ""
}

// OfErasure gives the messages that an app is sent when a member who allowed it is
// erased.
func (c *Composer) OfErasure(client *loop.Client, grant *loop.Grant) []outbox.Message {
	return c.Messages(client, Event{
		ID: loop.NewEventID(c.World), Type: loop.UserDeletedEvent, Member: grant.Member, OccurredAt: c.World.Now(),
		Data: encode(map[string]loop.GrantID{"grant_id": grant.ID}), Grant: grant.ID,
	})
}
