package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

// Epoch reads where the state is (oauth.Epochs).
func (s *Identity) Epoch(ctx context.Context) (e loop.Epoch, err error) {
	if err = s.db.QueryRowContext(ctx, `SELECT epoch, value FROM revocation_counter`).Scan(&e.Number, &e.Counter); err != nil {
		err = fmt.Errorf("reading the epoch: %w", err)
	}
	return e, err
}

// BeginEpoch ends what was given in one transaction (oauth.Epochs).
func (s *Identity) BeginEpoch(ctx context.Context, next loop.Epoch, reason string, rec audit.Record) (oauth.Ended, error) {
	var ended oauth.Ended
	err := s.db.Write(ctx, func(tx *Tx) error {
		at := store.Micro(rec.At)
		for _, step := range []struct {
			rows      *int64
			statement string
			args      []any
		}{
			{new(int64), `UPDATE revocation_counter SET epoch = ?, value = ?`, []any{next.Number, next.Counter}},
			{&ended.Sessions, `DELETE FROM sessions`, nil},
			{new(int64), `DELETE FROM pushed_requests`, nil},
			{&ended.Chains, `UPDATE chains SET ended_at = ?, ending = ? WHERE ended_at = 0`, []any{at, loop.EndingRevoked}},
			{&ended.Grants, `UPDATE grants SET revoked_at = ?, updated_at = ?, reason = ? WHERE revoked_at = 0`, []any{at, at, reason}},
		} {
			var err error
			if *step.rows, err = tx.Exec(step.statement, step.args...); err != nil {
				return err
			}
		}
		rec.Detail = ended.Detail(next)
		tx.AfterCommit(func() { s.revocations.Raise(next) })
		return tx.Record(rec)
	})
	return ended, err
}
