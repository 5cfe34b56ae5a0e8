package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/store"
)

const (
	insertEndedPortalSession = `INSERT INTO ended_portal_sessions (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	selectEndedPortalSession = `SELECT EXISTS (SELECT 1 FROM ended_portal_sessions WHERE hash IN ($1, $2))`
)

// EndPortalSession notes that a session of the portal was signed out of. It is
// forgotten some time after it would have ended by itself.
func (s Identity) EndPortalSession(ctx context.Context, hash [32]byte, expiresAt time.Time) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(insertEndedPortalSession, hash[:], store.Micro(expiresAt))
		return nil
	})
}

// PortalSessionEnded reports whether a session of the portal, or the sign-in that it
// came from, has ended.
func (s Identity) PortalSessionEnded(ctx context.Context, session, signIn [32]byte) (ended bool, err error) {
	if err = s.db.Row(ctx, selectEndedPortalSession, session[:], signIn[:]).Scan(&ended); err != nil {
		return false, fmt.Errorf("looking for an ended session of the portal: %w", store.Unreadable(err))
	}
	return ended, nil
}
