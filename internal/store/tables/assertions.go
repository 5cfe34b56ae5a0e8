package tables

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/store"
)

const insertAssertion = `INSERT INTO assertions (client_id, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`

// UseAssertion notes that a client assertion was used; clientauth.ErrUsed where it was
// before.
func (s Identity) UseAssertion(ctx context.Context, client loop.ClientID, hash [32]byte, expiresAt time.Time) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(clientauth.ErrUsed, insertAssertion, client, hash[:], store.Micro(expiresAt))
		return nil
	})
}
