package postgres

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

func readKeys(ctx context.Context, db *Database) (keys []credential.Key, last uint32, err error) {
	// The number comes first: a change between the two reads is then one that the
	// number does not know of, and nothing can build on it by mistake.
	if err := db.QueryRow(ctx, `SELECT value FROM key_changes`).Scan(&last); err != nil {
		return nil, 0, fmt.Errorf("reading the key ring: %w", store.Unavailable(err))
	}
	keys, err = list(ctx, db, scanKey, `SELECT id, purpose, algorithm, sealed, created_at, seals_from FROM keys ORDER BY id`)
	return keys, last, err
}

func scanKey(row store.Scanner) (key credential.Key, err error) {
	var created, from int64
	if err := row.Scan(&key.ID, &key.Purpose, &key.Algorithm, &key.Sealed, &created, &from); err != nil {
		return key, fmt.Errorf("reading the key ring: %w", err)
	}
	key.CreatedAt, key.SealsFrom = store.FromMicro(created), store.FromMicro(from)
	return key, nil
}

// ChangeKeys carries out a change of the keys with its records, if they are still
// as the change found them (credential.KeyStore). Every process has read the new
// ones when it answers.
func (s *IdentityStore) ChangeKeys(ctx context.Context, change credential.KeyChange, records []audit.Record) error {
	return s.write(ctx, func(tx *Tx) error {
		tx.One(credential.ErrKeysChanged, `UPDATE key_changes SET value = $1 WHERE value = $2`, change.After, change.Before)
		for _, key := range change.Make {
			tx.One(credential.ErrKeysChanged, `INSERT INTO keys (id, purpose, algorithm, sealed, created_at, seals_from) VALUES ($1, $2, $3, $4, $5, $6)`,
				key.ID, key.Purpose, key.Algorithm, key.Sealed, store.Micro(key.CreatedAt), store.Micro(key.SealsFrom))
		}
		for _, id := range change.Drop {
			tx.One(credential.ErrKeysChanged, `DELETE FROM keys WHERE id = $1`, id)
		}
		for _, key := range change.Reseal {
			tx.One(credential.ErrKeysChanged, `UPDATE keys SET sealed = $1 WHERE id = $2`, key.Sealed, key.ID)
		}
		if err := recordAll(tx, records); err != nil {
			return err
		}
		if len(change.Make)+len(change.Drop) > 0 { // sealed anew they are the same keys, which others hold already
			s.tell(tx, []loop.Revocation{{Kind: keysChanged, ExpiresAt: s.world.Now()}})
		}
		return nil
	})
}
