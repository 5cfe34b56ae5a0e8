package biomarker

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Amount is how many results a member has.
type Amount struct {
	Count int
	Since time.Time // collection of the oldest; zero: there is none
}

// Amount counts a member's results, without those that were replaced or entered in
// error.
func (r *Reader) Amount(ctx context.Context, member loop.MemberID) (Amount, error) {
	var amount Amount
	_, err := r.Results.ListResults(ctx, member, Selection{}, func(result *Result) bool {
		amount.Count++
		amount.Since = result.CollectedAt // the newest come first
		return true
	})
	return amount, err
}
