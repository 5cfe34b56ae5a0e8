package tables

import (
	"fmt"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// SelectSecrets reads the secrets of a client, oldest first (ScanSecret).
const SelectSecrets = `SELECT hash, created_at, expires_at FROM client_secrets WHERE client_id = $1 ORDER BY created_at` //nolint:gosec // G101: a statement, no secret

const (
	insertSecret  = `INSERT INTO client_secrets (client_id, hash, created_at, expires_at) VALUES ($1, $2, $3, $4)` //nolint:gosec // G101: a statement, no secret
	deleteSecrets = `DELETE FROM client_secrets WHERE client_id = $1`
)

// putSecrets makes the stored secrets those of the client.
func putSecrets(tx Tx, c *loop.Client) {
	tx.Exec(deleteSecrets, c.ID)
	for _, secret := range c.Secrets {
		tx.Exec(insertSecret, c.ID, secret.Hash[:], store.Micro(secret.CreatedAt), store.Micro(secret.ExpiresAt))
	}
}

// ScanSecret reads a row of SelectSecrets.
func ScanSecret(row Scanner) (secret loop.ClientSecret, err error) {
	var hash []byte
	if err := row.Scan(&hash, moment(&secret.CreatedAt), moment(&secret.ExpiresAt)); err != nil {
		return secret, fmt.Errorf("reading the secrets of a client: %w", err)
	}
	if len(hash) != len(secret.Hash) {
		return secret, fmt.Errorf("a stored secret hash has %d bytes, not %d", len(hash), len(secret.Hash))
	}
	copy(secret.Hash[:], hash)
	return secret, nil
}
