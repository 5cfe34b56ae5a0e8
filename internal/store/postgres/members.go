package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

const selectMember = `SELECT ` + store.MemberColumns + ` FROM members WHERE id = $1`

// Member reads a member; loop.ErrNotFound where there is none.
func (s *IdentityStore) Member(ctx context.Context, id loop.MemberID) (*loop.Member, error) {
	return store.ScanMember(s.db.QueryRow(ctx, selectMember, id))
}

// Members lists every member, newest first.
func (s *IdentityStore) Members(ctx context.Context) ([]*loop.Member, error) {
	return list(ctx, s.db, store.ScanMember, `SELECT `+store.MemberColumns+` FROM members ORDER BY id DESC`)
}

// Account finds the member with the address, and the hash of their password;
// loop.ErrNotFound where there is none.
func (s *IdentityStore) Account(ctx context.Context, email loop.Email) (m *loop.Member, passwordHash string, err error) {
	row := s.db.QueryRow(ctx, `SELECT `+store.MemberColumns+`, password FROM members WHERE email = $1`, email)
	m, err = store.ScanAccount(row, &passwordHash)
	return m, passwordHash, err
}

// AddMember inserts a new member with their record; member.ErrAddressTaken
// where the address has an account.
func (s *IdentityStore) AddMember(ctx context.Context, m *loop.Member, passwordHash string, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.One(member.ErrAddressTaken, `INSERT INTO members (`+store.MemberColumns+`, password) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (email) DO NOTHING`,
			append(store.MemberValues(m), passwordHash)...)
		return tx.Record(rec)
	})
}

// lockMember reads a member and keeps others from changing them until the
// transaction is over; how is FOR UPDATE or FOR SHARE.
func lockMember(tx *Tx, id loop.MemberID, how string) (m *loop.Member, err error) {
	err = tx.QueryRow(func(row store.Scanner) (err error) {
		m, err = store.ScanMember(row)
		return err
	}, selectMember+` `+how, id)
	return m, err
}

// ChangeMember reads a member, has change alter whether they are suspended and
// their notice, and writes that with what it revokes and its records. A
// suspended member's sessions end.
func (s *IdentityStore) ChangeMember(ctx context.Context, id loop.MemberID, change func(*loop.Member) ([]loop.Revocation, []audit.Record, error)) error {
	return s.write(ctx, func(tx *Tx) error {
		m, err := lockMember(tx, id, "FOR UPDATE")
		if err != nil {
			return err
		}
		revocations, records, err := change(m)
		if err != nil {
			return err
		}
		tx.Exec(`UPDATE members SET suspended = $1, notice = $2, updated_at = $3 WHERE id = $4`, m.Suspended, m.Notice, store.Micro(m.UpdatedAt), m.ID)
		if m.Suspended {
			if _, err := s.endSessions(tx, `member_id = $1`, m.ID); err != nil {
				return err
			}
		}
		if err := recordAll(tx, records); err != nil {
			return err
		}
		s.tell(tx, revocations)
		return nil
	})
}

// CountRefusal counts a sign-in that was refused. Without a subject it does the
// same work, commit included, and leaves nothing behind.
func (s *IdentityStore) CountRefusal(ctx context.Context, refusal audit.Refusal) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Tally(refusal)
		if refusal.Subject == "" {
			tx.Exec(`DELETE FROM audit_tallies WHERE subject = ''`)
		}
		return nil
	})
}

// StartSession inserts a sign-in with its record, and ends the one whose hash is
// given, if any. A member who was suspended in the meantime is
// loop.ErrNotFound.
func (s *IdentityStore) StartSession(ctx context.Context, session signin.Session, ends [32]byte, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := lockMember(tx, session.Member, "FOR SHARE")
		if err != nil {
			return err
		}
		if m.Suspended {
			return loop.ErrNotFound
		}
		// One of the same name goes on; another's end is told to its apps.
		if _, err := s.endSessions(tx, `hash = $1 AND id <> $2`, ends[:], session.ID); err != nil {
			return err
		}
		tx.Exec(`DELETE FROM sessions WHERE hash = $1`, ends[:])
		tx.Exec(`INSERT INTO sessions (`+store.SessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`, store.SessionValues(&session)...)
		return tx.Record(rec)
	})
}

// Session reads a sign-in; loop.ErrNotFound where there is none.
func (s *IdentityStore) Session(ctx context.Context, hash [32]byte) (*signin.Session, error) {
	return store.ScanSession(s.db.QueryRow(ctx, `SELECT `+store.SessionColumns+` FROM sessions WHERE hash = $1`, hash[:]))
}

// TouchSession notes that a session is in use.
func (s *IdentityStore) TouchSession(ctx context.Context, session *signin.Session) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Exec(`UPDATE sessions SET seen_at = $1 WHERE hash = $2`, store.Micro(session.SeenAt), session.Hash[:])
		return nil
	})
}

// errNothingToDo undoes a transaction that found nothing to do.
var errNothingToDo = errors.New("there is nothing to do")

// EndSession ends a sign-in with its record; one that is gone stays gone.
func (s *IdentityStore) EndSession(ctx context.Context, hash [32]byte, rec audit.Record) error {
	err := s.db.Write(ctx, func(tx *Tx) error {
		ended, err := s.endSessions(tx, `hash = $1`, hash[:])
		if err != nil {
			return err
		}
		if ended == 0 {
			return errNothingToDo
		}
		return tx.Record(rec)
	})
	if errors.Is(err, errNothingToDo) {
		return nil
	}
	return err
}

// endSessions deletes the sessions of a condition, whose numbered places args fill,
// and puts down for each app that has tokens from one and wants to know, that it is
// to be told; once, however often a session's end is noted. It says how many there
// were.
func (s *IdentityStore) endSessions(tx *Tx, condition string, args ...any) (count int, err error) {
	now := fmt.Sprintf("$%d", len(args)+1)
	err = tx.QueryRow(func(row store.Scanner) error { return row.Scan(&count) }, `
WITH ended AS (DELETE FROM sessions WHERE `+condition+` RETURNING id, member_id),
told AS (
	INSERT INTO logouts (client_id, session_id, member_id, attempts, due_at, ended_at)
	SELECT DISTINCT clients.id, chains.session_id, chains.member_id, 0, `+now+`::bigint, `+now+`::bigint
	FROM ended JOIN chains ON chains.member_id = ended.member_id AND chains.session_id = ended.id
	JOIN clients ON clients.id = chains.client_id
	WHERE coalesce(clients.protocol::json ->> 'backchannel_logout_uri', '') <> ''
	ON CONFLICT DO NOTHING)
SELECT count(*) FROM ended`, append(args, store.Micro(s.world.Now()))...)
	if err != nil {
		return 0, fmt.Errorf("ending sessions: %w", err)
	}
	return count, nil
}
