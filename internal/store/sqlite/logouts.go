package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

// tellOfEnd puts down, for each app that has tokens from the session and wants to
// know, that it is to be told; once, however often the session's end is noted.
func (s *Identity) tellOfEnd(tx *Tx, member loop.MemberID, session loop.SessionID) error {
	now := store.Micro(s.world.Now())
	_, err := tx.Exec(`INSERT INTO logouts (client_id, session_id, member_id, attempts, due_at, ended_at)
		SELECT DISTINCT clients.id, chains.session_id, chains.member_id, 0, ?, ?
		FROM chains JOIN clients ON clients.id = chains.client_id
		WHERE chains.member_id = ? AND chains.session_id = ? AND coalesce(clients.protocol ->> '$.backchannel_logout_uri', '') <> ''
		ON CONFLICT DO NOTHING`, now, now, member, session)
	if err != nil {
		return fmt.Errorf("noting whom to tell of a session's end: %w", err)
	}
	return nil
}

// DueLogouts reads the deliveries that are due, the oldest first.
func (s *Identity) DueLogouts(ctx context.Context, limit int) ([]oauth.Logout, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT client_id, session_id, member_id, attempts, due_at FROM logouts WHERE due_at > 0 AND due_at <= ? ORDER BY due_at LIMIT ?`,
		store.Micro(s.world.Now()), limit)
	if err != nil {
		return nil, store.Unavailable(err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var due []oauth.Logout
	for rows.Next() {
		var (
			logout oauth.Logout
			at     int64
		)
		if err := rows.Scan(&logout.Client, &logout.Session, &logout.Member, &logout.Attempts, &at); err != nil {
			return nil, fmt.Errorf("reading logouts: %w", err)
		}
		logout.DueAt = store.FromMicro(at)
		due = append(due, logout)
	}
	return due, rows.Err()
}

// SettleLogout writes what became of an attempt, with its records.
func (s *Identity) SettleLogout(ctx context.Context, logout oauth.Logout, records []audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE logouts SET attempts = ?, due_at = ? WHERE client_id = ? AND session_id = ?`,
			logout.Attempts, store.Micro(logout.DueAt), logout.Client, logout.Session)
		if err != nil {
			return fmt.Errorf("writing what became of a logout: %w", err)
		}
		return s.revokeAndRecord(tx, nil, records)
	})
}
