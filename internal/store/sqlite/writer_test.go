package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store/tables"
)

// nothingWritten fails the test where an answer is anything but: nothing was
// written, try again.
func nothingWritten(t *testing.T, who string, err error) {
	t.Helper()
	if e := loop.AsError(err); e.Code != loop.TemporarilyUnavailable || e.RetryAfter == 0 || errors.Is(err, loop.ErrOutcomeUnknown) {
		t.Errorf("%s is answered %v, retry after %v", who, err, e.RetryAfter)
	}
}

// outcomeUnknown fails the test where an answer invites to try again.
func outcomeUnknown(t *testing.T, err error) {
	t.Helper()
	if e := loop.AsError(err); e.Code != loop.TemporarilyUnavailable || e.RetryAfter != 0 || !errors.Is(err, loop.ErrOutcomeUnknown) {
		t.Errorf("answered %v, retry after %v", err, e.RetryAfter)
	}
}

// recording is an act that leaves a record.
func (s *identityUnderTest) recording(tx *Tx) error { return tx.Record(s.record()) }

// records checks that the lane has come so far, in memory and in the database,
// and that it goes on from there.
func (s *identityUnderTest) records(t *testing.T, want int64) {
	t.Helper()
	for range 2 {
		var stored int64
		must(t, s.db.QueryRowContext(t.Context(), `SELECT count(*) FROM audit_records`).Scan(&stored))
		if head := s.db.lane.durable.Load().Number; head != want || stored != want {
			t.Errorf("the lane stands at %d with %d records, want %d", head, stored, want)
		}
		must(t, s.db.Write(t.Context(), s.recording))
		want++
	}
	verified, err := audit.Verify(t.Context(), s.db.lane.keys, nil, s.db)
	if verified.Records != want {
		t.Errorf("of %d records %d verify: %v", want, verified.Records, err)
	}
}

func TestWriter_AnActThatFailsIsUndone(t *testing.T) {
	t.Parallel()
	fails := func(s *identityUnderTest) func(*Tx) error {
		return func(tx *Tx) error { return errors.Join(s.recording(tx), errOfAct) }
	}
	t.Run("alone in its transaction", func(t *testing.T) {
		t.Parallel()
		s := openIdentity(t)
		if err := s.db.Write(t.Context(), fails(s)); !errors.Is(err, errOfAct) {
			t.Errorf("answered %v", err)
		}
		s.records(t, 0)
	})
	t.Run("without the others of its transaction", func(t *testing.T) {
		t.Parallel()
		s := openIdentity(t)
		answers := s.together(t, s.recording, fails(s), s.recording)
		if answers[0] != nil || !errors.Is(answers[1], errOfAct) || answers[2] != nil {
			t.Errorf("answered %v", answers)
		}
		s.records(t, 2)
	})
	t.Run("also where it panics", func(t *testing.T) {
		t.Parallel()
		s := openIdentity(t)
		panics := func(tx *Tx) error {
			_ = s.recording(tx)
			panic("out of order")
		}
		if err := s.db.Write(t.Context(), panics); err == nil {
			t.Error("answered as if all were well")
		}
		if answers := s.together(t, s.recording, panics); answers[0] != nil || answers[1] == nil {
			t.Errorf("answered %v", answers)
		}
		s.records(t, 1)
	})
	t.Run("also where its request has ended", func(t *testing.T) {
		t.Parallel()
		s := openIdentity(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		nothingWritten(t, "the act", s.db.Write(ctx, s.recording))
		s.records(t, 0)
	})
	t.Run("and all of its transaction where the database ended that", func(t *testing.T) {
		t.Parallel()
		s := openIdentity(t)
		ends := func(tx *Tx) error { return tx.control("ROLLBACK") } // as SQLite does by itself on a full disk
		for i, answer := range s.together(t, s.recording, ends, s.recording) {
			if i != 1 {
				nothingWritten(t, "each of the others", answer)
			} else if answer == nil {
				t.Error("the act is answered as if all were well")
			}
		}
		s.records(t, 0)
	})
}

// Acts that may be carried out again have no savepoints, and are undone all the same.
func TestWriter_OfActsThatMayComeAgainOneFails(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fails func(*identityUnderTest, *Tx) error
		times int // that the two others are carried out
	}{
		"before it has written": {func(_ *identityUnderTest, tx *Tx) error {
			var one int
			return errors.Join(tx.QueryRow("SELECT 1").Scan(&one), errOfAct)
		}, 2},
		"half way": {func(s *identityUnderTest, tx *Tx) error { return errors.Join(s.recording(tx), errOfAct) }, 3},
		"half way by a query": {func(_ *identityUnderTest, tx *Tx) error {
			var number int64
			return errors.Join(tx.QueryRow(`UPDATE revocation_counter SET value = value + 1 RETURNING value`).Scan(&number), errOfAct)
		}, 3},
		"by a panic": {func(s *identityUnderTest, tx *Tx) error {
			_ = s.recording(tx)
			panic("out of order")
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openIdentity(t)
			var times, committed int
			counted := func(tx *Tx) error {
				times++
				tx.AfterCommit(func() { committed++ })
				return s.recording(tx)
			}
			answers := s.allTogether(t, true, counted, func(tx *Tx) error { return test.fails(s, tx) }, counted)
			if answers[0] != nil || answers[1] == nil || answers[2] != nil {
				t.Errorf("answered %v", answers)
			}
			if times != test.times || committed != 2 {
				t.Errorf("the two others were carried out %d times and committed %d times", times, committed)
			}
			if at, err := s.Epoch(t.Context()); err != nil || at.Counter != 0 {
				t.Errorf("the counter is at %d, %v", at.Counter, err)
			}
			s.records(t, 2)
		})
	}
}

