package tables

import (
	"context"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	insertPicture       = `INSERT INTO pictures (client_id, hash, png) VALUES ($1, $2, $3) ON CONFLICT (client_id, hash) DO NOTHING`
	deleteOtherPictures = `DELETE FROM pictures WHERE client_id = $1 AND hash <> $2 AND hash <> $3`
	selectPicture       = `SELECT png FROM pictures WHERE client_id = $1 AND hash = $2`
)

// PutPicture keeps a picture of a client (registration.Pictures).
func (s Identity) PutPicture(ctx context.Context, client loop.ClientID, shown, hash string, png []byte) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(insertPicture, client, hash, png)
		tx.Exec(deleteOtherPictures, client, shown, hash)
		return nil
	})
}

// Picture reads a client's picture (registration.Pictures).
func (s Identity) Picture(ctx context.Context, client loop.ClientID, hash string) (png []byte, err error) {
	if err := s.db.Row(ctx, selectPicture, client, hash).Scan(&png); err != nil {
		return nil, store.Found(err)
	}
	return png, nil
}
