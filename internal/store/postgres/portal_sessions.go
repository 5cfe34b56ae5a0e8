package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
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

// PortalSessionEnded reports whether a session of the portal, or the sign-in that it
// came from, has ended.
func (s *IdentityStore) PortalSessionEnded(ctx context.Context, session, signIn [32]byte) (ended bool, err error) {
	err = s.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM ended_portal_sessions WHERE hash IN ($1, $2))`, session[:], signIn[:]).Scan(&ended)
	if err != nil {
		return false, fmt.Errorf("looking for an ended session of the portal: %w", store.Unavailable(err))
	}
	return ended, nil
}

// BeginVisit notes that a developer has come to the portal, and says when they came
// before; the zero time where they never did.
func (s *IdentityStore) BeginVisit(ctx context.Context, member loop.MemberID, at time.Time) (before time.Time, err error) {
	var newest int64
	err = s.db.Write(ctx, func(tx *Tx) error {
		tx.Then(func(row store.Scanner) error { return row.Scan(&newest) }, `SELECT coalesce(max(began_at), 0) FROM portal_visits WHERE member_id = $1`, member)
		tx.Exec(`INSERT INTO portal_visits (member_id, began_at) VALUES ($1, $2) ON CONFLICT (member_id) DO UPDATE SET began_at = excluded.began_at`, member, store.Micro(at))
		return nil
	})
	return store.FromMicro(newest), err
}
