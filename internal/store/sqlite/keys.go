package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/credential"
)

// Keys reads the key ring as it is stored: sealed, oldest first.
func (s *Identity) Keys(ctx context.Context) ([]credential.Key, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, purpose, sealed, created_at FROM keys ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("reading the key ring: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var keys []credential.Key
	for rows.Next() {
		var (
			key     credential.Key
			created int64
		)
		if err := rows.Scan(&key.ID, &key.Purpose, &key.Sealed, &created); err != nil {
			return nil, fmt.Errorf("reading the key ring: %w", err)
		}
		key.CreatedAt = fromMicro(created)
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// AddKeys stores new keys, all or none.
func (s *Identity) AddKeys(ctx context.Context, keys []credential.Key) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		for _, key := range keys {
			_, err := tx.Exec(`INSERT INTO keys (id, purpose, sealed, created_at) VALUES (?, ?, ?, ?)`, key.ID, key.Purpose, key.Sealed, unixMicro(key.CreatedAt))
			if err != nil {
				return fmt.Errorf("storing a key: %w", err)
			}
		}
		return nil
	})
}
