package platform

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/sqlite"
)

// keyRing opens the stored keys, and makes those of a platform that has none.
func keyRing(ctx context.Context, store *sqlite.Identity, w loop.World, master *credential.Master) (ring *credential.Ring, signing *credential.SigningKeys, made bool, err error) {
	stored, err := store.Keys(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	if len(stored) == 0 {
		made = true
		if stored, err = newKeys(w, master); err != nil {
			return nil, nil, false, err
		}
		if err := store.AddKeys(ctx, stored); err != nil {
			return nil, nil, false, fmt.Errorf("keeping the first keys: %w", err)
		}
	}
	if ring, err = credential.NewRing(w, master, stored); err != nil {
		return nil, nil, false, err
	}
	signing, err = credential.OpenSigningKeys(master, stored)
	return ring, signing, made, err
}

func newKeys(w loop.World, master *credential.Master) ([]credential.Key, error) {
	var keys []credential.Key
	for i, purpose := range credential.Purposes() {
		key, err := credential.NewKey(w, master, uint32(i)+1, purpose)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	signing, err := credential.NewSigningKey(w, master, uint32(len(keys))+1) //nolint:gosec // G115: a handful
	return append(keys, signing), err
}

// recordKeys records that the first keys were made, once the chain that they
// authenticate has begun.
func recordKeys(ctx context.Context, database *sqlite.Database, w loop.World) error {
	return database.Write(ctx, func(tx *sqlite.Tx) error {
		return tx.Record(audit.Record{At: w.Now(), Event: audit.KeyMade, Actor: audit.Actor{Kind: audit.BySystem}, Detail: audit.Detail{"keys": "the first of every purpose"}})
	})
}
