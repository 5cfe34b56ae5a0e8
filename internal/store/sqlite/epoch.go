package sqlite

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/tables"
)

// Epoch reads where the state is (oauth.Epochs).
func (s *Identity) Epoch(ctx context.Context) (loop.Epoch, error) { return tables.ReadEpoch(ctx, s.db) }

// BeginEpoch ends what was given in one transaction (oauth.Epochs).
func (s *Identity) BeginEpoch(ctx context.Context, next loop.Epoch, reason string, rec audit.Record) (ended oauth.Ended, err error) {
	err = s.db.Write(ctx, func(tx *Tx) (err error) {
		if ended, err = tables.BeginEpoch(tx, next, rec.At, reason); err != nil {
			return err
		}
		rec.Detail = ended.Detail(next)
		tx.AfterCommit(func() { s.revocations.Raise(next) })
		return tx.Record(rec)
	})
	return ended, err
}
