package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store/tables"
)

// StartSession starts a sign-in and ends those in whose place it is (signin.Store).
func (s *IdentityStore) StartSession(ctx context.Context, start signin.Start, onEnd outbox.OnSessionEnd, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := s.lockMember(tx, start.Session.Member, "FOR NO KEY UPDATE") // one at a time, so that the count of sessions holds
		if err != nil {
			return err
		}
		if m.Suspended {
			return loop.ErrNotFound
		}
		// One of the same name goes on; of another's end its apps are notified.
		if _, err := endSessions(tx, onEnd, tables.SessionsReplaced, tables.ReplacedBy(&start)...); err != nil {
			return err
		}
		tables.StartSession(tx, &start)
		if _, err := endSessions(tx, onEnd, tables.SessionsTooMany, start.Session.Member, start.Session.Hash[:], signin.MaxSessions); err != nil {
			return err
		}
		if err := tables.ComeBack(tx, m, rec); err != nil {
			return err
		}
		return tx.Record(rec)
	})
}

// errNothingToDo undoes a transaction that found nothing to do.
var errNothingToDo = errors.New("there is nothing to do")

// EndSession ends a sign-in with its record; one that is gone stays gone.
func (s *IdentityStore) EndSession(ctx context.Context, hash [32]byte, onEnd outbox.OnSessionEnd, rec audit.Record) error {
	return s.end(ctx, onEnd, rec, `hash = $1`, hash[:])
}

// EndSessions ends sign-ins of a member with their record (signin.Store).
func (s *IdentityStore) EndSessions(ctx context.Context, ending signin.Ending, onEnd outbox.OnSessionEnd, rec audit.Record) error {
	return s.end(ctx, onEnd, rec, tables.SessionsEnding, tables.EndedBy(ending)...)
}

// end ends the sign-ins of a condition with a record, where there are any.
func (s *IdentityStore) end(ctx context.Context, onEnd outbox.OnSessionEnd, rec audit.Record, condition string, args ...any) error {
	err := s.db.Write(ctx, func(tx *Tx) error {
		ended, err := endSessions(tx, onEnd, condition, args...)
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
// and writes the messages that their ends bring about. It says how many there were.
func endSessions(tx *Tx, onEnd outbox.OnSessionEnd, condition string, args ...any) (count int, err error) {
	var ended []loop.EndedSession
	err = tx.Each(func(row tables.Scanner) error {
		var one loop.EndedSession
		err := row.Scan(&one.ID, &one.Member, &one.Apps)
		ended = append(ended, one)
		return err
	}, `
WITH ended AS (DELETE FROM sessions WHERE `+condition+` RETURNING id, member_id)
SELECT ended.id, ended.member_id, ARRAY(
	SELECT DISTINCT clients.id FROM chains JOIN clients ON clients.id = chains.client_id
	WHERE chains.member_id = ended.member_id AND chains.session_id = ended.id
	AND coalesce(clients.protocol::json ->> 'backchannel_logout_uri', '') <> '')
FROM ended`, args...)
	if err != nil {
		return 0, fmt.Errorf("ending sessions: %w", err)
	}
	for _, one := range ended {
		tables.AddMessages(tx, onEnd(one))
	}
	return len(ended), nil
}
