package sqlite

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/store/tables"
)

// Keys reads the keys as they are stored, sealed, oldest first, and the number of
// their last change (credential.KeyStore).
func (s *Identity) Keys(ctx context.Context) (keys []credential.Key, last uint32, err error) {
	return tables.ReadKeys(ctx, s.db)
}

// ChangeKeys carries out a change of the keys with its records, if they are still
// as the change found them (credential.KeyStore).
func (s *Identity) ChangeKeys(ctx context.Context, change credential.KeyChange, records []audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tables.ChangeKeys(tx, change)
		return tables.RecordAll(tx, records)
	})
}
