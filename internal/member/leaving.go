package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// TimeToComeBack is how long a member who leaves can change their mind: by signing in.
const TimeToComeBack = 7 * 24 * time.Hour

// Leave begins a member's departure: their sessions end, and unless they sign in before,
// they are erased at the moment that it gives. Done twice, the first counts.
func (a *Accounts) Leave(ctx context.Context, id loop.MemberID) (at time.Time, err error) {
	return a.leave(ctx, id, audit.OfMember(ctx, a.World.Now(), audit.MemberLeaving, id))
}

// Remove begins the departure of a member as Leave does, on behalf of an operator;
// NotFound where there is no such member.
func (a *Accounts) Remove(ctx context.Context, id loop.MemberID, by audit.Actor) (at time.Time, err error) {
	rec := audit.NewRecord(ctx, a.World.Now(), audit.MemberLeaving, by)
	rec.Member = id
	at, err = a.leave(ctx, id, rec)
	return at, noMember(err)
}

func (a *Accounts) leave(ctx context.Context, id loop.MemberID, rec audit.Record) (at time.Time, err error) {
	now := rec.At
	err = a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		if !m.ErasesAt.IsZero() {
			at = m.ErasesAt
			return Change{EndsSessions: true}, nil
		}
		at = now.Add(TimeToComeBack)
		m.ErasesAt, m.UpdatedAt = at, now
		return Change{EndsSessions: true, Records: []audit.Record{rec}}, nil
	})
	return at, err
}

// Downloaded records that a member downloads all that is kept of them.
func (a *Accounts) Downloaded(ctx context.Context, id loop.MemberID) error {
	return a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(*loop.Member) (Change, error) {
		return Change{Records: []audit.Record{audit.OfMember(ctx, a.World.Now(), audit.MemberDownloaded, id)}}, nil
	})
}

// DataKeys is the store of the keys that members' data is sealed under.
type DataKeys interface {
	// Erase destroys a member's keys for good: nothing that they sealed can be read
	// again, in no copy of it. Done twice it changes nothing.
	Erase(ctx context.Context, member loop.MemberID) error
	// Erased lists the members whose keys were destroyed. It outlives every restore of
	// the data.
	Erased(ctx context.Context) ([]loop.MemberID, error)
}

// LeavingStore lists who is to be erased.
type LeavingStore interface {
	// Left lists members whose time to come back ended at or before a moment, the
	// earliest first.
	Left(ctx context.Context, at time.Time, atMost int) ([]loop.MemberID, error)
}

// Room keeps something of members.
type Room interface {
	// EraseMember takes away what is kept of a member whose data keys were destroyed,
	// but for ids and records, which hold none of their data. Done twice it changes
	// nothing.
	EraseMember(ctx context.Context, member loop.MemberID, at time.Time) error
}

// Eraser erases the members who left.
type Eraser struct {
	Accounts *Accounts
	Leaving  LeavingStore
	Keys     DataKeys
	// Revocation ends all access tokens of a member.
	Revocation func(loop.MemberID) loop.Revocation
	// Messages are those to the apps that the member allowed: that they are gone.
	Messages func(ctx context.Context, id loop.MemberID) ([]outbox.Message, error)
}

// erasedAtOnce is how many members are looked up at once.
const erasedAtOnce = 100

// EraseLeft ends what members who left have given to apps, and destroys their data
// keys. What the rooms still hold of them after that is unreadable; Forget deletes it.
// An error leaves the rest for the next time; one that was begun is then ended.
func (e *Eraser) EraseLeft(ctx context.Context) error {
	left, err := e.Leaving.Left(ctx, e.Accounts.World.Now(), erasedAtOnce)
	if err != nil {
		return fmt.Errorf("looking for members who left: %w", err)
	}
	for _, id := range left {
		switch err := e.end(ctx, id); {
		case errors.Is(err, errStays):
			continue
		case errors.Is(err, loop.ErrNotFound): // their keys are gone already, and they are to be forgotten
		case err != nil:
			return fmt.Errorf("ending what %s gave: %w", id, err)
		}
		if err := e.Keys.Erase(ctx, id); err != nil {
			return fmt.Errorf("erasing %s: %w", id, err)
		}
	}
	return nil
}

// errStays: the member came back in between.
var errStays = errors.New("the member stays")

// end suspends a member who left, which ends their sessions and stops their own apps,
// and ends all tokens. Only then are the keys destroyed: who comes back in between
// finds everything, and afterwards nobody comes back.
func (e *Eraser) end(ctx context.Context, id loop.MemberID) error {
	now := e.Accounts.World.Now()
	messages, err := e.Messages(ctx, id) // who left allows nothing more in between
	if err != nil {
		return err
	}
	return e.Accounts.Store.ChangeMember(ctx, id, e.Accounts.OnSessionEnd, func(m *loop.Member) (Change, error) {
		if m.ErasesAt.IsZero() || m.ErasesAt.After(now) {
			return Change{}, errStays
		}
		m.Suspended, m.UpdatedAt = true, now
		rec := audit.OfMember(ctx, now, audit.MemberErased, id)
		rec.Actor = audit.Actor{Kind: audit.BySystem}
		return Change{Revocations: []loop.Revocation{e.Revocation(id)}, Messages: messages, Records: []audit.Record{rec}}, nil
	})
}

// Forgetter takes out of a room what is kept of members whose data keys were
// destroyed: of those who leave, and after a restore of all who ever left. It is not
// safe for concurrent use.
type Forgetter struct {
	Keys  DataKeys
	Room  Room
	World loop.World

	done map[loop.MemberID]bool
}

// Forget goes through the members who were erased since the last time.
func (f *Forgetter) Forget(ctx context.Context) error {
	erased, err := f.Keys.Erased(ctx)
	if err != nil {
		return fmt.Errorf("looking for members who were erased: %w", err)
	}
	for _, id := range erased {
		if f.done[id] {
			continue
		}
		if err := f.Room.EraseMember(ctx, id, f.World.Now()); err != nil {
			return fmt.Errorf("forgetting %s: %w", id, err)
		}
		if f.done == nil {
			f.done = make(map[loop.MemberID]bool)
		}
		f.done[id] = true
	}
	return nil
}
