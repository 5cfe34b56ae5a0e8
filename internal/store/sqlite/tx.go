package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

// Tx is the transaction that an act runs in. It is good until the act returns.
type Tx struct {
	world      loop.World
	statements statements
	lane       *lane // nil until StartAudit

	afterCommit []func()
	marked      int // hooks before the present act
	atEnd       []func()
	failed      error // why the present act is undone, whatever it returns
	wrote       bool  // the present act may have changed something
	unsettled   bool  // its commit failed, and what became of it could not be read
}

// Exec changes as many rows as it finds (tables.Tx).
func (tx *Tx) Exec(query string, args ...any) {
	if _, err := tx.Count(query, args...); err != nil {
		tx.failed = err
	}
}

// One changes one row exactly; else the act ends with otherwise (tables.Tx).
func (tx *Tx) One(otherwise error, query string, args ...any) {
	changed, err := tx.Count(query, args...)
	if err == nil && changed != 1 {
		err = otherwise
	}
	if err != nil {
		tx.failed = err
	}
}

// Count changes as many rows as it finds, and says how many (tables.Act). What
// failed before in the same act is its error, too.
func (tx *Tx) Count(query string, args ...any) (rows int64, err error) {
	if tx.failed != nil {
		return 0, tx.failed
	}
	return tx.run(query, args...)
}

func (tx *Tx) run(query string, args ...any) (rows int64, err error) {
	tx.wrote = true
	stmt, err := tx.statements.get(context.Background(), query) //nolint:sqlclosecheck // kept: the writer closes it
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Then gives the one row of a query to scan (tables.Act).
func (tx *Tx) Then(scan func(tables.Scanner) error, query string, args ...any) {
	if err := scan(tx.QueryRow(query, args...)); err != nil {
		tx.failed = err
	}
}

// Each gives every row of a query to scan (tables.Act).
func (tx *Tx) Each(scan func(tables.Scanner) error, query string, args ...any) error {
	rows, err := tx.query(query, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

func (tx *Tx) query(query string, args ...any) (*sql.Rows, error) {
	if tx.failed != nil {
		return nil, tx.failed
	}
	tx.noteWriting(query)
	stmt, err := tx.statements.get(context.Background(), query) //nolint:sqlclosecheck // kept: the writer closes it
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(context.Background(), args...)
}

// Row is one row, or why it could not be read.
type Row struct {
	row *sql.Row
	err error
}

// Scan reads the row's columns; sql.ErrNoRows where there is none.
func (r Row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	return r.row.Scan(dest...)
}

// QueryRow reads one row.
func (tx *Tx) QueryRow(query string, args ...any) Row {
	if tx.failed != nil {
		return Row{err: tx.failed}
	}
	tx.noteWriting(query)
	stmt, err := tx.statements.get(context.Background(), query) //nolint:sqlclosecheck // kept: the writer closes it
	if err != nil {
		return Row{err: err}
	}
	return Row{row: stmt.QueryRowContext(context.Background(), args...)}
}

// noteWriting notes a query that does more than read.
func (tx *Tx) noteWriting(query string) {
	tx.wrote = tx.wrote || !strings.HasPrefix(strings.TrimLeft(query, " \n\t"), "SELECT")
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

// control runs a statement that begins or ends a transaction or a savepoint.
func (tx *Tx) control(statement string) error {
	_, err := tx.run(statement)
	return err
}

// begin forgets what the batch before left behind.
func (tx *Tx) begin() {
	tx.afterCommit, tx.marked, tx.atEnd = tx.afterCommit[:0], 0, tx.atEnd[:0]
	if tx.lane != nil {
		tx.lane.begin()
	}
}

// mark notes where an act begins.
func (tx *Tx) mark() {
	tx.wrote = false
	tx.marked = len(tx.afterCommit)
	if tx.lane != nil {
		tx.lane.mark()
	}
}

// undo takes back what the present act left outside the database.
func (tx *Tx) undo() {
	tx.afterCommit = tx.afterCommit[:tx.marked]
	if tx.lane != nil {
		tx.lane.undo()
	}
}

// settle finds out what became of the batch before, where its commit failed, and
// brings what it left outside the database into line. Its audit records show it:
// every change of state leaves one, and the lane's newest shows whether they are
// there.
func (tx *Tx) settle() (durable bool, err error) {
	if !tx.unsettled {
		return false, nil
	}
	if tx.lane != nil && tx.lane.moved() {
		if durable, err = tx.lane.isStored(tx); err != nil {
			return false, err
		}
	}
	tx.unsettled = false
	if durable {
		tx.committed()
	} else {
		tx.rollback()
	}
	return durable, nil
}

// rollback takes back what the whole batch left outside the database.
func (tx *Tx) rollback() {
	tx.afterCommit = nil
	if tx.lane != nil {
		tx.lane.rollback()
	}
	tx.end()
}

// committed makes what the batch left outside the database visible.
func (tx *Tx) committed() {
	if tx.lane != nil {
		tx.lane.committed()
	}
	for _, f := range tx.afterCommit {
		f()
	}
	tx.end()
}

func (tx *Tx) end() {
	for _, f := range tx.atEnd {
		f()
	}
}
