package credential

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
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

	made     []Key      // in use, but not yet stored
	changing sync.Mutex // one change at a time

	held  atomic.Pointer[keySet]
	using sync.Mutex // one after the other puts keys to use
}

// keySet is all keys as they were at one moment.
type keySet struct {
	master *Master
	keys   []Key
	last   uint32 // the number of the change that made them so
}

// OpenKeeper opens the stored keys. Those that are missing, on a platform's first
// start all of them, are in use at once, and are stored by Begin. A key that the
// master key does not open is an error.
func OpenKeeper(ctx context.Context, store KeyStore, w loop.World, master *Master) (*Keeper, error) {
	k := &Keeper{store: store, world: w}
	keys, last, err := store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 && !filled(keys, Slot{Purpose: ForAudit}) {
		return nil, errors.New("the audit key is missing, and without it nothing can be verified or recorded: restore the database from a backup")
	}
	held := &keySet{master, keys, last}
	if k.made, err = k.make(held, missing(keys, w.Now())); err != nil {
		return nil, err
	}
	held.keys = append(held.keys, k.made...)
	k.held.Store(held)
	if k.Ring, err = NewRing(w, master, held.keys); err != nil {
		return nil, err
	}
	k.Signing, err = OpenSigningKeys(w, master, held.keys)
	return k, err
}

// Begin stores the keys that OpenKeeper made, with their records. It comes after
// the audit chain was taken up, which needs the audit key to be there.
func (k *Keeper) Begin(ctx context.Context) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	if len(k.made) == 0 {
		return nil
	}
	held := k.held.Load()
	change := held.making(k.made)
	if err := k.store.ChangeKeys(ctx, change, k.records(ctx, audit.KeyMade, system, k.made)); err != nil {
		return fmt.Errorf("keeping new keys: %w", err)
	}
	k.made = nil
	return k.use(&keySet{held.master, held.keys, change.After})
}

// Rotate does what the schedule asks for now: it takes up what others changed,
// makes the keys that are to follow, and deletes those that nothing needs any
// more. Done twice it changes nothing.
func (k *Keeper) Rotate(ctx context.Context) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	held, err := k.reload(ctx)
	if err != nil {
		return err
	}
	next, over := due(held.keys, k.world.Now())
	if len(next) == 0 && len(over) == 0 {
		return nil
	}
	_, err = k.change(ctx, held, next, over, audit.KeyRetired, system)
	if errors.Is(err, ErrKeysChanged) { // another process was faster, with the same
		return k.Reload(ctx)
	}
	return err
}

// Lives lists every key with its state, slot by slot, oldest first.
func (k *Keeper) Lives(ctx context.Context) ([]KeyLife, error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	held, err := k.reload(ctx)
	return lives(held.keys, k.world.Now()), err
}

// errAuditStays answers whoever would replace the audit key.
var errAuditStays = loop.Errorf(loop.ValidationError, "The audit key stays for as long as the record: everything ever recorded is verified under it.")

