package tables

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// AuditColumns are the columns of an audit record, in the order of ScanAudit.
const AuditColumns = `lane, number, at, event, actor_kind, actor_id, member_id, client_id, grant_id, request_id, address, detail, previous, hash`

const insertAudit = `INSERT INTO audit_records (` + AuditColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`

// SelectNewestOfLane reads number, hash and moment of a lane's newest record.
const SelectNewestOfLane = `SELECT number, hash, at FROM audit_records WHERE lane = $1 ORDER BY number DESC LIMIT 1`

// The condition on the event is that of the index audit_records_of_apps.
const (
	selectClientRecords = `SELECT ` + AuditColumns + ` FROM audit_records WHERE client_id = $1 AND substr(event, 1, 7) = 'client.' ORDER BY at DESC, number DESC LIMIT $2`
	selectOwnerRecords  = `SELECT ` + AuditColumns + ` FROM audit_records WHERE client_id IN (SELECT id FROM clients WHERE owner = $1 AND owner <> '')
		AND substr(event, 1, 7) = 'client.' AND at >= $2 ORDER BY at DESC, number DESC LIMIT $3`
)

// ClientRecords reads the newest records of a client's registration, newest first.
func (s Identity) ClientRecords(ctx context.Context, id loop.ClientID, atMost int) ([]audit.Record, error) {
	return list(ctx, s.db, scanRecord, selectClientRecords, id, atMost)
}

// OwnerRecords reads the newest records of the registrations of an owner's clients
// since a moment, newest first.
func (s Identity) OwnerRecords(ctx context.Context, owner loop.MemberID, since time.Time, atMost int) ([]audit.Record, error) {
	return list(ctx, s.db, scanRecord, selectOwnerRecords, owner, store.Micro(since), atMost)
}

// scanRecord reads a record without its place in the chain.
func scanRecord(row Scanner) (audit.Record, error) {
	r, err := ScanAudit(row)
	if err != nil {
		return audit.Record{}, err
	}
	return r.Record()
}

// AddAudit inserts a record of the audit chain.
func AddAudit(tx Tx, r *audit.Row) { tx.Exec(insertAudit, AuditValues(r)...) }

// AuditValues is a record as its columns hold it. What every request writes or reads
// goes to the drivers in their own types: any other costs a conversion by reflection.
func AuditValues(r *audit.Row) []any {
	return []any{
		r.Lane, r.Number, r.At, string(r.Event), string(r.ActorKind), r.ActorID, r.Member, r.Client, r.Grant, r.Request, r.Address, r.Detail, r.Previous, r.Hash,
	}
}

// ScanAudit reads a record as it is stored.
func ScanAudit(row Scanner) (r audit.Row, err error) {
	err = row.Scan(&r.Lane, &r.Number, &r.At, &r.Event, &r.ActorKind, &r.ActorID, &r.Member, &r.Client, &r.Grant, &r.Request, &r.Address, &r.Detail, &r.Previous, &r.Hash)
	return r, err
}
