package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/store"
)

const tallyColumns = `hour, event, subject, reason, member_id, client_id, grant_id, count`

const (
	addToTally = `INSERT INTO audit_tallies AS t (` + tallyColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)
		ON CONFLICT (hour, event, subject, reason) DO UPDATE SET count = t.count + 1`
	takeTallies       = `DELETE FROM audit_tallies WHERE hour < $1 RETURNING ` + tallyColumns
	deleteNobodyTally = `DELETE FROM audit_tallies WHERE hour = $1 AND event = $2 AND subject = ''`
)

// CountRefusal counts a refusal. Each subject, reason and hour has one count, which
// becomes one record when the hour is over.
func CountRefusal(tx Tx, now time.Time, r audit.Refusal) {
	tx.Exec(addToTally, store.Micro(now.Truncate(time.Hour)), r.Event, r.Subject, r.Reason, r.Member, r.Client, r.Grant)
}

// CountRefusal counts a sign-in that was refused. Without a subject it does the
// same work, commit included, and leaves nothing behind.
func (s Identity) CountRefusal(ctx context.Context, refusal audit.Refusal) error {
	return s.db.Do(ctx, func(tx Act) error {
		now := s.world.Now()
		CountRefusal(tx, now, refusal)
		tx.Exec(deleteNobodyTally, store.Micro(now.Truncate(time.Hour)), refusal.Event) // with a subject, too: the work is the same
		return nil
	})
}

// RecordRefusal counts a genuine token that was turned away.
func (s Clinical) RecordRefusal(ctx context.Context, refusal audit.Refusal) error {
	return s.db.Do(ctx, func(tx Act) error {
		CountRefusal(tx, s.world.Now(), refusal)
		return nil
	})
}

// RecordTallies turns the counts of hours that are over into records.
func RecordTallies(ctx context.Context, db Database, now time.Time) error {
	return db.Do(ctx, func(tx Act) error {
		var records []audit.Record
		err := tx.Each(into(&records, func(row Scanner) (audit.Record, error) { return scanTally(row, now) }),
			takeTallies, store.Micro(now.Truncate(time.Hour)))
		if err != nil {
			return fmt.Errorf("reading counted refusals: %w", err)
		}
		return RecordAll(tx, records)
	})
}

// scanTally reads a count of refusals as the record that it becomes when its hour
// is over.
func scanTally(row Scanner, now time.Time) (audit.Record, error) {
	var (
		rec             = audit.Record{At: now, Actor: audit.Actor{Kind: audit.BySystem}}
		hour            time.Time
		count           int64
		subject, reason string
	)
	err := row.Scan(moment(&hour), &rec.Event, &subject, &reason, &rec.Member, &rec.Client, &rec.Grant, &count)
	rec.Detail = audit.Detail{"subject": subject, "reason": reason, "count": fmt.Sprint(count), "hour": hour.Format(time.RFC3339)}
	return rec, err
}
