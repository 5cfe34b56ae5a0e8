package tables

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

const sessionColumns = `hash, id, member_id, auth_time, seen_at, expires_at, methods`

const (
	selectSession     = `SELECT ` + sessionColumns + ` FROM sessions WHERE hash = $1`
	insertSession     = `INSERT INTO sessions (` + sessionColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	touchSession      = `UPDATE sessions SET seen_at = $1 WHERE hash = $2`
	deleteSession     = `DELETE FROM sessions WHERE hash = $1`
	deleteAllSessions = `DELETE FROM sessions`
)

// SessionsTooMany is the condition of a member's sessions beyond the newest so many,
// of which the one with a hash is the first: $1 is the member, $2 the hash, $3 how
// many.
const SessionsTooMany = `member_id = $1 AND hash IN (
	SELECT hash FROM sessions WHERE member_id = $1 ORDER BY hash = $2 DESC, auth_time DESC, id DESC LIMIT 1000 OFFSET $3)`

// Session reads a sign-in; loop.ErrNotFound where there is none.
func (s Identity) Session(ctx context.Context, hash [32]byte) (*signin.Session, error) {
	return scanSession(s.db.Row(ctx, selectSession, hash[:]))
}

// TouchSession notes that a session is in use.
func (s Identity) TouchSession(ctx context.Context, session *signin.Session) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(touchSession, store.Micro(session.SeenAt), session.Hash[:])
		return nil
	})
}

// ReplaceSession inserts a sign-in in place of the one with a hash, if there is one.
func ReplaceSession(tx Tx, replaced [32]byte, session *signin.Session) {
	tx.Exec(deleteSession, replaced[:])
	tx.Exec(insertSession, session.Hash[:], session.ID, session.Member,
		store.Micro(session.Authentication.At), store.Micro(session.SeenAt), store.Micro(session.ExpiresAt), session.Authentication.Methods.String())
}

func scanSession(row Scanner) (*signin.Session, error) {
	var (
		session signin.Session
		hash    []byte
	)
	err := row.Scan(&hash, text(&session.ID), text(&session.Member), moment(&session.Authentication.At), moment(&session.SeenAt), moment(&session.ExpiresAt), methods(&session.Authentication.Methods))
	if err != nil {
		return nil, store.Found(err)
	}
	if copy(session.Hash[:], hash) != len(session.Hash) || len(hash) != len(session.Hash) {
		return nil, fmt.Errorf("a stored session hash has %d bytes, not %d", len(hash), len(session.Hash))
	}
	return &session, nil
}
