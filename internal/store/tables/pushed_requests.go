package tables

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

const (
	insertPushedRequest     = `INSERT INTO pushed_requests (hash, client_id, parameters, key, expires_at, completed_at) VALUES ($1, $2, $3, $4, $5, 0)`
	selectPushedRequest     = `SELECT client_id, parameters, key, expires_at, completed_at FROM pushed_requests WHERE hash = $1`
	updatePushedRequest     = `UPDATE pushed_requests SET completed_at = $1 WHERE hash = $2 AND completed_at = 0`
	deleteAllPushedRequests = `DELETE FROM pushed_requests`
)

// AddPushedRequest stores an authorization request that a client pushed.
func (s Identity) AddPushedRequest(ctx context.Context, p *oauth.PushedRequest) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(insertPushedRequest, p.Hash[:], p.Client, p.Parameters.Encode(), p.Key, store.Micro(p.ExpiresAt))
		return nil
	})
}

// PushedRequest reads a pushed request; loop.ErrNotFound where there is none.
func (s Identity) PushedRequest(ctx context.Context, hash [32]byte) (*oauth.PushedRequest, error) {
	p, parameters := oauth.PushedRequest{Hash: hash}, ""
	err := s.db.Row(ctx, selectPushedRequest, hash[:]).
		Scan(text(&p.Client), &parameters, &p.Key, moment(&p.ExpiresAt), moment(&p.CompletedAt))
	if err != nil {
		return nil, store.Found(err)
	}
	if p.Parameters, err = url.ParseQuery(parameters); err != nil {
		return nil, fmt.Errorf("reading a pushed request: %w", err)
	}
	return &p, nil
}

var errAnswered = loop.Errorf(loop.InvalidRequestURI, "This request was answered before. Go back to the app and start again.")

// completePushedRequest notes that a pushed request was answered: by one, if two try.
func completePushedRequest(tx Tx, hash []byte, now time.Time) {
	tx.One(errAnswered, updatePushedRequest, store.Micro(now), hash)
}
