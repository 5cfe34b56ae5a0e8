package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

// Epoch reads where the state is (oauth.Epochs).
func (c *Commons) Epoch(ctx context.Context) (e loop.Epoch, err error) {
	if err = c.db.QueryRow(ctx, `SELECT epoch, value FROM revocation_counter`).Scan(&e.Number, &e.Counter); err != nil {
		err = fmt.Errorf("reading the epoch: %w", store.Unavailable(err))
	}
	return e, err
}

// errOthersServe refuses a new epoch while other processes go on in the one before.
var errOthersServe = errors.New("other servers run on this database: stop them first, or wait four seconds for the leases of those that were killed")

// BeginEpoch ends what was given in one transaction (oauth.Epochs). No other process
// may serve.
func (s *IdentityStore) BeginEpoch(ctx context.Context, next loop.Epoch, reason string, rec audit.Record) (ended oauth.Ended, err error) {
	err = s.write(ctx, func(tx *Tx) error {
		var others bool
		if err := tx.QueryRow(func(row store.Scanner) error { return row.Scan(&others) }, selectOthers, s.presence.id, leaseMargin.Microseconds()); err != nil {
			return err
		}
		if others {
			return errOthersServe
		}
		at := store.Micro(rec.At)
		for _, step := range []struct {
			rows      *int64
			statement string
			args      []any
		}{
			{new(int64), `UPDATE revocation_counter SET epoch = $1, value = $2`, []any{next.Number, next.Counter}},
			{&ended.Sessions, `DELETE FROM sessions`, nil},
			{new(int64), `DELETE FROM pushed_requests`, nil},
			{&ended.Chains, `UPDATE chains SET ended_at = $1, ending = $2 WHERE ended_at = 0`, []any{at, loop.EndingRevoked}},
			{&ended.Grants, `UPDATE grants SET revoked_at = $1, updated_at = $1, reason = $2 WHERE revoked_at = 0`, []any{at, reason}},
		} {
			if *step.rows, err = tx.Count(step.statement, step.args...); err != nil {
				return err
			}
		}
		rec.Detail = ended.Detail(next)
		tx.AfterCommit(func() { s.revocations.Raise(next) })
		return tx.Record(rec)
	})
	return ended, err
}
