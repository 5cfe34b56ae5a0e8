package tables

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// ResultColumns are the columns of a lab result, in the order of ScanResult.
const ResultColumns = `collected_at, id, code, comparator, value, unit, reference_low, reference_high, flag, source, parsed_at`

// SelectNewestArrival numbers the newest of a member's results; 0 where there is none.
const SelectNewestArrival = `SELECT coalesce(max(arrival), 0) FROM results WHERE member_id = $1`

const (
	selectResult = `SELECT arrival, ` + ResultColumns + ` FROM results WHERE member_id = $1 AND id = $2`
	insertResult = `INSERT INTO results (member_id, arrival, ` + ResultColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
)

// ScanResult reads the arrival that a page is read at, and a result.
func ScanResult(row Scanner, arrival *int64, r *biomarker.Result) error {
	var collectedAt, parsedAt int64
	var value, low, high string
	// Texts go into texts: each name of one would cost the driver a look at its kind.
	err := row.Scan(arrival, &collectedAt, (*string)(&r.ID), (*string)(&r.Code), (*string)(&r.Comparator), &value, &r.Unit, &low, &high,
		(*string)(&r.Flag), &r.Source, &parsedAt)
	if err != nil {
		return err
	}
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

// AddResults inserts a member's new results, numbered from behind an arrival on.
func AddResults(tx Tx, member loop.MemberID, arrival int64, results []biomarker.Result) {
	for i := range results {
		r := &results[i]
		tx.Exec(insertResult, member, arrival+int64(i)+1,
			store.Micro(r.CollectedAt), r.ID, r.Code, r.Comparator, r.Value.String(), r.Unit,
			r.Range.Low.String(), r.Range.High.String(), r.Flag, r.Source, store.Micro(r.ParsedAt))
	}
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
