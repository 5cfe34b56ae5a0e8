package biomarker

import (
	"context"
	"fmt"
	"math/big"

	"github.com/loop-health/loop/internal/loop"
)

// Trend is the newest result of one biomarker and the one before it.
type Trend struct {
	Newest   Judged
	Previous *Judged // nil: there is only one
}

// Summarize gives the newest result of each biomarker that the member has results
// of, in the catalogue's order.
func (r *Reader) Summarize(ctx context.Context, member loop.MemberID, person Person) ([]Trend, error) {
	found := make(map[Code]*Trend)
	var failed error
	_, err := r.Results.ListResults(ctx, member, Selection{}, func(result *Result) bool {
		trend := found[result.Code]
		if trend != nil && trend.Previous != nil {
			return true
		}
		var judged Judged
		if judged, failed = r.Catalogue.Judge(result, person); failed != nil {
			return false
		}
		if trend == nil {
			found[result.Code] = &Trend{Newest: judged}
		} else {
			trend.Previous = &judged
		}
		return true
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, fmt.Errorf("summarizing results: %w", err)
	}
	trends := make([]Trend, 0, len(found))
	for b := range r.Catalogue.All() {
		if trend, ok := found[b.Code]; ok {
			trends = append(trends, *trend)
		}
	}
	return trends, nil
}

// Change is how much the newest value is above the one before it, in a system of
// units; absent where there is none, or where one of them is not exact.
func (t *Trend) Change(system System) Decimal {
	if t.Previous == nil || t.Newest.Comparator != Exactly || t.Previous.Comparator != Exactly {
		return Decimal{}
	}
	newest, previous := t.Newest.In(system), t.Previous.In(system)
	if !newest.Value.Present() || !previous.Value.Present() {
		return Decimal{}
	}
	unit := t.Newest.Biomarker.In(system).Unit
	difference := new(big.Rat).Sub(t.Newest.ExactIn(unit), t.Previous.ExactIn(unit))
	return decimalOf(difference.FloatString(max(newest.Value.places(), previous.Value.places())))
}
