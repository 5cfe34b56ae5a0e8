package store

import (
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// ResultColumns are the columns of a lab result, in the order of ScanResult and ResultValues.
const ResultColumns = `collected_at, id, code, comparator, value, unit, reference_low, reference_high, flag, source, parsed_at`

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

// ResultValues is a result as its columns hold it.
func ResultValues(r *biomarker.Result) []any {
	return []any{
		Micro(r.CollectedAt), r.ID, r.Code, r.Comparator, r.Value.String(), r.Unit,
		r.Range.Low.String(), r.Range.High.String(), r.Flag, r.Source, Micro(r.ParsedAt),
	}
}
