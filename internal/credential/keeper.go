package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// KeyStore is where keys are kept, sealed.
type KeyStore interface {
	// Keys reads all keys, and the number of the last change.
	Keys(ctx context.Context) (keys []Key, last uint32, err error)
	// ChangeKeys carries out a change with its audit records, in one transaction.
	// ErrKeysChanged where the keys are not those that the change was made for.
	ChangeKeys(ctx context.Context, change KeyChange, records []audit.Record) error
}

// ErrKeysChanged is returned where somebody else changed the keys first; nothing
// was written.
var ErrKeysChanged = errors.New("the keys were changed by somebody else in the meantime: look at them and try again")

// KeyChange is what is to happen to the stored keys.
type KeyChange struct {
	Before uint32 // the number of the change that it builds on
	After  uint32 // its own: the id of the last key that it makes, or the next number, so that no id is ever given twice
	Make   []Key
	Drop   []uint32
	Reseal []Key // the same keys, sealed under another master key
}

// Keeper looks after the keys of a process: it reads them from the store, makes
// what is missing, and keeps Ring and Signing up to date. It is safe for
// concurrent use.
type Keeper struct {
	Ring    *Ring
	Signing *SigningKeys

	store KeyStore
	world loop.World

	isNew bool

	mu     sync.Mutex // guards what follows, and one change at a time
	master *Master
	keys   []Key
	last   uint32
	made   []Key // in keys, but not yet stored
}

// OpenKeeper opens the stored keys. Those that are missing, on a platform's first
// start all of them, are in use at once, and are stored by Begin. A key that the
// master key does not open is an error.
func OpenKeeper(ctx context.Context, store KeyStore, w loop.World, master *Master) (*Keeper, error) {
	k := &Keeper{store: store, world: w, master: master}
	var err error
	if k.keys, k.last, err = store.Keys(ctx); err != nil {
		return nil, err
	}
	k.isNew = len(k.keys) == 0
	if !k.isNew && !filled(k.keys, Slot{Purpose: ForAudit}) {
		return nil, errors.New("the audit key is missing, and without it nothing can be verified or recorded: restore the database from a backup")
	}
	if k.made, err = k.make(missing(k.keys, w.Now())); err != nil {
		return nil, err
	}
	k.keys = append(k.keys, k.made...)
	if k.Ring, err = NewRing(w, master, k.keys); err != nil {
		return nil, err
	}
	k.Signing, err = OpenSigningKeys(w, master, k.keys)
	return k, err
}

// New reports whether this is a platform's first start: there were no keys.
func (k *Keeper) New() bool { return k.isNew }

// Begin stores the keys that OpenKeeper made, with their records. It comes after
// the audit chain was taken up, which needs the audit key to be there.
func (k *Keeper) Begin(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.made) == 0 {
		return nil
	}
	change := k.making(k.made)
	if err := k.store.ChangeKeys(ctx, change, k.records(ctx, audit.KeyMade, system, k.made)); err != nil {
		return fmt.Errorf("keeping new keys: %w", err)
	}
	k.last, k.made = change.After, nil
	return nil
}

// Rotate does what the schedule asks for now: it takes up what others changed,
// makes the keys that are to follow, and deletes those that nothing needs any
// more. Done twice it changes nothing.
func (k *Keeper) Rotate(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(ctx); err != nil {
		return err
	}
	next, over := due(k.keys, k.world.Now())
	if len(next) == 0 && len(over) == 0 {
		return nil
	}
	_, err := k.change(ctx, next, over, audit.KeyRetired, system)
	if errors.Is(err, ErrKeysChanged) { // another process was faster, with the same
		return k.reload(ctx)
	}
	return err
}

// Lives tells of every key where it stands, slot by slot, oldest first.
func (k *Keeper) Lives(ctx context.Context) ([]KeyLife, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.reload(ctx)
	return lives(k.keys, k.world.Now()), err
}

// errAuditStays answers whoever would replace the audit key.
var errAuditStays = loop.Errorf(loop.ValidationError, "The audit key stays for as long as the record: everything ever recorded is verified under it.")

// RotateNow makes successors for the slots before their time. They take over as
// the schedule says: in five minutes, signing keys in two weeks.
func (k *Keeper) RotateNow(ctx context.Context, slots []Slot, by audit.Actor) ([]KeyLife, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(ctx); err != nil {
		return nil, err
	}
	now := k.world.Now()
	var next []wanted
	for _, slot := range slots {
		plan, rotates := schedules[slot.Purpose]
		if !rotates {
			return nil, errAuditStays
		}
		next = append(next, wanted{slot, now.Add(plan.announced)})
	}
	made, err := k.change(ctx, next, nil, audit.KeyRetired, by)
	return k.livesOf(made), err
}

// Revoke ends keys at once, and with each everything that it made: the answer to
// a theft. Where the key was at work, a new one is from this moment on. A key
// that is not there is NotFound, and the audit key is a ValidationError; nothing
// is revoked then.
func (k *Keeper) Revoke(ctx context.Context, ids []uint32, by audit.Actor) (revoked, made []KeyLife, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(ctx); err != nil {
		return nil, nil, err
	}
	now := k.world.Now()
	all := lives(k.keys, now)
	var (
		gone []Key
		next []wanted
	)
	for _, id := range ids {
		at := slices.IndexFunc(all, func(life KeyLife) bool { return life.ID == id })
		switch {
		case at < 0:
			return nil, nil, loop.Errorf(loop.NotFound, "There is no key %d: loop keys list shows them all.", id)
		case all[at].Purpose == ForAudit:
			return nil, nil, errAuditStays
		case slices.ContainsFunc(revoked, func(life KeyLife) bool { return life.ID == id }):
			continue
		case all[at].State == KeyActive:
			next = append(next, wanted{all[at].Slot, now})
		}
		revoked, gone = append(revoked, all[at]), append(gone, all[at].Key)
	}
	fresh, err := k.change(ctx, next, gone, audit.KeyRevoked, by)
	return revoked, k.livesOf(fresh), err
}

