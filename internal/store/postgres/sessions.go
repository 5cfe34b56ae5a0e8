package postgres

import (
	"context"
	"errors"
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
func (s *IdentityStore) StartSession(ctx context.Context, session signin.Session, ends [32]byte, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := lockMember(tx, session.Member, "FOR SHARE")
		if err != nil {
			return err
		}
		if m.Suspended {
			return loop.ErrNotFound
		}
		// One of the same name goes on; of another's end its apps are told.
		if _, err := s.endSessions(tx, `hash = $1 AND id <> $2`, ends[:], session.ID); err != nil {
			return err
		}
		tables.ReplaceSession(tx, ends, &session)
		return tx.Record(rec)
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
// and queues a logout for each app that has tokens of one and takes logout tokens;
// once, however often a session's end is noted. It says how many there were.
func (s *IdentityStore) endSessions(tx *Tx, condition string, args ...any) (count int, err error) {
	now := fmt.Sprintf("$%d", len(args)+1)
	err = tx.QueryRow(func(row tables.Scanner) error { return row.Scan(&count) }, `
WITH ended AS (DELETE FROM sessions WHERE `+condition+` RETURNING id, member_id),
queued AS (
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
