package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// StartSession inserts a sign-in with its record, and ends the one whose hash is
// given, if any. A member who was suspended in the meantime is
// loop.ErrNotFound.
func (s *Identity) StartSession(ctx context.Context, session signin.Session, ends [32]byte, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := tables.ScanMember(tx.QueryRow(tables.SelectMember, session.Member))
		if err != nil {
			return err
		}
		if m.Suspended {
			return loop.ErrNotFound
		}
		// One of the same name goes on; of another's end its apps are told.
		_, err = s.endSessions(tx, `DELETE FROM sessions WHERE hash = $1 AND id <> $2 RETURNING id, member_id`, ends[:], session.ID)
		if err != nil {
			return err
		}
		tables.ReplaceSession(tx, ends, &session)
		return tx.Record(rec)
	})
}

// EndSession ends a sign-in with its record; one that is gone stays gone.
func (s *Identity) EndSession(ctx context.Context, hash [32]byte, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		ended, err := s.endSessions(tx, `DELETE FROM sessions WHERE hash = $1 RETURNING id, member_id`, hash[:])
		if err != nil || ended == 0 {
			return err
		}
		return tx.Record(rec)
	})
}

// endSessions deletes sessions by a query that returns which, and queues a logout
// for each app with tokens of one. It says how many there were.
func (s *Identity) endSessions(tx *Tx, query string, args ...any) (int, error) {
	type session struct {
		id     loop.SessionID
		member loop.MemberID
	}
	var ended []session
	err := tx.Each(func(row tables.Scanner) error {
		var one session
		err := row.Scan(&one.id, &one.member)
		ended = append(ended, one)
		return err
	}, query, args...)
	if err != nil {
		return 0, fmt.Errorf("ending sessions: %w", err)
	}
	for _, one := range ended {
		s.queueLogouts(tx, one.member, one.id)
	}
	return len(ended), nil
}

// queueLogouts adds a delivery for each app that has tokens of the session and takes
// logout tokens; once, however often the session's end is noted.
func (s *Identity) queueLogouts(tx *Tx, member loop.MemberID, session loop.SessionID) {
	tx.Exec(`INSERT INTO logouts (client_id, session_id, member_id, attempts, due_at, ended_at)
		SELECT DISTINCT clients.id, chains.session_id, chains.member_id, 0, $1, $1
		FROM chains JOIN clients ON clients.id = chains.client_id
		WHERE chains.member_id = $2 AND chains.session_id = $3 AND coalesce(clients.protocol ->> '$.backchannel_logout_uri', '') <> ''
		ON CONFLICT DO NOTHING`, store.Micro(s.world.Now()), member, session)
}
