package tables

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

const sessionColumns = `hash, id, member_id, auth_time, seen_at, expires_at, methods, browser, device`

const (
	selectSession     = `SELECT ` + sessionColumns + ` FROM sessions WHERE hash = $1`
	selectSessions    = `SELECT ` + sessionColumns + ` FROM sessions WHERE member_id = $1 ORDER BY seen_at DESC, id`
	insertSession     = `INSERT INTO sessions (` + sessionColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	touchSession      = `UPDATE sessions SET seen_at = $1 WHERE hash = $2`
	deleteReplaced    = `DELETE FROM sessions WHERE ` + ofPlace
	deleteAllSessions = `DELETE FROM sessions`
)

// ofPlace is the condition of sessions in whose place another begins: the one with a
// hash, and those of a browser, where it is known.
const ofPlace = `(hash = $1 OR browser = $2 AND length(browser) > 0)`

// SessionsReplaced is the condition of sessions that end because another begins in
// their place, with the values of ReplacedBy. One of the same name goes on.
const SessionsReplaced = ofPlace + ` AND id <> $3`

// ReplacedBy are the values of SessionsReplaced.
func ReplacedBy(start *signin.Start) []any {
	return []any{start.Ends[:], hashOrNone(start.Session.Browser), start.Session.ID}
}

// hashOrNone is a hash as it is stored: nothing where it is zero.
func hashOrNone(hash [32]byte) []byte {
	if hash == [32]byte{} {
		return []byte{}
	}
	return hash[:]
}

// SessionsTooMany is the condition of a member's sessions beyond the newest so many,
// of which the one with a hash is the first: $1 is the member, $2 the hash, $3 how
// many.
const SessionsTooMany = `member_id = $1 AND hash IN (
	SELECT hash FROM sessions WHERE member_id = $1 ORDER BY hash = $2 DESC, auth_time DESC, id DESC LIMIT 1000 OFFSET $3)`

// Session reads a sign-in; loop.ErrNotFound where there is none.
func (s Identity) Session(ctx context.Context, hash [32]byte) (*signin.Session, error) {
	return scanSession(s.db.Row(ctx, selectSession, hash[:]))
}

// Sessions lists a member's sign-ins, the one that was used last first.
func (s Identity) Sessions(ctx context.Context, m loop.MemberID) ([]signin.Session, error) {
	return list(ctx, s.db, func(row Scanner) (signin.Session, error) {
		session, err := scanSession(row)
		if err != nil {
			return signin.Session{}, err
		}
		return *session, nil
	}, selectSessions, m)
}

// SessionsEnding is the condition of sessions that a member ends, with the values of
// EndedBy.
const SessionsEnding = `member_id = $1 AND (id = $2 OR $2 = '') AND id <> $3`

// EndedBy are the values of SessionsEnding.
func EndedBy(e signin.Ending) []any { return []any{e.Member, e.Only, e.But} }

// TouchSession notes that a session is in use.
func (s Identity) TouchSession(ctx context.Context, session *signin.Session) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(touchSession, store.Micro(session.SeenAt), session.Hash[:])
		return nil
	})
}

// StartSession uses up the proof of a sign-in and inserts it, in place of what goes on
// under its name.
func StartSession(tx Tx, start *signin.Start) {
	session := &start.Session
	useProof(tx, session, &start.Proof)
	AddMessages(tx, start.Messages)
	tx.Exec(deleteReplaced, start.Ends[:], hashOrNone(session.Browser))
	tx.Exec(insertSession, session.Hash[:], session.ID, session.Member,
		store.Micro(session.Authentication.At), store.Micro(session.SeenAt), store.Micro(session.ExpiresAt), session.Authentication.Methods.String(), hashOrNone(session.Browser), string(session.Device))
}

func scanSession(row Scanner) (*signin.Session, error) {
	var (
		session signin.Session
		hash    []byte
		browser []byte
	)
	err := row.Scan(&hash, text(&session.ID), text(&session.Member), moment(&session.Authentication.At), moment(&session.SeenAt), moment(&session.ExpiresAt), methods(&session.Authentication.Methods), &browser, text(&session.Device))
	if err != nil {
		return nil, store.Found(err)
	}
	if copy(session.Hash[:], hash) != len(session.Hash) || len(hash) != len(session.Hash) {
		return nil, fmt.Errorf("a stored session hash has %d bytes, not %d", len(hash), len(session.Hash))
	}
	copy(session.Browser[:], browser)
	return &session, nil
}
