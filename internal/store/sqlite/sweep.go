package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/store"
)

// sweepBatch is how many rows one transaction sweeps, so that no act waits long.
const sweepBatch = 500

// replayMargin is how long what stops a replay outlives what could be replayed.
const replayMargin = 24 * time.Hour

// Sweep deletes what has expired: sessions, revocations, and chains of which
// nothing can be presented any more. It comes back when nothing is left or ctx ends.
func (s *Identity) Sweep(ctx context.Context) error {
	now := s.world.Now()
	s.revocations.Sweep(now)
	steps := []struct {
		what  string
		query string
		args  []any
	}{
		{"sessions", `DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires_at <= ? LIMIT ?)`, []any{store.Micro(now), sweepBatch}},
		{"idle sessions", `DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE seen_at <= ? LIMIT ?)`, []any{store.Micro(now.Add(-member.SessionIdle)), sweepBatch}},
		{"assertions", `DELETE FROM assertions WHERE (client_id, hash) IN (SELECT client_id, hash FROM assertions WHERE expires_at <= ? LIMIT ?)`, []any{store.Micro(now.Add(-replayMargin)), sweepBatch}},
		{"ended portal sessions", `DELETE FROM ended_portal_sessions WHERE hash IN (SELECT hash FROM ended_portal_sessions WHERE expires_at <= ? LIMIT ?)`, []any{store.Micro(now.Add(-replayMargin)), sweepBatch}},
		{"pushed requests", `DELETE FROM pushed_requests WHERE hash IN (SELECT hash FROM pushed_requests WHERE expires_at <= ? LIMIT ?)`, []any{store.Micro(now.Add(-replayMargin)), sweepBatch}},
		{
			"logouts", `DELETE FROM logouts WHERE (client_id, session_id) IN (SELECT client_id, session_id FROM logouts WHERE due_at = 0 AND ended_at <= ? LIMIT ?)`,
			[]any{store.Micro(now.Add(-member.SessionAtMost)), sweepBatch},
		},
		{"revocations", `DELETE FROM revocations WHERE number IN (SELECT number FROM revocations WHERE expires_at <= ? LIMIT ?)`, []any{store.Micro(now.Add(-replayMargin)), sweepBatch}},
		{
			"ended chains", `DELETE FROM chains WHERE (member_id, id) IN (SELECT member_id, id FROM chains WHERE ended_at > 0 AND ended_at <= ? LIMIT ?)`,
			[]any{store.Micro(now.Add(-replayMargin - loop.DefaultAccessTokenTTL)), sweepBatch},
		},
	}
	for _, step := range steps {
		if err := s.sweep(ctx, step.query, step.args); err != nil {
			return fmt.Errorf("sweeping %s: %w", step.what, err)
		}
	}
	return s.sweepIdleChains(ctx, now)
}

// sweep repeats a bounded deletion until it finds nothing.
func (s *Identity) sweep(ctx context.Context, query string, args []any) error {
	for {
		var deleted int64
		err := s.db.Write(ctx, func(tx *Tx) (err error) {
			deleted, err = tx.Exec(query, args...)
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
				afterMember, afterID, lastMember, lastID, store.Micro(now.Add(-replayMargin)))
			afterMember, afterID = lastMember, lastID
			return err
		})
		if err != nil {
			return fmt.Errorf("sweeping idle chains: %w", err)
		}
	}
	return nil
}
