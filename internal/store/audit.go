package store

import (
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
)

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

// TallyColumns are the columns of a count of refusals, in the order of ScanTally.
const TallyColumns = `hour, event, subject, reason, member_id, client_id, grant_id, count`

// ScanTally reads a count of refusals as the record that it becomes when its hour
// is over.
func ScanTally(row Scanner, now time.Time) (audit.Record, error) {
	var (
		rec             = audit.Record{At: now, Actor: audit.Actor{Kind: audit.BySystem}}
		hour, count     int64
		subject, reason string
	)
	err := row.Scan(&hour, &rec.Event, &subject, &reason, &rec.Member, &rec.Client, &rec.Grant, &count)
	rec.Detail = audit.Detail{"subject": subject, "reason": reason, "count": fmt.Sprint(count), "hour": FromMicro(hour).Format(time.RFC3339)}
	return rec, err
}
