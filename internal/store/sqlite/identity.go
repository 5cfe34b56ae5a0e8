package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

//go:embed schema/identity/*.sql
var identitySchema embed.FS

// IdentitySchema is the numbered migrations of identity's database.
func IdentitySchema() fs.FS {
	sub, err := fs.Sub(identitySchema, "schema/identity")
	if err != nil {
		panic("sqlite: the embedded schema is not there: " + err.Error())
	}
	return sub
}

// Identity keeps clients, members, grants, chains, revocations and keys.
type Identity struct {
	db          *Database
	world       loop.World
	revocations *oauth.Revocations
	cache       *clientCache
}

// NewIdentity loads what has been revoked and could still be presented, and
// keeps the set complete from then on.
func NewIdentity(ctx context.Context, db *Database, w loop.World, revocations *oauth.Revocations) (*Identity, error) {
	s := &Identity{db: db, world: w, revocations: revocations, cache: newClientCache()}
	if err := s.loadRevocations(ctx); err != nil {
		return nil, fmt.Errorf("loading revocations: %w", err)
	}
	return s, nil
}

// scanner is a row, of one or of many.
type scanner interface{ Scan(dest ...any) error }

// found tells what came of reading a row: loop.ErrNotFound where there is none,
// loop.TemporarilyUnavailable where the database could not be read.
func found(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return loop.ErrNotFound
	default:
		return unavailable(err)
	}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
