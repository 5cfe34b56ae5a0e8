package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// lane is this database's part of the audit chain. Its head moves with the
// transaction: what is undone has never been.
type lane struct {
	keys    audit.Keys
	head    audit.Head // behind the present act
	marked  audit.Head // before the present act
	started audit.Head // before the batch
	durable atomic.Pointer[audit.Head]
}

// Heads is how far the database's one lane has durably come (audit.Lanes).
func (d *Database) Heads(context.Context) ([]audit.Head, error) {
	return []audit.Head{*d.lane.durable.Load()}, nil
}

// NewestRecords gives the newest records that a filter lets through, newest first.
func (d *Database) NewestRecords(ctx context.Context, f audit.Filter, atMost int) ([]audit.Row, error) {
	return tables.NewestAudit(ctx, d, []string{d.lane.durable.Load().Lane}, f, atMost)
}

// CountRecords counts the records that a filter lets through.
func (d *Database) CountRecords(ctx context.Context, f audit.Filter) (int64, error) {
	return tables.CountAudit(ctx, d, []string{d.lane.durable.Load().Lane}, f)
}

// StartAudit takes up the database's lane of the audit chain, and gives the highest
// moment that is stored in it: the zero time for an empty lane. Before it, nothing can be recorded.
func (d *Database) StartAudit(ctx context.Context, name string, keys audit.Keys) (newest time.Time, err error) {
	l := &lane{keys: keys}
	if l.head, err = scanHead(name, d.QueryRowContext(ctx, tables.SelectNewestOfLane, name)); err != nil {
		return newest, fmt.Errorf("taking up the audit chain: %w", err)
	}
	l.begin()
	l.committed()
	d.lane = l
	// The writer owns the lane from here on, but for what is durable of it.
	return store.FromMicro(l.head.At), d.Write(ctx, func(tx *Tx) error {
		tx.lane = l
		return nil
	})
}

// scanHead reads how far a lane has come.
func scanHead(lane string, row tables.Scanner) (audit.Head, error) {
	head := audit.Head{Lane: lane}
	err := row.Scan(&head.Number, &head.Hash, &head.At)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return head, err
}

// moved reports whether the batch has records.
func (l *lane) moved() bool { return l.head.Number > l.started.Number }

// isStored reports whether the newest record of the batch is in the database.
func (l *lane) isStored(tx *Tx) (bool, error) {
	stored, err := scanHead(l.head.Lane, tx.QueryRow(tables.SelectNewestOfLane, l.head.Lane))
	return err == nil && stored.Number == l.head.Number && bytes.Equal(stored.Hash, l.head.Hash), err
}

// insertAudit is a text of this engine's own: a parameter with a name costs the driver
// an allocation, and every request writes these fourteen.
const insertAudit = `INSERT INTO audit_records (` + tables.AuditColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func (l *lane) append(tx *Tx, rec audit.Record) error {
	row, err := l.keys.Next(l.head, rec)
	if err != nil {
		return err
	}
	tx.Exec(insertAudit, tables.AuditValues(&row)...)
	l.head = row.Head()
	return nil
}

func (l *lane) begin()    { l.started = l.head }
func (l *lane) mark()     { l.marked = l.head }
func (l *lane) undo()     { l.head = l.marked }
func (l *lane) rollback() { l.head = l.started }
func (l *lane) committed() {
	durable := l.head
	l.durable.Store(&durable)
}

// RecordTallies turns the counts of hours that are over into records.
func (d *Database) RecordTallies(ctx context.Context, now time.Time) error {
	return tables.RecordTallies(ctx, d, now)
}

// Lanes names the lanes that have records.
func (d *Database) Lanes(ctx context.Context) ([]string, error) {
	var lanes []string
	err := d.Rows(ctx, func(row tables.Scanner) error {
		var name string
		err := row.Scan(&name)
		lanes = append(lanes, name)
		return err
	}, `SELECT DISTINCT lane FROM audit_records ORDER BY lane`)
	if err != nil {
		return nil, fmt.Errorf("reading the audit chain: %w", err)
	}
	return lanes, nil
}

// EachRow hands the records of a lane to each, by number, until it returns an error.
func (d *Database) EachRow(ctx context.Context, lane string, each func(audit.Row) error) error {
	return d.eachRecord(ctx, each, `SELECT `+tables.AuditColumns+` FROM audit_records WHERE lane = $1 ORDER BY number`, lane)
}

func (d *Database) eachRecord(ctx context.Context, each func(audit.Row) error, query string, args ...any) error {
	return d.Rows(ctx, func(row tables.Scanner) error {
		r, err := tables.ScanAudit(row)
		if err != nil {
			return fmt.Errorf("reading the audit chain: %w", err)
		}
		return each(r)
	}, query, args...)
}
