package postgres

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/tables"
)

// Epoch reads where the state is (oauth.Epochs).
func (c *Commons) Epoch(ctx context.Context) (loop.Epoch, error) { return tables.ReadEpoch(ctx, c.db) }

// errOthersServe refuses a new epoch while other processes go on in the one before.
var errOthersServe = errors.New("other servers run on this database: stop them first, or wait four seconds for the leases of those that were killed")

// BeginEpoch ends what was given in one transaction (oauth.Epochs). No other process
// may serve.
func (s *IdentityStore) BeginEpoch(ctx context.Context, next loop.Epoch, reason string, rec audit.Record) (ended oauth.Ended, err error) {
	err = s.write(ctx, func(tx *Tx) (err error) {
		var others bool
		if err := tx.QueryRow(func(row tables.Scanner) error { return row.Scan(&others) }, selectOthers, s.presence.id, leaseMargin.Microseconds()); err != nil {
			return err
		}
		if others {
			return errOthersServe
		}
		if ended, err = tables.BeginEpoch(tx, next, rec.At, reason); err != nil {
			return err
		}
		rec.Detail = ended.Detail(next)
		tx.AfterCommit(func() { s.revocations.Raise(next) })
		return tx.Record(rec)
	})
	return ended, err
}
