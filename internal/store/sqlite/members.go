package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

// Member reads a member; loop.ErrNotFound where there is none.
func (s *Identity) Member(ctx context.Context, id loop.MemberID) (*loop.Member, error) {
	return store.ScanMember(s.db.QueryRowContext(ctx, `SELECT `+store.MemberColumns+` FROM members WHERE id = ?`, id))
}

// Members lists every member, newest first.
func (s *Identity) Members(ctx context.Context) ([]*loop.Member, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+store.MemberColumns+` FROM members ORDER BY id DESC`)
	if err != nil {
		return nil, fmt.Errorf("listing members: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var members []*loop.Member
	for rows.Next() {
		m, err := store.ScanMember(rows)
		if err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, rows.Err()
}

// Account finds the member with the address, and the hash of their password;
// loop.ErrNotFound where there is none.
func (s *Identity) Account(ctx context.Context, email loop.Email) (m *loop.Member, passwordHash string, err error) {
	row := s.db.QueryRowContext(ctx, `SELECT `+store.MemberColumns+`, password FROM members WHERE email = ?`, email)
	m, err = store.ScanAccount(row, &passwordHash)
	return m, passwordHash, err
}

// AddMember inserts a new member with their record; member.ErrAddressTaken
// where the address has an account.
func (s *Identity) AddMember(ctx context.Context, m *loop.Member, passwordHash string, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		added, err := tx.Exec(`INSERT INTO members (`+store.MemberColumns+`, password) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING`, append(store.MemberValues(m), passwordHash)...)
		if err != nil {
			return fmt.Errorf("inserting a member: %w", err)
		}
		if added == 0 {
			return member.ErrAddressTaken
		}
		return tx.Record(rec)
	})
}

// ChangeMember reads a member, has change alter whether they are suspended and
// their notice, and writes that with what it revokes and its records. A
// suspended member's sessions end.
func (s *Identity) ChangeMember(ctx context.Context, id loop.MemberID, change func(*loop.Member) ([]loop.Revocation, []audit.Record, error)) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := store.ScanMember(tx.QueryRow(`SELECT `+store.MemberColumns+` FROM members WHERE id = ?`, id))
		if err != nil {
			return err
		}
		revocations, records, err := change(m)
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE members SET suspended = ?, notice = ?, updated_at = ? WHERE id = ?`, m.Suspended, m.Notice, store.Micro(m.UpdatedAt), m.ID)
		if err != nil {
			return fmt.Errorf("updating a member: %w", err)
		}
		if m.Suspended {
			if _, err := s.endSessions(tx, `DELETE FROM sessions WHERE member_id = ? RETURNING id, member_id`, m.ID); err != nil {
				return err
			}
		}
		return s.revokeAndRecord(tx, revocations, records)
	})
}

// CountRefusal counts a sign-in that was refused. Without a subject it does the
// same work, commit included, and leaves nothing behind.
func (s *Identity) CountRefusal(ctx context.Context, refusal audit.Refusal) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if err := tx.Tally(refusal); err != nil || refusal.Subject != "" {
			return err
		}
		_, err := tx.Exec(`DELETE FROM audit_tallies WHERE subject = ''`)
		return err
	})
}

// StartSession inserts a sign-in with its record, and ends the one whose hash is
// given, if any. A member who was suspended in the meantime is
// loop.ErrNotFound.
func (s *Identity) StartSession(ctx context.Context, session signin.Session, ends [32]byte, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := store.ScanMember(tx.QueryRow(`SELECT `+store.MemberColumns+` FROM members WHERE id = ?`, session.Member))
		if err != nil {
			return err
		}
		if m.Suspended {
			return loop.ErrNotFound
		}
		// One of the same name goes on; another's end is told to its apps.
		_, err = s.endSessions(tx, `DELETE FROM sessions WHERE hash = ? AND id <> ? RETURNING id, member_id`, ends[:], session.ID)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM sessions WHERE hash = ?`, ends[:]); err != nil {
			return fmt.Errorf("ending the session before: %w", err)
		}
		_, err = tx.Exec(`INSERT INTO sessions (`+store.SessionColumns+`) VALUES (?, ?, ?, ?, ?, ?)`, store.SessionValues(&session)...)
		if err != nil {
			return fmt.Errorf("inserting a session: %w", err)
		}
		return tx.Record(rec)
	})
}

// Session reads a sign-in; loop.ErrNotFound where there is none.
func (s *Identity) Session(ctx context.Context, hash [32]byte) (*signin.Session, error) {
	return store.ScanSession(s.db.QueryRowContext(ctx, `SELECT `+store.SessionColumns+` FROM sessions WHERE hash = ?`, hash[:]))
}

// TouchSession notes that a session is in use.
func (s *Identity) TouchSession(ctx context.Context, session *signin.Session) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		_, err := tx.Exec(`UPDATE sessions SET seen_at = ? WHERE hash = ?`, store.Micro(session.SeenAt), session.Hash[:])
		return err
	})
}

// EndSession ends a sign-in with its record; one that is gone stays gone.
func (s *Identity) EndSession(ctx context.Context, hash [32]byte, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		ended, err := s.endSessions(tx, `DELETE FROM sessions WHERE hash = ? RETURNING id, member_id`, hash[:])
		if err != nil || ended == 0 {
			return err
		}
		return tx.Record(rec)
	})
}

// endSessions deletes sessions by a query that returns which, and puts down whom
// to tell. It says how many there were.
func (s *Identity) endSessions(tx *Tx, query string, args ...any) (int, error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return 0, fmt.Errorf("ending sessions: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	type ended struct {
		id     loop.SessionID
		member loop.MemberID
	}
	var all []ended
	for rows.Next() {
		var one ended
		if err := rows.Scan(&one.id, &one.member); err != nil {
			return 0, fmt.Errorf("ending sessions: %w", err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("ending sessions: %w", err)
	}
	for _, one := range all {
		if err := s.tellOfEnd(tx, one.member, one.id); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}
