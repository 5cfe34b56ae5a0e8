package postgres

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

// DueLogouts reads the deliveries that are due, the oldest first.
func (s *IdentityStore) DueLogouts(ctx context.Context, limit int) ([]oauth.Logout, error) {
	return list(ctx, s.db, scanLogout,
		`SELECT client_id, session_id, member_id, attempts, due_at FROM logouts WHERE due_at > 0 AND due_at <= $1 ORDER BY due_at LIMIT $2`,
		store.Micro(s.world.Now()), limit)
}

func scanLogout(row store.Scanner) (logout oauth.Logout, err error) {
	var at int64
	if err := row.Scan(&logout.Client, &logout.Session, &logout.Member, &logout.Attempts, &at); err != nil {
		return logout, fmt.Errorf("reading logouts: %w", err)
	}
	logout.DueAt = store.FromMicro(at)
	return logout, nil
}

// SettleLogout writes what became of an attempt, with its records.
func (s *IdentityStore) SettleLogout(ctx context.Context, logout oauth.Logout, records []audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Exec(`UPDATE logouts SET attempts = $1, due_at = $2 WHERE client_id = $3 AND session_id = $4`,
			logout.Attempts, store.Micro(logout.DueAt), logout.Client, logout.Session)
		return recordAll(tx, records)
	})
}
