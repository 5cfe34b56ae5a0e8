package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/store"
)

// EndPortalSession notes that a session of the portal was signed out of. It is
// forgotten some time after it would have ended by itself.
func (s *IdentityStore) EndPortalSession(ctx context.Context, hash [32]byte, expiresAt time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Exec(`INSERT INTO ended_portal_sessions (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`, hash[:], store.Micro(expiresAt))
		return nil
	})
}

// PortalSessionEnded reports whether a session of the portal was signed out of.
func (s *IdentityStore) PortalSessionEnded(ctx context.Context, hash [32]byte) (ended bool, err error) {
	err = s.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM ended_portal_sessions WHERE hash = $1)`, hash[:]).Scan(&ended)
	if err != nil {
		return false, fmt.Errorf("looking for an ended session of the portal: %w", store.Unavailable(err))
	}
	return ended, nil
}
