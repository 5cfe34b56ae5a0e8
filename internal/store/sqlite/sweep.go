package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/store"
)

// sweepBatch is how many rows one transaction sweeps, so that no act waits long.
const sweepBatch = 500

// Sweep deletes what has expired: sessions, revocations, and chains of which
// nothing can be presented any more. It comes back when nothing is left or ctx ends.
func (s *Identity) Sweep(ctx context.Context) error {
	now := s.world.Now()
	for _, due := range store.Expired(now) {
		if err := s.sweep(ctx, due); err != nil {
			return fmt.Errorf("sweeping %s: %w", due.What, err)
		}
	}
	return s.sweepIdleChains(ctx, now)
}

// Backlog counts the rows that are due to be swept, by what they are, up to
// 10,000 of each. Chains that nobody refreshes are not among them: finding those
// takes a walk through all.
func (s *Identity) Backlog(ctx context.Context) (map[string]int64, error) {
	backlog := make(map[string]int64)
	for _, due := range store.Expired(s.world.Now()) {
		var rows int64
		if err := s.db.QueryRowContext(ctx, due.Count("?", "?"), due.Until(), store.BacklogAtMost).Scan(&rows); err != nil {
			return nil, fmt.Errorf("counting %s: %w", due.What, err)
		}
		backlog[due.What] = rows
	}
	return backlog, nil
}

// sweep repeats a bounded deletion until it finds nothing.
func (s *Identity) sweep(ctx context.Context, due store.Expiring) error {
	for {
		var deleted int64
		err := s.db.Write(ctx, func(tx *Tx) (err error) {
			deleted, err = tx.Exec(due.Deletion("?", "?"), due.Until(), sweepBatch)
			return err
		})
		if err != nil || deleted < sweepBatch {
			return err
		}
	}
}

// sweepIdleChains walks the chains in the order of their key: an index on the
// idle expiry would have to be written at every refresh.
func (s *Identity) sweepIdleChains(ctx context.Context, now time.Time) error {
	var afterMember, afterID string
	for more := true; more; {
		err := s.db.Write(ctx, func(tx *Tx) error {
			var lastMember, lastID string
			err := tx.QueryRow(`SELECT member_id, id FROM (SELECT member_id, id FROM chains WHERE (member_id, id) > (?, ?) ORDER BY member_id, id LIMIT ?)
				ORDER BY member_id DESC, id DESC LIMIT 1`, afterMember, afterID, sweepBatch).Scan(&lastMember, &lastID)
			if more = !errors.Is(err, sql.ErrNoRows); !more {
				return nil
			}
			if err != nil {
				return err
			}
			_, err = tx.Exec(`DELETE FROM chains WHERE (member_id, id) > (?, ?) AND (member_id, id) <= (?, ?) AND idle_expires_at <= ?`,
				afterMember, afterID, lastMember, lastID, store.Micro(now.Add(-store.ReplayMargin)))
			afterMember, afterID = lastMember, lastID
			return err
		})
		if err != nil {
			return fmt.Errorf("sweeping idle chains: %w", err)
		}
	}
	return nil
}
