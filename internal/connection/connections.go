package connection

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Store is what identity keeps.
type Store interface {
	// Grants lists the grants of a member, newest first, the revoked ones too.
	Grants(ctx context.Context, member loop.MemberID) ([]*loop.Grant, error)
	// Receipts gives what the member was shown and answered under a grant, the newest
	// first.
	Receipts(ctx context.Context, member loop.MemberID, grant loop.GrantID, atMost int) ([]loop.Receipt, error)
	// Client finds an app; loop.ErrNotFound where there is none.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
	// LastUses says when each of a member's grants last gave tokens.
	LastUses(ctx context.Context, member loop.MemberID) (map[loop.GrantID]time.Time, error)
}

// Consents changes what a member consented to.
type Consents interface {
	// RevokeGrant ends a grant with everything that came from it; one that has ended
	// stays as it is.
	RevokeGrant(ctx context.Context, id loop.GrantID, by audit.Actor, reason string) error
	// NarrowGrant takes from a live grant what is not in keep.
	NarrowGrant(ctx context.Context, member loop.MemberID, id loop.GrantID, keep loop.Scopes, by audit.Actor) error
	// ForgetDeclined lets the app of a live grant ask again for what was left out.
	ForgetDeclined(ctx context.Context, member loop.MemberID, id loop.GrantID, by audit.Actor) error
	// SetGrantEnd gives a live grant another term, from now on.
	SetGrantEnd(ctx context.Context, member loop.MemberID, id loop.GrantID, term loop.Term, by audit.Actor) error
}

// Connections are the apps that members allowed.
type Connections struct {
	Store    Store
	Reads    Reads
	Consents Consents
	World    loop.World
}

// App is an app that a member allowed.
type App struct {
	Grant  *loop.Grant
	Client *loop.Client
	Usage  Usage
	// LastUsedAt is when the app last got or used a token, as far as that is
	// recorded: a refresh, a sign-in, or a read of health data in the weeks that are
	// counted; zero: never.
	LastUsedAt time.Time
}

// List gives the apps with a live grant of the member, the one that was allowed last
// first.
func (c *Connections) List(ctx context.Context, member loop.MemberID) ([]App, error) {
	grants, err := c.Store.Grants(ctx, member)
	if err != nil {
		return nil, fmt.Errorf("listing grants: %w", err)
	}
	grants = slices.DeleteFunc(grants, func(g *loop.Grant) bool { return !g.Live(c.World.Now()) })
	if len(grants) == 0 {
		return nil, nil
	}
	uses, err := c.Store.LastUses(ctx, member)
	if err != nil {
		return nil, fmt.Errorf("finding last uses: %w", err)
	}
	usage, err := c.Reads.Usage(ctx, member, weekBegin(c.World.Now()))
	if err != nil {
		return nil, fmt.Errorf("counting reads: %w", err)
	}
	apps := make([]App, 0, len(grants))
	for _, g := range grants {
		client, err := c.Store.Client(ctx, g.Client)
		if errors.Is(err, loop.ErrNotFound) {
			continue // deleted while the member allowed it: nothing comes of that
		}
		if err != nil {
			return nil, fmt.Errorf("finding the app of %s: %w", g.ID, err)
		}
		app := App{Grant: g, Client: client, Usage: usage[g.Client]}
		app.LastUsedAt = latest(uses[g.ID], app.Usage.LastReadAt)
		apps = append(apps, app)
	}
	return apps, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Find gives the app behind one of the member's live grants; loop.ErrNotFound where
// the member has no such grant.
func (c *Connections) Find(ctx context.Context, member loop.MemberID, id loop.GrantID) (*App, error) {
	apps, err := c.List(ctx, member)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(apps, func(app App) bool { return app.Grant.ID == id })
	if i < 0 {
		return nil, loop.ErrNotFound
	}
	return &apps[i], nil
}

// Live gives one of the member's live grants, without counting what came of it;
// loop.ErrNotFound where the member has no such grant.
func (c *Connections) Live(ctx context.Context, member loop.MemberID, id loop.GrantID) (*loop.Grant, error) {
	return c.grant(ctx, member, func(g *loop.Grant) bool { return g.Live(c.World.Now()) && g.ID == id })
}

// LiveTo gives the member's live grant to an app; loop.ErrNotFound where there is none.
func (c *Connections) LiveTo(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error) {
	return c.grant(ctx, member, func(g *loop.Grant) bool { return g.Live(c.World.Now()) && g.Client == client })
}

func (c *Connections) grant(ctx context.Context, member loop.MemberID, is func(*loop.Grant) bool) (*loop.Grant, error) {
	grants, err := c.Store.Grants(ctx, member)
	if err != nil {
		return nil, fmt.Errorf("listing grants: %w", err)
	}
	i := slices.IndexFunc(grants, is)
	if i < 0 {
		return nil, loop.ErrNotFound
	}
	return grants[i], nil
}

// disconnected is the reason of a revocation that the member asked for.
const disconnected = "disconnected by the member"

// Disconnect ends one of the member's grants, with all that came from it, in the very
// next request. A grant that has ended stays as it is; loop.ErrNotFound where the
// grant is not the member's.
func (c *Connections) Disconnect(ctx context.Context, member loop.MemberID, id loop.GrantID, by audit.Actor) error {
	if _, err := c.grant(ctx, member, func(g *loop.Grant) bool { return g.ID == id }); err != nil {
		return err
	}
	return c.Consents.RevokeGrant(ctx, id, by, disconnected)
}

// Narrow takes scopes away from one of the member's live grants.
func (c *Connections) Narrow(ctx context.Context, member loop.MemberID, id loop.GrantID, keep loop.Scopes, by audit.Actor) error {
	return c.Consents.NarrowGrant(ctx, member, id, keep, by)
}

// LetAsk lets the app of one of the member's live grants ask again for what they left
// out; loop.ErrNotFound where the member has no such grant.
func (c *Connections) LetAsk(ctx context.Context, member loop.MemberID, id loop.GrantID, by audit.Actor) error {
	return c.Consents.ForgetDeclined(ctx, member, id, by)
}

// SetEnd gives one of the member's live grants another term, from now on.
func (c *Connections) SetEnd(ctx context.Context, member loop.MemberID, id loop.GrantID, term loop.Term, by audit.Actor) error {
	return c.Consents.SetGrantEnd(ctx, member, id, term, by)
}

// receiptsAtMost is how many receipts are shown of a grant: one is written for each
// answer, and a member answers an app a few times.
const receiptsAtMost = 50

// Receipts gives what the member was shown and answered under one of their grants, the
// newest first.
func (c *Connections) Receipts(ctx context.Context, member loop.MemberID, id loop.GrantID) ([]loop.Receipt, error) {
	receipts, err := c.Store.Receipts(ctx, member, id, receiptsAtMost)
	if err != nil {
		return nil, fmt.Errorf("reading receipts: %w", err)
	}
	return receipts, nil
}

// NameOf is the name of an app; its id where the app is not there any more.
func (c *Connections) NameOf(ctx context.Context, id loop.ClientID) (string, error) {
	client, err := c.Store.Client(ctx, id)
	if errors.Is(err, loop.ErrNotFound) {
		return string(id), nil
	}
	if err != nil {
		return "", fmt.Errorf("finding an app: %w", err)
	}
	return client.Name, nil
}