// RotateNow makes successors for the slots before their time. They take over as
// the schedule says: in five minutes, signing keys in two weeks.
func (k *Keeper) RotateNow(ctx context.Context, slots []Slot, by audit.Actor) ([]KeyLife, error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	held, err := k.reload(ctx)
	if err != nil {
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
	made, err := k.change(ctx, held, next, nil, audit.KeyRetired, by)
	return k.livesOf(made), err
}

// Revoke ends keys at once, and with each everything that it made: the answer to
// a theft. Where the key was at work, a new one is from this moment on. A key
// that is not there is NotFound, and the audit key is a ValidationError; nothing
// is revoked then.
func (k *Keeper) Revoke(ctx context.Context, ids []uint32, by audit.Actor) (revoked, made []KeyLife, err error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	held, err := k.reload(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := k.world.Now()
	all := lives(held.keys, now)
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
	fresh, err := k.change(ctx, held, next, gone, audit.KeyRevoked, by)
	return revoked, k.livesOf(fresh), err
}

// livesOf lists some of the keys with their state.
func (k *Keeper) livesOf(some []Key) []KeyLife {
	return slices.DeleteFunc(lives(k.held.Load().keys, k.world.Now()), func(life KeyLife) bool {
		return !slices.ContainsFunc(some, func(key Key) bool { return key.ID == life.ID })
	})
}

// Rewrap seals every key under another master key, in one transaction, and says
// how many. This process goes on with it; every next start needs it.
func (k *Keeper) Rewrap(ctx context.Context, master *Master, by audit.Actor) (count int, err error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	held, err := k.reload(ctx)
	if err != nil {
		return 0, err
	}
	if master.is(held.master) {
		return 0, loop.Errorf(loop.ValidationError, "The keys are sealed under this master key already. Make a new one with: openssl rand -base64 32")
	}
	resealed := make([]Key, len(held.keys))
	for i, key := range held.keys {
		secret, err := held.master.open(key)
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
	change := held.making(nil)
	change.Reseal = resealed
	if err := k.store.ChangeKeys(ctx, change, []audit.Record{rec}); err != nil {
		return 0, fmt.Errorf("sealing the keys anew: %w", err)
	}
	return len(resealed), k.use(&keySet{master, resealed, change.After})
}

// Reload takes up the keys as they are stored, where somebody changed them. It
// waits for no change of this process's own, which may be waiting for it.
func (k *Keeper) Reload(ctx context.Context) error {
	_, err := k.reload(ctx)
	return err
}

// reload is Reload, and gives what is held then.
func (k *Keeper) reload(ctx context.Context) (*keySet, error) {
	held := k.held.Load()
	stored, last, err := k.store.Keys(ctx)
	if err != nil || last == held.last {
		return held, err
	}
	err = k.use(&keySet{held.master, stored, last})
	return k.held.Load(), err
}

// use puts keys to use, or leaves everything as it was. Keys of before a change that
// is known already are not put back.
func (k *Keeper) use(set *keySet) error {
	ring, err := openKeys(set.master, set.keys)
	if err != nil {
		return err
	}
	signing, err := openSigningKeys(set.master, set.keys)
	if err != nil {
		return err
	}
	k.using.Lock()
	defer k.using.Unlock()
	if set.last < k.held.Load().last {
		return nil
	}
	k.Ring.held.Store(ring)
	k.Signing.held.Store(signing)
	k.held.Store(set)
	return nil
}

// change makes and deletes keys, with their records, and puts what there is then
// to use. It gives the new keys.
func (k *Keeper) change(ctx context.Context, held *keySet, next []wanted, gone []Key, ending audit.Event, by audit.Actor) ([]Key, error) {
	made, err := k.make(held, next)
	if err != nil {
		return nil, err
	}
	change := held.making(made)
	for _, key := range gone {
		change.Drop = append(change.Drop, key.ID)
	}
	records := append(k.records(ctx, audit.KeyMade, by, made), k.records(ctx, ending, by, gone)...)
	if err := k.store.ChangeKeys(ctx, change, records); err != nil {
		return nil, fmt.Errorf("changing the keys: %w", err)
	}
	kept := slices.DeleteFunc(slices.Clone(held.keys), func(key Key) bool { return slices.Contains(change.Drop, key.ID) })
	return made, k.use(&keySet{held.master, append(kept, made...), change.After})
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

// make makes the keys that are wanted, behind those that are held.
func (k *Keeper) make(held *keySet, all []wanted) ([]Key, error) {
	made := make([]Key, 0, len(all))
	for i, want := range all {
		key, err := NewKey(k.world, held.master, held.last+uint32(i)+1, want.slot, want.from)
		if err != nil {
			return nil, err
		}
		made = append(made, key)
	}
	return made, nil
}

// making is a change that builds on these keys and makes some more.
func (s *keySet) making(made []Key) KeyChange {
	return KeyChange{Before: s.last, After: s.last + max(1, uint32(len(made))), Make: made} //nolint:gosec // G115: a handful
}

// records makes a record of what happened to each key.
func (k *Keeper) records(ctx context.Context, event audit.Event, by audit.Actor, keys []Key) []audit.Record {
	records := make([]audit.Record, len(keys))
	for i, key := range keys {
		records[i] = audit.Record{At: k.world.Now(), Event: event, Actor: by, Origin: audit.OriginOf(ctx), Detail: audit.Detail{
			"key": strconv.FormatUint(uint64(key.ID), 10), "for": key.String(), "seals_from": key.SealsFrom.Format(time.RFC3339),
		}}
	}
	return records
}
