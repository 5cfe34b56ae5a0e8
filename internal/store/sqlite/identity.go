package sqlite

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
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
	tables.Identity
	db          *Database
	world       loop.World
	revocations *oauth.Revocations
	cache       *store.ClientCache
}

// NewIdentity loads what has been revoked and could still be presented, and
// keeps the set complete from then on.
func NewIdentity(ctx context.Context, db *Database, w loop.World, keys tables.PersonKeys, revocations *oauth.Revocations) (*Identity, error) {
	cache := store.NewClientCache()
	s := &Identity{tables.NewIdentity(db, w, cache, keys), db, w, revocations, cache}
	if err := s.loadRevocations(ctx); err != nil {
		return nil, fmt.Errorf("loading revocations: %w", err)
	}
	return s, nil
}
