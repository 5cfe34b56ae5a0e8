package credential

import (
	"context"
	"errors"
	"fmt"
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
	After  uint32 // its own; the keys that it makes have the numbers between for ids, so that none is ever given twice
	Make   []Key
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
	change := KeyChange{Before: k.last, After: k.made[len(k.made)-1].ID, Make: k.made}
	if err := k.store.ChangeKeys(ctx, change, k.records(ctx, audit.KeyMade, system, k.made)); err != nil {
		return fmt.Errorf("keeping the first keys: %w", err)
	}
	k.last, k.made = change.After, nil
	return nil
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

func filled(keys []Key, slot Slot) bool {
	for _, key := range keys {
		if key.Slot == slot {
			return true
		}
	}
	return false
}

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
