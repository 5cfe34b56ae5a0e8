package tables

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectDueLogouts = `SELECT client_id, session_id, member_id, attempts, due_at FROM logouts WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2`
	updateLogout     = `UPDATE logouts SET attempts = $1, due_at = $2 WHERE client_id = $3 AND session_id = $4`
)

// DueLogouts reads the deliveries that are due, the oldest first.
func (s Identity) DueLogouts(ctx context.Context, limit int) ([]oauth.Logout, error) {
	return list(ctx, s.db, scanLogout, selectDueLogouts, store.Micro(s.world.Now()), limit)
}

func scanLogout(row Scanner) (logout oauth.Logout, err error) {
	err = row.Scan(text(&logout.Client), text(&logout.Session), text(&logout.Member), &logout.Attempts, moment(&logout.DueAt))
	if err != nil {
		return logout, fmt.Errorf("reading logouts: %w", err)
	}
	return logout, nil
}

// SettleLogout writes what became of an attempt, with its records.
func (s Identity) SettleLogout(ctx context.Context, logout oauth.Logout, records []audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(updateLogout, logout.Attempts, store.Micro(logout.DueAt), logout.Client, logout.Session)
		return RecordAll(tx, records)
	})
}
