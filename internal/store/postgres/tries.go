package postgres

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// slotOf is where a key's count is kept: one of 65,536 places, so that what
// strangers try has a bounded room. Keys are keyed hashes: nobody can aim at the
// place of another.
func slotOf(key signin.TryKey) int32 { return int32(binary.BigEndian.Uint16(key[:2])) }

// ChangeTries implements signin.Tries for all processes together.
func (s *IdentityStore) ChangeTries(ctx context.Context, keys []signin.TryKey, change func(now time.Time, counts []signin.TryCount)) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		lockSlots(tx, keys)
		counts, err := readTries(tx, keys)
		if err != nil {
			return err
		}
		before := slices.Clone(counts)
		change(s.world.Now(), counts)
		for i, key := range keys {
			if counts[i] != before[i] {
				writeTry(tx, key, counts[i])
			}
		}
		return nil
	})
}

// lockSlots keeps others from the keys' places until the transaction is over. All
// take the places in one order, so that no two wait for each other.
func lockSlots(tx *Tx, keys []signin.TryKey) {
	sorted := slices.SortedFunc(slices.Values(keys), func(a, b signin.TryKey) int { return cmp.Compare(slotOf(a), slotOf(b)) })
	for _, key := range sorted {
		tx.Exec(`SELECT pg_advisory_xact_lock($1, $2)`, locksTries, slotOf(key))
	}
}

func readTries(tx *Tx, keys []signin.TryKey) ([]signin.TryCount, error) {
	slots := make([]int32, len(keys))
	for i, key := range keys {
		slots[i] = slotOf(key)
	}
	counts := make([]signin.TryCount, len(keys))
	err := tx.Each(func(row tables.Scanner) error {
		var (
			key              []byte
			count            int
			since, notBefore int64
		)
		if err := row.Scan(&key, &count, &since, &notBefore); err != nil {
			return err
		}
		for i, wanted := range keys {
			if string(wanted[:]) == string(key) { // else the place is another's
				counts[i] = signin.TryCount{Count: count, Since: store.FromMicro(since), NotBefore: store.FromMicro(notBefore)}
			}
		}
		return nil
	}, `SELECT key, count, since, not_before FROM sign_in_tries WHERE slot = ANY($1)`, slots)
	if err != nil {
		return nil, fmt.Errorf("reading tries: %w", err)
	}
	return counts, nil
}

func writeTry(tx *Tx, key signin.TryKey, count signin.TryCount) {
	if count == (signin.TryCount{}) {
		tx.Exec(`DELETE FROM sign_in_tries WHERE slot = $1 AND key = $2`, slotOf(key), key[:])
		return
	}
	tx.Exec(`
INSERT INTO sign_in_tries (slot, key, count, since, not_before) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (slot) DO UPDATE SET key = excluded.key, count = excluded.count, since = excluded.since, not_before = excluded.not_before`,
		slotOf(key), key[:], count.Count, store.Micro(count.Since), store.Micro(count.NotBefore))
}
