package postgres

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/store"
)

// AddPushedRequest stores an authorization request that a client pushed.
func (s *IdentityStore) AddPushedRequest(ctx context.Context, p *oauth.PushedRequest) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.Exec(`INSERT INTO pushed_requests (hash, client_id, parameters, key, expires_at, completed_at) VALUES ($1, $2, $3, $4, $5, 0)`,
			p.Hash[:], p.Client, p.Parameters.Encode(), p.Key, store.Micro(p.ExpiresAt))
		return nil
	})
}

// PushedRequest reads a pushed request; loop.ErrNotFound where there is none.
func (s *IdentityStore) PushedRequest(ctx context.Context, hash [32]byte) (*oauth.PushedRequest, error) {
	var (
		p                  = oauth.PushedRequest{Hash: hash}
		parameters         string
		expires, completed int64
	)
	err := s.db.QueryRow(ctx, `SELECT client_id, parameters, key, expires_at, completed_at FROM pushed_requests WHERE hash = $1`, hash[:]).
		Scan(&p.Client, &parameters, &p.Key, &expires, &completed)
	if err != nil {
		return nil, store.Found(err)
	}
	if p.Parameters, err = url.ParseQuery(parameters); err != nil {
		return nil, fmt.Errorf("reading a pushed request: %w", err)
	}
	p.ExpiresAt, p.CompletedAt = store.FromMicro(expires), store.FromMicro(completed)
	return &p, nil
}

var errAnswered = loop.Errorf(loop.InvalidRequestURI, "This request was answered before. Go back to the app and start again.")

// completePushed notes that a pushed request was answered: by one, if two try.
func completePushed(tx *Tx, hash []byte, now time.Time) {
	tx.One(errAnswered, `UPDATE pushed_requests SET completed_at = $1 WHERE hash = $2 AND completed_at = 0`, store.Micro(now), hash)
}

// UseAssertion notes that a client assertion was used; clientauth.ErrUsed where it was
// before.
func (s *IdentityStore) UseAssertion(ctx context.Context, client loop.ClientID, hash [32]byte, expiresAt time.Time) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.One(clientauth.ErrUsed, `INSERT INTO assertions (client_id, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, client, hash[:], store.Micro(expiresAt))
		return nil
	})
}
