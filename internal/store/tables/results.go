package tables

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// ResultColumns are the columns of a lab result, in the order of ScanResult.
const ResultColumns = `collected_at, id, code, comparator, value, unit, reference_low, reference_high, flag, source, parsed_at, value_text, excluded, precision, sent_by`

// Standing is the condition for results that nobody has retracted.
const Standing = `retracted_at = 0`

const (
	// selectNewestArrival numbers the newest of a member's results; 0 where there is none.
	selectNewestArrival = `SELECT coalesce(max(arrival), 0) FROM results WHERE member_id = $1`
	selectResult        = `SELECT arrival, ` + ResultColumns + ` FROM results WHERE member_id = $1 AND id = $2 AND ` + Standing
	insertResult        = `INSERT INTO results (member_id, arrival, ` + ResultColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	selectSender        = `SELECT sent_by, retracted_at FROM results WHERE member_id = $1 AND id = $2`
	retractResult       = `UPDATE results SET retracted_at = $3 WHERE member_id = $1 AND id = $2 AND ` + Standing
)

// ScanResult reads the arrival that a page is read at, and a result.
func ScanResult(row Scanner, arrival *int64, r *biomarker.Result) error {
	var collectedAt, parsedAt int64
	var value, low, high, excluded string
	// Texts go into texts: each name of one would cost the driver a look at its kind.
	err := row.Scan(arrival, &collectedAt, (*string)(&r.ID), (*string)(&r.Code), (*string)(&r.Comparator), &value, &r.Unit, &low, &high,
		(*string)(&r.Flag), &r.Source, &parsedAt, &r.Text, &excluded, (*string)(&r.Precision), (*string)(&r.SentBy))
	if err != nil {
		return err
	}
	r.Range.LowExcluded, r.Range.HighExcluded = excluded == lowLimit || excluded == bothLimits, excluded == highLimit || excluded == bothLimits
	r.CollectedAt, r.ParsedAt = time.UnixMicro(collectedAt).UTC(), time.UnixMicro(parsedAt).UTC()
	for _, number := range []struct {
		text string
		into *biomarker.Decimal
	}{{value, &r.Value}, {low, &r.Range.Low}, {high, &r.Range.High}} {
		if number.text == "" {
			continue
		}
		if *number.into, err = biomarker.ParseDecimal(number.text); err != nil {
			return fmt.Errorf("result %s: %w", r.ID, err)
		}
	}
	return nil
}

// Which of a laboratory's limits are excluded.
const (
	lowLimit   = "low"
	highLimit  = "high"
	bothLimits = "both"
)

func excluded(r biomarker.Range) string {
	switch {
	case r.LowExcluded && r.HighExcluded:
		return bothLimits
	case r.LowExcluded:
		return lowLimit
	case r.HighExcluded:
		return highLimit
	default:
		return ""
	}
}

// AddResults inserts a member's new results (biomarker.Inbox).
func (s Clinical) AddResults(ctx context.Context, member loop.MemberID, results []biomarker.Result, once *biomarker.Submission, rec audit.Record) (ids []loop.ResultID, err error) {
	err = s.db.Do(ctx, func(tx Act) (err error) {
		s.lock(tx, member) // arrivals are numbered one batch after the other
		if ids, err = s.submitted(tx, member, once); err != nil || ids != nil {
			return err
		}
		var arrival int64
		if err := tx.Each(func(row Scanner) error { return row.Scan(&arrival) }, selectNewestArrival, member); err != nil {
			return fmt.Errorf("numbering results: %w", err)
		}
		if arrival+int64(len(results)) > biomarker.MaxResults {
			return biomarker.ErrFull
		}
		for i := range results {
			insertNewResult(tx, member, arrival+int64(i)+1, &results[i])
			ids = append(ids, results[i].ID)
		}
		keepSubmission(tx, member, once, ids)
		return tx.Record(rec)
	})
	return ids, err
}

func insertNewResult(tx Tx, member loop.MemberID, arrival int64, r *biomarker.Result) {
	tx.Exec(insertResult, member, arrival,
		store.Micro(r.CollectedAt), r.ID, r.Code, r.Comparator, r.Value.String(), r.Unit,
		r.Range.Low.String(), r.Range.High.String(), r.Flag, r.Source, store.Micro(r.ParsedAt),
		r.Text, excluded(r.Range), r.Precision, r.SentBy)
}

// RetractResult marks a result as entered in error (biomarker.Inbox).
func (s Clinical) RetractResult(ctx context.Context, member loop.MemberID, by loop.ClientID, id loop.ResultID, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		s.lock(tx, member)
		var sender loop.ClientID
		var retractedAt int64
		found := false
		err := tx.Each(func(row Scanner) error {
			found = true
			return row.Scan((*string)(&sender), &retractedAt)
		}, selectSender, member, id)
		switch {
		case err != nil:
			return fmt.Errorf("finding the result to retract: %w", err)
		case !found:
			return loop.ErrNotFound
		case sender != by:
			return biomarker.ErrOtherSender
		case retractedAt != 0:
			return nil
		}
		tx.Exec(retractResult, member, id, store.Micro(rec.At))
		return tx.Record(rec)
	})
}

// FindResult gives one of the member's results (biomarker.Results).
func (s Clinical) FindResult(ctx context.Context, member loop.MemberID, id loop.ResultID) (*biomarker.Result, error) {
	var arrival int64
	var r biomarker.Result
	if err := store.Found(ScanResult(s.db.Row(ctx, selectResult, member, id), &arrival, &r)); err != nil {
		return nil, err
	}
	return &r, nil
}

// errEnough ends a reading early.
var errEnough = errors.New("no more rows are wanted")

// ListResults gives every result of a query, which has an arrival before the
// columns, to each, until that returns false (biomarker.Results).
func ListResults(ctx context.Context, db Reader, each func(*biomarker.Result) bool, query string, args ...any) (arrival int64, err error) {
	err = db.Rows(ctx, func(row Scanner) error {
		var r biomarker.Result
		if err := ScanResult(row, &arrival, &r); err != nil {
			return err
		}
		if !each(&r) {
			return errEnough
		}
		return nil
	}, query, args...)
	if err != nil && !errors.Is(err, errEnough) {
		return 0, fmt.Errorf("reading results: %w", err)
	}
	return arrival, nil
}

// Bounds are what a selection has of limits, as both engines take them: the time of
// collection from and to before, in microseconds, and the place to go on behind.
func Bounds(sel biomarker.Selection) (from, to, place int64, id string) {
	from, to, place = math.MinInt64, math.MaxInt64, math.MaxInt64
	if !sel.From.IsZero() {
		from = sel.From.UnixMicro()
	}
	if !sel.To.IsZero() {
		to = sel.To.UnixMicro()
	}
	if sel.After != (biomarker.Position{}) {
		place, id = sel.After.CollectedAt.UnixMicro(), string(sel.After.ID)
	}
	return from, to, place, id
}

// RecordRead writes the record of a read and returns once it is durable.
func (s Clinical) RecordRead(ctx context.Context, rec audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error { return tx.Record(rec) })
}
