package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/store"
)

// sweepBatch is how many rows one transaction sweeps, so that no act waits long.
const sweepBatch = 500

// Sweep deletes what has expired: sessions, revocations, and chains of which
// nothing can be presented any more. It comes back when nothing is left or ctx ends.
// One process at a time is enough; two do no harm.
func (s *IdentityStore) Sweep(ctx context.Context) error {
	now := s.world.Now()
	for _, due := range store.Expired(now) {
		if err := s.sweep(ctx, due.Deletion("$1", "$2"), due.Until()); err != nil {
			return fmt.Errorf("sweeping %s: %w", due.What, err)
		}
	}
	// A process that has gone without giving its lease back, long ago.
	if err := s.sweep(ctx, `DELETE FROM leases WHERE id IN (SELECT id FROM leases WHERE expires_at < clock_timestamp() - $1::bigint * interval '1 microsecond' LIMIT $2)`,
		time.Hour.Microseconds()); err != nil {
		return fmt.Errorf("sweeping leases: %w", err)
	}
	return s.sweepIdleChains(ctx, now)
}

// Backlog counts the rows that are due to be swept, by what they are, up to
// store.BacklogAtMost of each.
func (s *IdentityStore) Backlog(ctx context.Context) (map[string]int64, error) {
	backlog := make(map[string]int64)
	batch := &pgx.Batch{}
	for _, due := range store.Expired(s.world.Now()) {
		batch.Queue(due.Count("$1", "$2"), due.Until(), store.BacklogAtMost).QueryRow(func(row pgx.Row) error {
			var rows int64
			err := row.Scan(&rows)
			backlog[due.What] = rows
			return err
		})
	}
	if err := s.db.readers.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("counting what is due to be swept: %w", store.Unavailable(err))
	}
	return backlog, nil
}

// sweep repeats a bounded deletion until it finds nothing.
func (s *IdentityStore) sweep(ctx context.Context, query string, before int64) error {
	for {
		var deleted int64
		err := s.db.Write(ctx, func(tx *Tx) (err error) {
			deleted, err = tx.Count(query, before, sweepBatch)
			return err
		})
		if err != nil || deleted < sweepBatch || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// sweepIdleChains walks the chains in the order of their key: an index on the
// idle expiry would have to be written at every refresh.
func (s *IdentityStore) sweepIdleChains(ctx context.Context, now time.Time) error {
	var afterMember, afterID string
	for more := true; more && ctx.Err() == nil; {
		err := s.db.Write(ctx, func(tx *Tx) error {
			var lastMember, lastID string
			err := tx.QueryRow(func(row store.Scanner) error { return row.Scan(&lastMember, &lastID) }, `
				SELECT member_id, id FROM (SELECT member_id, id FROM chains WHERE (member_id, id) > ($1, $2) ORDER BY member_id, id LIMIT $3) AS page
				ORDER BY member_id DESC, id DESC LIMIT 1`, afterMember, afterID, sweepBatch)
			if more = !errors.Is(err, sql.ErrNoRows); !more {
				return nil
			}
			if err != nil {
				return err
			}
			tx.Exec(`DELETE FROM chains WHERE (member_id, id) > ($1, $2) AND (member_id, id) <= ($3, $4) AND idle_expires_at <= $5`,
				afterMember, afterID, lastMember, lastID, store.Micro(now.Add(-store.ReplayMargin)))
			afterMember, afterID = lastMember, lastID
			return nil
		})
		if err != nil {
			return fmt.Errorf("sweeping idle chains: %w", err)
		}
	}
	return ctx.Err()
}
