package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

// ChangeKeys carries out a change of the keys with its records, if they are still
// as the change found them (credential.KeyStore). Every process has read the new
// ones when it answers.
func (s *IdentityStore) ChangeKeys(ctx context.Context, change credential.KeyChange, records []audit.Record) error {
	return s.write(ctx, func(tx *Tx) error {
		tables.ChangeKeys(tx, change)
		if err := tables.RecordAll(tx, records); err != nil {
			return err
		}
		if len(change.Make)+len(change.Drop) > 0 { // sealed anew they are the same keys, which others hold already
			s.publish(tx, []loop.Revocation{{Kind: keysChanged, ExpiresAt: s.world.Now()}})
		}
		return nil
	})
}
