package store

import "github.com/loop-health/loop/internal/signin"

// SessionColumns are the columns of a sign-in, in the order of SessionValues.
const SessionColumns = `hash, id, member_id, auth_time, seen_at, expires_at`

// ScanSession reads a sign-in; loop.ErrNotFound where there is none.
func ScanSession(row Scanner) (*signin.Session, error) {
	var (
		session signin.Session
		hash    []byte
	)
	err := row.Scan(&hash, text(&session.ID), text(&session.Member), moment(&session.AuthTime), moment(&session.SeenAt), moment(&session.ExpiresAt))
	if err != nil {
		return nil, Found(err)
	}
	copy(session.Hash[:], hash)
	return &session, nil
}

// SessionValues is a sign-in as its columns hold it.
func SessionValues(s *signin.Session) []any {
	return []any{s.Hash[:], s.ID, s.Member, Micro(s.AuthTime), Micro(s.SeenAt), Micro(s.ExpiresAt)}
}
