package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

// Tx is the transaction that an act runs in. It is good until the act returns.
//
// Statements that nobody waits for are gathered, and sent with the next one that
// somebody does: the commit at the latest. So an error of theirs can come later,
// but never after the commit.
type Tx struct {
	ctx     context.Context //nolint:containedctx // of this one transaction
	world   loop.World
	conn    *pgx.Conn
	lane    *lane // nil where the audit chain has not been started
	pending *pgx.Batch
	open    bool // BEGIN has reached the server
	within  *Tx  // whose part this is, where several acts share a transaction; nil: it is a whole one
	missed  bool // a compare-and-set did not find its row

	expected    []error // what it means that a compare-and-set did not find its row
	afterCommit []func()
	atEnd       []func()
	awaits      uint64 // the revocation number that everybody must know before the act is answered
}

func newTx(ctx context.Context, w *writer) *Tx {
	tx := &Tx{ctx: ctx, world: w.database.config.World, conn: w.conn, lane: w.lane, pending: &pgx.Batch{}}
	tx.pending.Queue("BEGIN")
	return tx
}

// Exec gathers a statement that changes as many rows as it finds.
func (tx *Tx) Exec(query string, args ...any) { tx.pending.Queue(query, args...) }

// One gathers a statement that must change one row; where it does not, the
// transaction fails and Write returns otherwise.
func (tx *Tx) One(otherwise error, query string, args ...any) {
	tx.expected = append(tx.expected, otherwise)
	at := len(tx.expected) - 1
	tx.pending.Queue(`WITH changed AS (`+query+` RETURNING 1) SELECT one_row(count(*)) FROM changed`, args...).
		QueryRow(func(row pgx.Row) error {
			var one bool
			err := row.Scan(&one)
			if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == notOneRow {
				cmp.Or(tx.within, tx).missed = true
				return expectedError{tx.expected[at]}
			}
			return err
		})
}

// notOneRow is the code of the exception of one_row.
const notOneRow = "LP001"

// expectedError is an answer of the act's own, not a failure of the database.
type expectedError struct{ error }

// Unwrap gives the answer.
func (e expectedError) Unwrap() error { return e.error }

// Then gathers a statement whose row is read once it has been sent.
func (tx *Tx) Then(scan func(tables.Scanner) error, query string, args ...any) {
	tx.pending.Queue(query, args...).QueryRow(func(row pgx.Row) error { return scan(row) })
}

// Each sends what was gathered together with a query, and gives every row to scan
// (tables.Act).
func (tx *Tx) Each(scan func(tables.Scanner) error, query string, args ...any) error {
	tx.pending.Queue(query, args...).Query(func(rows pgx.Rows) error { return eachRow(rows, scan) })
	return tx.send()
}

// QueryRow sends what was gathered together with a query, and scans its one row;
// sql.ErrNoRows where there is none.
func (tx *Tx) QueryRow(scan func(tables.Scanner) error, query string, args ...any) error {
	tx.Then(scan, query, args...)
	return tx.send()
}

// Count sends what was gathered together with a statement, and says how many rows
// that changed.
func (tx *Tx) Count(query string, args ...any) (rows int64, err error) {
	tx.pending.Queue(query, args...).Exec(func(tag pgconn.CommandTag) error {
		rows = tag.RowsAffected()
		return nil
	})
	return rows, tx.send()
}

// AfterCommit has f run once the transaction is durable, before Write returns;
// never, if it is undone.
func (tx *Tx) AfterCommit(f func()) { tx.afterCommit = append(tx.afterCommit, f) }

// AtEnd has f run once the transaction is over, whether it is durable or undone,
// and before Write returns.
func (tx *Tx) AtEnd(f func()) { tx.atEnd = append(tx.atEnd, f) }

// Record appends a record to the audit chain, in this transaction.
func (tx *Tx) Record(rec audit.Record) error {
	if tx.lane == nil {
		return fmt.Errorf("recording %s: the audit chain has not been started", rec.Event)
	}
	return tx.lane.append(tx, rec)
}

// part has an act gather what it writes, as a part of the transaction. An act that
// fails leaves nothing in it. A part MUST NOT wait for the database.
func (tx *Tx) part(act func(*Tx) error) error {
	part := &Tx{ctx: tx.ctx, world: tx.world, conn: tx.conn, lane: tx.lane, pending: &pgx.Batch{}, within: tx}
	undo := tx.lane.mark()
	err := protect(act, part)
	tx.atEnd = append(tx.atEnd, part.atEnd...)
	if err != nil {
		undo()
		return err
	}
	tx.pending.QueuedQueries = append(tx.pending.QueuedQueries, part.pending.QueuedQueries...)
	tx.afterCommit = append(tx.afterCommit, part.afterCommit...)
	return nil
}

var errPartWaits = errors.New("a part of a transaction waits for the database")

// send has the server carry out what was gathered.
func (tx *Tx) send() error {
	if tx.within != nil {
		return errPartWaits
	}
	if tx.pending.Len() == 0 {
		return nil
	}
	batch := tx.pending
	tx.pending, tx.open = &pgx.Batch{}, true
	return tx.conn.SendBatch(tx.ctx, batch).Close()
}

// commit sends what was gathered together with the commit.
func (tx *Tx) commit() error {
	tx.pending.Queue("COMMIT")
	return tx.send()
}

// rollback takes back what has reached the server.
func (tx *Tx) rollback() error {
	if !tx.open {
		return nil
	}
	_, err := tx.conn.Exec(tx.ctx, "ROLLBACK")
	return err
}
