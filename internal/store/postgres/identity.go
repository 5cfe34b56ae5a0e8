package postgres

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

// IdentityStore keeps clients, members, grants, chains, revocations and keys.
type IdentityStore struct {
	db          *Database
	world       loop.World
	revocations *oauth.Revocations
	cache       *store.ClientCache
	presence    *Presence
	reload      func(context.Context) error
}

// NewIdentity makes the store of a database that was opened with Identity. It can be
// read from then on; what it writes counts for all processes once it serves (Serve).
func NewIdentity(db *Database, revocations *oauth.Revocations) *IdentityStore {
	return &IdentityStore{db: db, world: db.config.World, revocations: revocations, cache: store.NewClientCache()}
}

// Serve joins the processes that serve, and keeps the revocations complete from then
// on. Where others have changed the keys, reload reads them again.
func (s *IdentityStore) Serve(ctx context.Context, world *loop.Clock, reload func(context.Context) error) (*Presence, error) {
	s.reload = reload
	var err error
	if s.presence, err = Join(ctx, s.db, world, news{s}); err != nil {
		return nil, err
	}
	at, err := s.Epoch(ctx) // the newest revocation may have been swept
	s.revocations.Raise(at)
	return s.presence, err
}

// news has the store take in what other processes have changed.
type news struct{ store *IdentityStore }

// Revoked applies a revocation with its number.
func (n news) Revoked(number uint64, revocation loop.Revocation) {
	n.store.revocations.Apply(number, revocation)
}

// ClientChanged forgets what is held of a client.
func (n news) ClientChanged(id loop.ClientID) { n.store.cache.Change(id)() }

// KeysChanged reads the keys again.
func (n news) KeysChanged(ctx context.Context) error { return n.store.reload(ctx) }

// CutOff forgets whatever is held of clients.
func (n news) CutOff() { n.store.cache.Forget() }

// write is Database.Write for acts that others may have to know of: it answers once
// they do.
func (s *IdentityStore) write(ctx context.Context, act func(*Tx) error) error {
	var number uint64
	err := s.db.Write(ctx, func(tx *Tx) error {
		err := act(tx)
		tx.AfterCommit(func() { number = tx.awaits })
		return err
	})
	if err != nil || number == 0 {
		return err
	}
	if s.presence == nil {
		return store.Uncertain(errors.New("the process does not serve, and cannot know who does"))
	}
	return s.presence.await(ctx, number)
}
