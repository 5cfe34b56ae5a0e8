package postgres

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// lane is one connection's part of the audit chain. Its head moves with the
// transaction: what is undone has never been.
type lane struct {
	keys    audit.Keys
	head    audit.Head // behind the present transaction
	started audit.Head // before it
}

// StartAudit takes up the audit chain: from now on, each connection that writes
// has a lane of it, called by the name and a number. Before it, nothing can be
// recorded. The moment that it gives is the highest that is stored in any lane.
func (d *Database) StartAudit(ctx context.Context, name string, keys audit.Keys) (newest time.Time, err error) {
	d.keys, d.laneName = keys, name
	var at int64
	err = d.QueryRow(ctx, `SELECT coalesce(max(r.at), 0) FROM audit_lanes AS l, LATERAL (SELECT at FROM audit_records WHERE lane = l.name ORDER BY number DESC LIMIT 1) AS r`).Scan(&at)
	if err != nil {
		return newest, fmt.Errorf("taking up the audit chain: %w", err)
	}
	return store.FromMicro(at), nil
}

// Advisory locks come in two spaces; in this one the first number says what for.
const (
	locksLanesOfIdentity = 0x4c6f0001 + iota
	locksLanesOfClinical
	locksLeading
	locksMigrating
	locksStarting
	locksProbing
	locksTries      // of sign-in, by place
	locksResultForm // in which results are added
	locksMemberForm // in which names and addresses are written
)

// maxLanes bounds how many connections can write at once, over all processes.
const maxLanes = 10_000

// takeLane takes the lowest lane that no other connection has. The lock ends with
// the connection, and not before the server has ended what it was doing for it: so
// the head that is read is the last there will be of those before.
func takeLane(ctx context.Context, conn *pgx.Conn, d *Database) (*lane, error) {
	var number int
	// A lock more than is needed, should the server ever look further than to the
	// first row, would do no harm.
	err := conn.QueryRow(ctx, `SELECT n FROM generate_series(1, $2::int) AS n WHERE pg_try_advisory_lock($1, n) LIMIT 1`, roomOf(d.schema).lanes, maxLanes).Scan(&number)
	if err != nil {
		return nil, fmt.Errorf("taking up a lane of the audit chain: %w", err)
	}
	l := &lane{keys: d.keys}
	name := fmt.Sprintf("%s.%d", d.laneName, number)
	if _, err := conn.Exec(ctx, `INSERT INTO audit_lanes (name) VALUES ($1) ON CONFLICT DO NOTHING`, name); err != nil {
		return nil, fmt.Errorf("taking up a lane of the audit chain: %w", err)
	}
	if l.head, err = readHead(ctx, conn, name); err != nil {
		return nil, fmt.Errorf("taking up a lane of the audit chain: %w", err)
	}
	l.started = l.head
	return l, nil
}

func readHead(ctx context.Context, conn *pgx.Conn, name string) (audit.Head, error) {
	head := audit.Head{Lane: name}
	err := conn.QueryRow(ctx, tables.SelectNewestOfLane, name).Scan(&head.Number, &head.Hash, &head.At)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return head, err
}

// moved reports whether the transaction has records.
func (l *lane) moved() bool { return l.head.Number > l.started.Number }

// isStored reports whether the newest record of the transaction is in the database.
func (l *lane) isStored(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var hash []byte
	err := conn.QueryRow(ctx, `SELECT hash FROM audit_records WHERE lane = $1 AND number = $2`, l.head.Lane, l.head.Number).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return bytes.Equal(hash, l.head.Hash), err
}

func (l *lane) append(tx *Tx, rec audit.Record) error {
	row, err := l.keys.Next(l.head, rec)
	if err != nil {
		return err
	}
	tables.AddAudit(tx, &row)
	l.head = row.Head()
	return nil
}

// mark notes how far the lane has come; undo goes back there. Without a lane there is
// nothing to go back to.
func (l *lane) mark() (undo func()) {
	if l == nil {
		return func() {}
	}
	head := l.head
	return func() { l.head = head }
}

func (l *lane) committed() { l.started = l.head }
func (l *lane) rollback()  { l.head = l.started }

// RecordTallies turns the counts of hours that are over into records.
func (d *Database) RecordTallies(ctx context.Context, now time.Time) error {
	return tables.RecordTallies(ctx, d, now)
}

// Lanes names the lanes that have been taken up.
func (d *Database) Lanes(ctx context.Context) ([]string, error) {
	return list(ctx, d, func(row tables.Scanner) (name string, err error) { return name, row.Scan(&name) },
		`SELECT name FROM audit_lanes WHERE EXISTS (SELECT 1 FROM audit_records WHERE lane = name) ORDER BY name`)
}

// Heads is how far every lane has durably come, whoever writes it.
func (d *Database) Heads(ctx context.Context) ([]audit.Head, error) {
	return list(ctx, d, func(row tables.Scanner) (head audit.Head, err error) {
		return head, row.Scan(&head.Lane, &head.Number, &head.Hash)
	}, `SELECT l.name, r.number, r.hash FROM audit_lanes AS l
		CROSS JOIN LATERAL (SELECT number, hash FROM audit_records WHERE lane = l.name ORDER BY number DESC LIMIT 1) AS r ORDER BY l.name`)
}

// NewestRecords gives the newest records of all lanes that a filter lets through, newest
// first.
func (d *Database) NewestRecords(ctx context.Context, f audit.Filter, atMost int) ([]audit.Row, error) {
	lanes, err := d.Lanes(ctx)
	if err != nil {
		return nil, err
	}
	return tables.NewestAudit(ctx, d, lanes, f, atMost)
}

// CountRecords counts the records of all lanes that a filter lets through.
func (d *Database) CountRecords(ctx context.Context, f audit.Filter) (int64, error) {
	lanes, err := d.Lanes(ctx)
	if err != nil {
		return 0, err
	}
	return tables.CountAudit(ctx, d, lanes, f)
}

// auditPage is how many records are read at once: a lane can be longer than a
// statement may take.
const auditPage = 2000

// EachRow hands the records of a lane to each, by number, until it returns an error.
func (d *Database) EachRow(ctx context.Context, lane string, each func(audit.Row) error) error {
	for after := int64(0); ; {
		rows, err := list(ctx, d, tables.ScanAudit, `SELECT `+tables.AuditColumns+` FROM audit_records WHERE lane = $1 AND number > $2 ORDER BY number LIMIT $3`,
			lane, after, auditPage)
		if err != nil {
			return fmt.Errorf("reading the audit chain: %w", err)
		}
		if err := eachOf(rows, each); err != nil || len(rows) < auditPage {
			return err
		}
		after = rows[len(rows)-1].Number
	}
}

func eachOf(rows []audit.Row, each func(audit.Row) error) error {
	for _, row := range rows {
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}
