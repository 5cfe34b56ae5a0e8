package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/store/tables"
)

// Sweep deletes what has expired, as on every engine, and with it the leases of
// processes that ended without giving theirs back, an hour later.
func (s *IdentityStore) Sweep(ctx context.Context) error {
	const deletion = `DELETE FROM leases WHERE id IN (SELECT id FROM leases WHERE expires_at < clock_timestamp() - $1::bigint * interval '1 microsecond' LIMIT $2)`
	if err := tables.SweepRows(ctx, s.db, deletion, time.Hour.Microseconds()); err != nil {
		return fmt.Errorf("sweeping leases: %w", err)
	}
	return s.Identity.Sweep(ctx)
}