var errOfDisk = errors.New("the disk fails")

// failing is an act that has the statements fail once each from here on; a COMMIT
// is carried out all the same.
func failing(queries ...string) func(*Tx) error {
	return func(tx *Tx) error {
		prepare := tx.statements.prepare
		prepared := map[string]*sql.Stmt{}
		for _, query := range queries {
			prepared[query] = tx.statements.byText[query]
			delete(tx.statements.byText, query)
		}
		tx.statements.prepare = func(ctx context.Context, query string) (*sql.Stmt, error) {
			i := slices.Index(queries, query)
			if i < 0 {
				return prepare(ctx, query)
			}
			queries = slices.Delete(queries, i, i+1)
			if query == "COMMIT" {
				_, err := prepared[query].ExecContext(ctx)
				return nil, errors.Join(errOfDisk, err)
			}
			return nil, errOfDisk
		}
		return nil
	}
}

// revoking is an act that revokes a grant and renames the client.
func (s *identityUnderTest) revoking(id loop.ClientID) func(*Tx) error {
	return func(tx *Tx) error {
		return s.changeClient(tx, id, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
			c.Name = "new"
			revocation := loop.Revocation{Kind: loop.RevokeClient, ID: string(c.ID), ExpiresAt: s.world.Now().Add(time.Hour)}
			return []loop.Revocation{revocation}, []audit.Record{s.record()}, nil
		})
	}
}

func TestWriter_WhereACommitFails(t *testing.T) {
	t.Parallel()
	type fixture struct {
		*identityUnderTest
		id loop.ClientID
	}
	for name, test := range map[string]func(t *testing.T, s fixture){
		"and it shows that all is durable, the acts are answered so": func(t *testing.T, s fixture) {
			for _, answer := range s.together(t, failing("COMMIT"), s.revoking(s.id), func(*Tx) error { return errOfAct }) {
				if answer != nil && !errors.Is(answer, errOfAct) {
					t.Errorf("answered %v", answer)
				}
			}
			s.sees(t, s.id, "new")
			if s.revocations.Len() != 1 {
				t.Errorf("%d revocations are known", s.revocations.Len())
			}
			s.records(t, 2)
		},
		"and what became of it cannot be read, nobody knows, until the next act": func(t *testing.T, s fixture) {
			answers := s.together(t, failing("COMMIT", tables.SelectNewestOfLane), s.revoking(s.id), func(*Tx) error { return errOfAct })
			outcomeUnknown(t, answers[1])
			if !errors.Is(answers[2], errOfAct) {
				t.Errorf("the act that failed by itself is answered %v", answers[2])
			}
			must(t, s.db.Write(t.Context(), func(*Tx) error { return nil }))
			if s.revocations.Len() != 1 {
				t.Errorf("%d revocations are known", s.revocations.Len())
			}
			s.sees(t, s.id, "new")
			s.records(t, 2)
		},
		"and cannot be read for long, nothing is written meanwhile": func(t *testing.T, s fixture) {
			outcomeUnknown(t, s.together(t, failing("COMMIT", tables.SelectNewestOfLane, tables.SelectNewestOfLane), s.revoking(s.id))[1])
			nothingWritten(t, "the next act", s.db.Write(t.Context(), s.recording))
			s.sees(t, s.id, "new")
			s.records(t, 2)
		},
		"and nothing is there, nobody knows": func(t *testing.T, s fixture) {
			answers := s.together(t, s.revoking(s.id), func(tx *Tx) error { // found out at the commit: SQLite refuses it
				_, err := tx.Count(`PRAGMA defer_foreign_keys = ON`)
				must(t, err)
				_, err = tx.Count(`INSERT INTO client_secrets (client_id, hash, created_at, expires_at) VALUES ('client_of_nobody', x'00', 0, 0)`)
				return err
			})
			outcomeUnknown(t, answers[0])
			outcomeUnknown(t, answers[1])
			s.sees(t, s.id, "old")
			if s.revocations.Len() != 0 {
				t.Errorf("%d revocations are known", s.revocations.Len())
			}
			s.records(t, 1)
		},
		"of an act that left no record, nobody knows": func(t *testing.T, s fixture) {
			outcomeUnknown(t, s.db.Write(t.Context(), failing("COMMIT")))
			s.records(t, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fixture{identityUnderTest: openIdentity(t)}
			s.id = s.addClient(t)
			s.sees(t, s.id, "old")
			test(t, s)
		})
	}
}
