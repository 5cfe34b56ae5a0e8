package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// Sweep deletes what has expired at a moment, as on every engine, and with it the leases
// of processes that ended without giving theirs back, an hour later.
func (s *IdentityStore) Sweep(ctx context.Context, now time.Time) error {
	const deletion = `DELETE FROM leases WHERE id IN (SELECT id FROM leases WHERE expires_at < clock_timestamp() - $1::bigint * interval '1 microsecond' LIMIT $2)`
	if err := tables.SweepRows(ctx, s.db, deletion, time.Hour.Microseconds()); err != nil {
		return fmt.Errorf("sweeping leases: %w", err)
	}
	if err := s.takeOverLogouts(ctx, now); err != nil {
		return fmt.Errorf("taking over logouts: %w", err)
	}
	return s.Identity.Sweep(ctx, now)
}

// leftBehind is how long a logout must have been due until nobody is left to send it.
const leftBehind = time.Minute

// takeOverLogouts makes deliveries of the logouts that servers of the version before
// left in a table of their own, and deletes those that they sent. It goes with that
// table.
func (s *IdentityStore) takeOverLogouts(ctx context.Context, now time.Time) error {
	const (
		takeOver = `WITH left_over AS (DELETE FROM logouts WHERE (client_id, session_id) IN (SELECT client_id, session_id FROM logouts WHERE due_at > 0 AND due_at <= $1 LIMIT $2)
				RETURNING client_id, session_id, member_id, attempts, due_at)
			INSERT INTO deliveries (id, kind, destination, order_key, payload, attempts, due_at, claimed_until, settled_at, outcome)
			SELECT 'logout/' || client_id || '/' || session_id, 'logout', client_id, '',
				convert_to(json_build_object('member', member_id, 'session', session_id)::text, 'UTF8'), attempts, due_at, 0, 0, ''
			FROM left_over ON CONFLICT (id) DO NOTHING`
		forget = `DELETE FROM logouts WHERE (client_id, session_id) IN (SELECT client_id, session_id FROM logouts WHERE due_at = 0 AND ended_at <= $1 LIMIT $2)`
	)
	if err := tables.SweepRows(ctx, s.db, takeOver, store.Micro(now.Add(-leftBehind))); err != nil {
		return err
	}
	return tables.SweepRows(ctx, s.db, forget, store.Micro(now.Add(-signin.SessionAtMost)))
}
