package tables

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/store"
)

// The record has no index by what operators look for: each would have to be written with
// every record. A search reads a lane from its end, a page a statement, and a lane is in
// the order of its moments, so that its part of a time is found by halving.
const (
	selectLaneBounds = `SELECT coalesce(min(number), 0), coalesce(max(number), 0) FROM audit_records WHERE lane = $1`
	selectMomentOf   = `SELECT at FROM audit_records WHERE lane = $1 AND number >= $2 ORDER BY number LIMIT 1`

	auditMatches = ` FROM audit_records WHERE lane = $1 AND number > $2 AND number <= $3
		AND ($4 = '' OR actor_id = $4) AND ($5 = '' OR event = $5 OR substr(event, 1, length($5) + 1) = $5 || '.')
		AND ($6 = '' OR member_id = $6) AND ($7 = '' OR client_id = $7) AND ($8 = '' OR grant_id = $8)`
	selectMatching = `SELECT ` + AuditColumns + auditMatches + ` ORDER BY number DESC LIMIT $9`
	countMatching  = `SELECT count(*)` + auditMatches
)

// auditSearchPage is how many records of a lane a statement looks at.
const auditSearchPage = 5000

// NewestAudit gives the newest records of lanes that a filter lets through, at most so
// many, the newest first.
func NewestAudit(ctx context.Context, db Reader, lanes []string, f audit.Filter, atMost int) ([]audit.Row, error) {
	var all []audit.Row
	for _, lane := range lanes {
		found := 0
		err := eachPage(ctx, db, lane, f, func(args []any) (more bool, err error) {
			page, err := list(ctx, db, ScanAudit, selectMatching, append(args, atMost-found)...)
			found += len(page)
			all = append(all, page...)
			return found < atMost, err
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b audit.Row) int {
		return -cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Number, b.Number))
	})
	return all[:min(len(all), atMost)], nil
}

// CountAudit counts the records of lanes that a filter lets through.
func CountAudit(ctx context.Context, db Reader, lanes []string, f audit.Filter) (total int64, err error) {
	for _, lane := range lanes {
		err := eachPage(ctx, db, lane, f, func(args []any) (more bool, err error) {
			var count int64
			err = db.Row(ctx, countMatching, args...).Scan(&count)
			total += count
			return true, store.Found(err)
		})
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}

// eachPage gives the parameters of each page of a lane, from its end, until there is no
// more.
func eachPage(ctx context.Context, db Reader, lane string, f audit.Filter, each func(args []any) (more bool, err error)) error {
	first, last, err := laneRange(ctx, db, lane, f)
	for to, more := last, true; err == nil && more && to >= first; to -= auditSearchPage {
		more, err = each([]any{lane, max(first-1, to-auditSearchPage), to, f.Actor, f.Event, f.Member, f.Client, f.Grant})
	}
	if err != nil {
		return fmt.Errorf("searching the audit record: %w", err)
	}
	return nil
}

// laneRange gives the first and the last number of a lane that can match.
func laneRange(ctx context.Context, db Reader, lane string, f audit.Filter) (first, last int64, err error) {
	if err := db.Row(ctx, selectLaneBounds, lane).Scan(&first, &last); err != nil {
		return 0, 0, store.Found(err)
	}
	if last == 0 {
		return 1, 0, nil
	}
	first = max(first, f.Behind[lane]+1)
	if !f.Since.IsZero() {
		first, err = firstSince(ctx, db, lane, first, last, f.Since)
	}
	if !f.Until.IsZero() && err == nil {
		var over int64
		over, err = firstSince(ctx, db, lane, first, last, f.Until)
		last = over - 1
	}
	return first, last, err
}

// firstSince finds the number of the first record at or after a moment, or the one behind
// the last.
func firstSince(ctx context.Context, db Reader, lane string, first, last int64, at time.Time) (int64, error) {
	var fault error
	span := int(min(max(last-first+1, 0), math.MaxInt32))
	found := sort.Search(span, func(i int) bool {
		var moment int64
		err := db.Row(ctx, selectMomentOf, lane, first+int64(i)).Scan(&moment)
		if errors.Is(err, sql.ErrNoRows) {
			return true
		}
		fault = cmp.Or(fault, err)
		return err != nil || moment >= store.Micro(at)
	})
	return first + int64(found), store.Found(fault)
}
