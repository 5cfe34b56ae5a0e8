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

// Newest hands the newest records to each, oldest first.
func (d *Database) Newest(ctx context.Context, count int, each func(audit.Row) error) error {
	rows, err := d.QueryContext(ctx, `SELECT * FROM (SELECT `+store.AuditColumns+` FROM audit_records WHERE lane = ? ORDER BY number DESC LIMIT ?) ORDER BY number`,
		d.lane.durable.Load().Lane, count)
	if err != nil {
		return fmt.Errorf("reading the audit chain: %w", err)
	}
	return eachRow(rows, each)
}

// StartAudit takes up the database's lane of the audit chain, and gives the highest
// moment that is stored in it; the clock must not go behind that. It is the zero
// time for an empty lane. Before it, nothing can be recorded.
func (d *Database) StartAudit(ctx context.Context, name string, keys audit.Keys) (newest time.Time, err error) {
	l := &lane{keys: keys}
	if l.head, newest, err = scanHead(name, d.QueryRowContext(ctx, selectHead, name)); err != nil {
		return newest, fmt.Errorf("taking up the audit chain: %w", err)
	}
	l.begin()
	l.committed()
	d.lane = l
	// The writer owns the lane from here on, but for what is durable of it.
	return newest, d.Write(ctx, func(tx *Tx) error {
		tx.lane = l
		return nil
	})
}

const selectHead = `SELECT number, hash, at FROM audit_records WHERE lane = ? ORDER BY number DESC LIMIT 1`

// scanHead reads how far a lane has come, and when.
func scanHead(lane string, row store.Scanner) (head audit.Head, newest time.Time, err error) {
	var at int64
	head.Lane = lane
	err = row.Scan(&head.Number, &head.Hash, &at)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return head, store.FromMicro(at), err
}

// moved reports whether the batch has records.
func (l *lane) moved() bool { return l.head.Number > l.started.Number }

// isStored reports whether the newest record of the batch is in the database.
func (l *lane) isStored(tx *Tx) (bool, error) {
	stored, _, err := scanHead(l.head.Lane, tx.QueryRow(selectHead, l.head.Lane))
	return err == nil && stored.Number == l.head.Number && bytes.Equal(stored.Hash, l.head.Hash), err
}

func (l *lane) append(tx *Tx, rec audit.Record) error {
	row, err := l.keys.Next(l.head, rec)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO audit_records (`+store.AuditColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, store.AuditValues(&row)...)
	if err != nil {
		return fmt.Errorf("recording %s: %w", rec.Event, err)
	}
	l.head.Number, l.head.Hash = row.Number, row.Hash
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

// Tally counts a refusal. Each subject, reason and hour has one count, which
// becomes one record when the hour is over.
func (tx *Tx) Tally(r audit.Refusal) error {
	_, err := tx.Exec(`INSERT INTO audit_tallies (hour, event, subject, reason, member_id, client_id, grant_id, count) VALUES (?, ?, ?, ?, ?, ?, ?, 1)
		ON CONFLICT (hour, event, subject, reason) DO UPDATE SET count = count + 1`,
		store.Micro(tx.world.Now().Truncate(time.Hour)), r.Event, r.Subject, r.Reason, r.Member, r.Client, r.Grant)
	return err
}

// RecordTallies turns the counts of hours that are over into records.
func (d *Database) RecordTallies(ctx context.Context, now time.Time) error {
	return d.Write(ctx, func(tx *Tx) error {
		before := store.Micro(now.Truncate(time.Hour))
		records, err := tallied(tx, before, now)
		if err != nil || len(records) == 0 {
			return err
		}
		for _, rec := range records {
			if err := tx.Record(rec); err != nil {
				return err
			}
		}
		_, err = tx.Exec(`DELETE FROM audit_tallies WHERE hour < ?`, before)
		return err
	})
}

func tallied(tx *Tx, before int64, now time.Time) ([]audit.Record, error) {
	rows, err := tx.Query(`SELECT `+store.TallyColumns+` FROM audit_tallies WHERE hour < ?`, before)
	if err != nil {
		return nil, fmt.Errorf("reading counted refusals: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var records []audit.Record
	for rows.Next() {
		rec, err := store.ScanTally(rows, now)
		if err != nil {
			return nil, fmt.Errorf("reading counted refusals: %w", err)
		}
		records = append(records, rec)
	}
	return records, rows.Err()
}

// Lanes names the lanes that have records.
func (d *Database) Lanes(ctx context.Context) ([]string, error) {
	rows, err := d.QueryContext(ctx, `SELECT DISTINCT lane FROM audit_records ORDER BY lane`)
	if err != nil {
		return nil, fmt.Errorf("reading the audit chain: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var lanes []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("reading the audit chain: %w", err)
		}
		lanes = append(lanes, name)
	}
	return lanes, rows.Err()
}

// EachRow hands the records of a lane to each, by number, until it returns an error.
func (d *Database) EachRow(ctx context.Context, lane string, each func(audit.Row) error) error {
	rows, err := d.QueryContext(ctx, `SELECT `+store.AuditColumns+` FROM audit_records WHERE lane = ? ORDER BY number`, lane)
	if err != nil {
		return fmt.Errorf("reading the audit chain: %w", err)
	}
	return eachRow(rows, each)
}

func eachRow(rows *sql.Rows, each func(audit.Row) error) error {
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	for rows.Next() {
		r, err := store.ScanAudit(rows)
		if err != nil {
			return fmt.Errorf("reading the audit chain: %w", err)
		}
		if err := each(r); err != nil {
			return err
		}
	}
	return rows.Err()
}
