package member

import (
	"context"
	"strconv"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// ViewedResults records that a member looks at so many of their own lab results. It
// returns once that is durable.
func (a *Accounts) ViewedResults(ctx context.Context, id loop.MemberID, count int) error {
	return a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(*loop.Member) (Change, error) {
		rec := audit.OfMember(ctx, a.World.Now(), audit.BiomarkersViewed, id)
		rec.Detail = audit.Detail{"count": strconv.Itoa(count)}
		return Change{Records: []audit.Record{rec}}, nil
	})
}
