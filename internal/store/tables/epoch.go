package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectEpoch = `SELECT epoch, value FROM revocation_counter`
	updateEpoch = `UPDATE revocation_counter SET epoch = $1, value = $2`
)

// ReadEpoch reads where the state is (oauth.Epochs).
func ReadEpoch(ctx context.Context, db Reader) (e loop.Epoch, err error) {
	if err = db.Row(ctx, selectEpoch).Scan(&e.Number, &e.Counter); err != nil {
		err = fmt.Errorf("reading the epoch: %w", store.Unreadable(err))
	}
	return e, err
}

// BeginEpoch ends everything that was given, and says how much that was.
func BeginEpoch(tx Act, next loop.Epoch, at time.Time, reason string) (ended oauth.Ended, err error) {
	var uncounted int64
	micro := store.Micro(at)
	for _, step := range []struct {
		rows      *int64
		statement string
		args      []any
	}{
		{&uncounted, updateEpoch, []any{next.Number, next.Counter}},
		{&ended.Sessions, deleteAllSessions, nil},
		{&uncounted, deleteAllPushedRequests, nil},
		{&ended.Chains, endAllChains, []any{micro, loop.EndingRevoked}},
		{&ended.Grants, endAllGrants, []any{micro, reason}},
	} {
		if *step.rows, err = tx.Count(step.statement, step.args...); err != nil {
			return oauth.Ended{}, err
		}
	}
	return ended, nil
}
