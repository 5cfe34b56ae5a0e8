package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Store is what decides whether an app may have an event.
type Store interface {
	// Client reads a client; loop.ErrNotFound where there is none. All callers share it,
	// and none may alter it.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
	// Member reads a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
	// LiveGrant reads the grant of a member to a client that is not revoked, whether its
	// end has come or not; nil where there is none.
	LiveGrant(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error)
}

// withdrawn is the error of an event that is not sent any more, and says why.
func withdrawn(why string) error {
	return errors.Join(outbox.ErrObsolete, loop.Errorf(loop.Forbidden, "%s", why))
}

// allowed gives the webhook that an event goes to, if its app may have it as things are
// now: app, consent, scope and mode. Else the event is withdrawn.
func allowed(ctx context.Context, store Store, now time.Time, event Event, id loop.WebhookID) (*loop.Webhook, error) {
	client, err := store.Client(ctx, event.Client)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return nil, err
	}
	if client == nil || client.Webhook(id) == nil {
		return nil, withdrawn("The webhook was deleted.")
	}
	to := client.Webhook(id)
	if to.Disabled != "" && event.Type != loop.TestEvent {
		return nil, errors.Join(outbox.ErrHopeless, loop.Errorf(loop.Forbidden, "The webhook is disabled. Enable it, then have this sent again."))
	}
	if client.Standing() != loop.Works {
		return nil, withdrawn("The app is disabled.")
	}
	info, known := event.Type.Info()
	if !known || info.Ends { // a test, or word that the access has ended
		return to, nil
	}
	return to, underGrant(ctx, store, now, client, event, info)
}

// underGrant says whether the consent that an event belongs to still covers it.
func underGrant(ctx context.Context, store Store, now time.Time, client *loop.Client, event Event, info loop.EventInfo) error {
	grant, err := store.LiveGrant(ctx, event.Member, client.ID)
	switch {
	case err != nil:
		return err
	case grant == nil || grant.ID != event.Grant || !grant.Live(now):
		return withdrawn("The member has ended the app's access.")
	}
	m, err := store.Member(ctx, event.Member)
	switch {
	case errors.Is(err, loop.ErrNotFound) || err == nil && (m.Suspended || !m.ErasedAt.IsZero()):
		return withdrawn("The member's account is closed.")
	case err != nil:
		return err
	}
	if info.Scope == "" {
		return nil
	}
	return withinScope(client, m, grant, info.Scope)
}

// withinScope says whether the app may know of what a scope opens, of this member.
func withinScope(client *loop.Client, m *loop.Member, grant *loop.Grant, scope loop.Scope) error {
	needed := loop.NewScopes(scope)
	switch {
	case !grant.Scopes.And(client.AllowedScopes).HasAll(needed):
		return withdrawn("The member has not allowed the scope that the event needs.")
	case len(needed.PHI()) > 0 && !client.MaySee(m):
		return withdrawn("The app is in development, and may know of test members' data alone.")
	}
	return nil
}
