package store

import "github.com/loop-health/loop/internal/audit"

// AuditColumns are the columns of an audit record, in the order of ScanAudit and AuditValues.
const AuditColumns = `lane, number, at, event, actor_kind, actor_id, member_id, client_id, grant_id, request_id, address, detail, previous, hash`

// ScanAudit reads a record as it is stored.
func ScanAudit(row Scanner) (r audit.Row, err error) {
	err = row.Scan(&r.Lane, &r.Number, &r.At, &r.Event, &r.ActorKind, &r.ActorID, &r.Member, &r.Client, &r.Grant, &r.Request, &r.Address, &r.Detail, &r.Previous, &r.Hash)
	return r, err
}

// AuditValues is a record as its columns hold it.
func AuditValues(r *audit.Row) []any {
	return []any{r.Lane, r.Number, r.At, r.Event, r.ActorKind, r.ActorID, r.Member, r.Client, r.Grant, r.Request, r.Address, r.Detail, r.Previous, r.Hash}
}
