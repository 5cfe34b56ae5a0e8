package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/store"
)

// Keys reads the keys as they are stored, sealed, oldest first, and the number of
// their last change (credential.KeyStore).
func (s *Identity) Keys(ctx context.Context) (keys []credential.Key, last uint32, err error) {
	// The number comes first: a change between the two reads is then one that the
	// number does not know of, and nothing can build on it by mistake.
	if err := s.db.QueryRowContext(ctx, `SELECT value FROM key_changes`).Scan(&last); err != nil {
		return nil, 0, fmt.Errorf("reading the key ring: %w", err)
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, purpose, algorithm, sealed, created_at, seals_from FROM keys ORDER BY id`)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the key ring: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	for rows.Next() {
		var (
			key           credential.Key
			created, from int64
		)
		if err := rows.Scan(&key.ID, &key.Purpose, &key.Algorithm, &key.Sealed, &created, &from); err != nil {
			return nil, 0, fmt.Errorf("reading the key ring: %w", err)
		}
		key.CreatedAt, key.SealsFrom = store.FromMicro(created), store.FromMicro(from)
		keys = append(keys, key)
	}
	return keys, last, rows.Err()
}

// ChangeKeys carries out a change of the keys with its records, if they are still
// as the change found them (credential.KeyStore).
func (s *Identity) ChangeKeys(ctx context.Context, change credential.KeyChange, records []audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		err := changeOne(tx, `UPDATE key_changes SET value = ? WHERE value = ?`, change.After, change.Before)
		if err != nil {
			return fmt.Errorf("numbering a change of the keys: %w", err)
		}
		for _, key := range change.Make {
			err := changeOne(tx, `INSERT INTO keys (id, purpose, algorithm, sealed, created_at, seals_from) VALUES (?, ?, ?, ?, ?, ?)`,
				key.ID, key.Purpose, key.Algorithm, key.Sealed, store.Micro(key.CreatedAt), store.Micro(key.SealsFrom))
			if err != nil {
				return fmt.Errorf("storing a key: %w", err)
			}
		}
		for _, id := range change.Drop {
			if err := changeOne(tx, `DELETE FROM keys WHERE id = ?`, id); err != nil {
				return fmt.Errorf("deleting a key: %w", err)
			}
		}
		for _, key := range change.Reseal {
			if err := changeOne(tx, `UPDATE keys SET sealed = ? WHERE id = ?`, key.Sealed, key.ID); err != nil {
				return fmt.Errorf("storing a key anew: %w", err)
			}
		}
		return s.revokeAndRecord(tx, nil, records)
	})
}

// changeOne runs a statement that changes one row; credential.ErrKeysChanged
// where that row is not there.
func changeOne(tx *Tx, statement string, args ...any) error {
	changed, err := tx.Exec(statement, args...)
	if err == nil && changed != 1 {
		err = credential.ErrKeysChanged
	}
	return err
}
