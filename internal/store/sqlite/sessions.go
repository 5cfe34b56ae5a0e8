package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store/tables"
)

// StartSession starts a sign-in and ends those in whose place it is (signin.Store).
func (s *Identity) StartSession(ctx context.Context, start signin.Start, onEnd outbox.OnSessionEnd, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := s.ReadMember(ctx, tx.QueryRow(tables.SelectMember, start.Session.Member))
		if err != nil {
			return err
		}
		if m.Suspended {
			return loop.ErrNotFound
		}
		// One of the same name goes on; of another's end its apps are notified.
		_, err = endSessions(tx, onEnd, `DELETE FROM sessions WHERE `+tables.SessionsReplaced+` RETURNING id, member_id`, tables.ReplacedBy(&start)...)
		if err != nil {
			return err
		}
		tables.StartSession(tx, &start)
		_, err = endSessions(tx, onEnd, `DELETE FROM sessions WHERE `+tables.SessionsTooMany+` RETURNING id, member_id`, start.Session.Member, start.Session.Hash[:], signin.MaxSessions)
		if err != nil {
			return err
		}
		if err := tables.ComeBack(tx, m, rec); err != nil {
			return err
		}
		return tx.Record(rec)
	})
}

// EndSession ends a sign-in with its record; one that is gone stays gone.
func (s *Identity) EndSession(ctx context.Context, hash [32]byte, onEnd outbox.OnSessionEnd, rec audit.Record) error {
	return s.end(ctx, onEnd, rec, `hash = $1`, hash[:])
}

// EndSessions ends sign-ins of a member with their record (signin.Store).
func (s *Identity) EndSessions(ctx context.Context, ending signin.Ending, onEnd outbox.OnSessionEnd, rec audit.Record) error {
	return s.end(ctx, onEnd, rec, tables.SessionsEnding, tables.EndedBy(ending)...)
}

// end ends the sign-ins of a condition with a record, where there are any.
func (s *Identity) end(ctx context.Context, onEnd outbox.OnSessionEnd, rec audit.Record, condition string, args ...any) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		ended, err := endSessions(tx, onEnd, `DELETE FROM sessions WHERE `+condition+` RETURNING id, member_id`, args...)
		if err != nil || ended == 0 {
			return err
		}
		return tx.Record(rec)
	})
}

// endSessions deletes sessions by a query that returns which, and writes the messages
// that their ends bring about. It says how many there were.
func endSessions(tx *Tx, onEnd outbox.OnSessionEnd, query string, args ...any) (int, error) {
	var ended []loop.EndedSession
	err := tx.Each(func(row tables.Scanner) error {
		var one loop.EndedSession
		err := row.Scan(&one.ID, &one.Member)
		ended = append(ended, one)
		return err
	}, query, args...)
	if err != nil {
		return 0, fmt.Errorf("ending sessions: %w", err)
	}
	for _, one := range ended {
		if one.Apps, err = listeners(tx, one); err != nil {
			return 0, fmt.Errorf("reading who hears of a session's end: %w", err)
		}
		tables.AddMessages(tx, onEnd(one))
	}
	return len(ended), nil
}

// listeners gives the apps that have tokens of a session and take logout tokens.
func listeners(tx *Tx, ended loop.EndedSession) (apps []loop.ClientID, err error) {
	err = tx.Each(func(row tables.Scanner) error {
		var app loop.ClientID
		err := row.Scan(&app)
		apps = append(apps, app)
		return err
	}, `SELECT DISTINCT clients.id FROM chains JOIN clients ON clients.id = chains.client_id
		WHERE chains.member_id = $1 AND chains.session_id = $2 AND coalesce(clients.protocol ->> '$.backchannel_logout_uri', '') <> ''`, ended.Member, ended.ID)
	return apps, err
}
