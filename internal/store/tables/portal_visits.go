package tables

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectVisit = `SELECT coalesce(max(began_at), 0) FROM portal_visits WHERE member_id = $1`
	putVisit    = `INSERT INTO portal_visits (member_id, began_at) VALUES ($1, $2) ON CONFLICT (member_id) DO UPDATE SET began_at = excluded.began_at`
)

// BeginVisit notes that a developer has come to the portal, and says when they came
// before; the zero time where they never did.
func (s Identity) BeginVisit(ctx context.Context, member loop.MemberID, at time.Time) (before time.Time, err error) {
	err = s.db.Do(ctx, func(tx Act) error {
		tx.Then(func(row Scanner) error { return row.Scan(moment(&before)) }, selectVisit, member)
		tx.Exec(putVisit, member, store.Micro(at))
		return nil
	})
	return before, err
}
