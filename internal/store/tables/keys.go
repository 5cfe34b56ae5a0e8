package tables

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/store"
)

const keyColumns = `id, purpose, algorithm, sealed, created_at, seals_from`

const (
	selectKeyChange = `SELECT value FROM key_changes`
	updateKeyChange = `UPDATE key_changes SET value = $1 WHERE value = $2`
	selectKeys      = `SELECT ` + keyColumns + ` FROM keys ORDER BY id`
	insertKey       = `INSERT INTO keys (` + keyColumns + `) VALUES ($1, $2, $3, $4, $5, $6)`
	deleteKey       = `DELETE FROM keys WHERE id = $1`
	updateKey       = `UPDATE keys SET sealed = $1 WHERE id = $2`
)

// ReadKeys reads the keys as they are stored, sealed, oldest first, and the number of
// their last change (credential.KeyStore).
func ReadKeys(ctx context.Context, db Reader) (keys []credential.Key, last uint32, err error) {
	// The number comes first: a change between the two reads is then one that the
	// number does not know of, and nothing can build on it by mistake.
	if err := db.Row(ctx, selectKeyChange).Scan(&last); err != nil {
		return nil, 0, fmt.Errorf("reading the key ring: %w", store.Unreadable(err))
	}
	keys, err = list(ctx, db, scanKey, selectKeys)
	return keys, last, err
}

func scanKey(row Scanner) (key credential.Key, err error) {
	err = row.Scan(&key.ID, &key.Purpose, &key.Algorithm, &key.Sealed, moment(&key.CreatedAt), moment(&key.SealsFrom))
	if err != nil {
		return key, fmt.Errorf("reading the key ring: %w", err)
	}
	return key, nil
}

// ChangeKeys writes a change of the keys, if they are still as the change found
// them; else the transaction ends with credential.ErrKeysChanged.
func ChangeKeys(tx Tx, change credential.KeyChange) {
	tx.One(credential.ErrKeysChanged, updateKeyChange, change.After, change.Before)
	for _, key := range change.Make {
		tx.One(credential.ErrKeysChanged, insertKey,
			key.ID, key.Purpose, key.Algorithm, key.Sealed, store.Micro(key.CreatedAt), store.Micro(key.SealsFrom))
	}
	for _, id := range change.Drop {
		tx.One(credential.ErrKeysChanged, deleteKey, id)
	}
	for _, key := range change.Reseal {
		tx.One(credential.ErrKeysChanged, updateKey, key.Sealed, key.ID)
	}
}