// livesOf tells where some of the keys stand.
func (k *Keeper) livesOf(some []Key) []KeyLife {
	return slices.DeleteFunc(lives(k.keys, k.world.Now()), func(life KeyLife) bool {
		return !slices.ContainsFunc(some, func(key Key) bool { return key.ID == life.ID })
	})
}

// Rewrap seals every key under another master key, in one transaction, and says
// how many. This process goes on with it; every next start needs it.
func (k *Keeper) Rewrap(ctx context.Context, master *Master, by audit.Actor) (count int, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(ctx); err != nil {
		return 0, err
	}
	if master.is(k.master) {
		return 0, loop.Errorf(loop.ValidationError, "The keys are sealed under this master key already. Make a new one with: openssl rand -base64 32")
	}
	resealed := make([]Key, len(k.keys))
	for i, key := range k.keys {
		secret, err := k.master.open(key)
		if err != nil {
			return 0, err
		}
		if resealed[i], err = master.seal(k.world, key, secret); err != nil {
			return 0, err
		}
	}
	rec := audit.Record{
		At: k.world.Now(), Event: audit.KeysRewrapped, Actor: by, Origin: audit.OriginOf(ctx),
		Detail: audit.Detail{"count": strconv.Itoa(len(resealed))},
	}
	change := k.making(nil)
	change.Reseal = resealed
	if err := k.store.ChangeKeys(ctx, change, []audit.Record{rec}); err != nil {
		return 0, fmt.Errorf("sealing the keys anew: %w", err)
	}
	return len(resealed), k.use(master, resealed, change.After)
}

// reload takes up the keys as they are stored, where somebody changed them.
func (k *Keeper) reload(ctx context.Context) error {
	stored, last, err := k.store.Keys(ctx)
	if err != nil || last == k.last {
		return err
	}
	return k.use(k.master, stored, last)
}

// use puts keys to use, or leaves everything as it was.
func (k *Keeper) use(master *Master, keys []Key, last uint32) error {
	ring, err := openKeys(master, keys)
	if err != nil {
		return err
	}
	signing, err := openSigningKeys(master, keys)
	if err != nil {
		return err
	}
	k.Ring.held.Store(ring)
	k.Signing.held.Store(signing)
	k.master, k.keys, k.last = master, keys, last
	return nil
}

// change makes and deletes keys, with their records, and puts what there is then
// to use. It gives the new keys.
func (k *Keeper) change(ctx context.Context, next []wanted, gone []Key, ending audit.Event, by audit.Actor) ([]Key, error) {
	made, err := k.make(next)
	if err != nil {
		return nil, err
	}
	change := k.making(made)
	for _, key := range gone {
		change.Drop = append(change.Drop, key.ID)
	}
	records := append(k.records(ctx, audit.KeyMade, by, made), k.records(ctx, ending, by, gone)...)
	if err := k.store.ChangeKeys(ctx, change, records); err != nil {
		return nil, fmt.Errorf("changing the keys: %w", err)
	}
	kept := slices.DeleteFunc(slices.Clone(k.keys), func(key Key) bool { return slices.Contains(change.Drop, key.ID) })
	return made, k.use(k.master, append(kept, made...), change.After)
}

// system is who changes keys by the schedule.
var system = audit.Actor{Kind: audit.BySystem}

// wanted is a key that is to be made.
type wanted struct {
	slot Slot
	from time.Time
}

// missing wants a key at once for each slot that has none.
func missing(keys []Key, now time.Time) []wanted {
	var all []wanted
	for _, slot := range Slots() {
		if !filled(keys, slot) {
			all = append(all, wanted{slot, now})
		}
	}
	return all
}

func filled(keys []Key, slot Slot) bool { return len(of(slot, keys)) > 0 }

// make makes the keys that are wanted, behind the last.
func (k *Keeper) make(all []wanted) ([]Key, error) {
	made := make([]Key, 0, len(all))
	for i, want := range all {
		key, err := NewKey(k.world, k.master, k.last+uint32(i)+1, want.slot, want.from)
		if err != nil {
			return nil, err
		}
		made = append(made, key)
	}
	return made, nil
}

// making is a change that builds on what the keeper knows and makes these keys.
func (k *Keeper) making(made []Key) KeyChange {
	return KeyChange{Before: k.last, After: k.last + max(1, uint32(len(made))), Make: made} //nolint:gosec // G115: a handful
}

// records tells for each key what happened to it.
func (k *Keeper) records(ctx context.Context, event audit.Event, by audit.Actor, keys []Key) []audit.Record {
	records := make([]audit.Record, len(keys))
	for i, key := range keys {
		records[i] = audit.Record{At: k.world.Now(), Event: event, Actor: by, Origin: audit.OriginOf(ctx), Detail: audit.Detail{
			"key": strconv.FormatUint(uint64(key.ID), 10), "for": key.String(), "seals_from": key.SealsFrom.Format(time.RFC3339),
		}}
	}
	return records
}
