package postgres

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// Commons is what every role reads: the keys, what has been revoked, and who is
// alive. Of identity's own tables it knows nothing.
type Commons struct {
	db          *Database
	world       loop.World
	revocations *oauth.Revocations
	cache       *store.ClientCache
	presence    *Presence
	reload      func(context.Context) error
}

// NewCommons opens what is shared through a database of any schema. It can be read
// from then on; it is complete, and what is written counts for all processes, once
// the process serves (Serve).
func NewCommons(db *Database, revocations *oauth.Revocations) *Commons {
	return &Commons{db: db, world: db.config.World, revocations: revocations, cache: store.NewClientCache()}
}

// Serve joins the processes that serve, and keeps the revocations complete from then
// on. Where others have changed the keys, reload reads them again. The process may
// come to lead the work on the databases that it names, which are all that it works on.
func (c *Commons) Serve(ctx context.Context, world *loop.Clock, reload func(context.Context) error, databases ...*Database) (*Presence, error) {
	c.reload = reload
	var err error
	if c.presence, err = Join(ctx, world, news{c}, databases...); err != nil {
		return nil, err
	}
	c.warnOfStandby(ctx)
	at, err := c.Epoch(ctx) // the newest revocation may have been swept
	c.revocations.Raise(at)
	return c.presence, err
}

// warnOfStandby warns the operator where a failover can lose what was answered.
func (c *Commons) warnOfStandby(ctx context.Context) {
	var names string
	if err := c.db.QueryRow(ctx, `SELECT current_setting('synchronous_standby_names')`).Scan(&names); err == nil && names == "" {
		c.db.config.Log.WarnContext(ctx, "the database has no synchronous standby: a failover can lose what was answered last, and must be treated as a restore")
	}
}

// Keys reads the keys as they are stored, sealed, oldest first, and the number of
// their last change (credential.KeyStore).
func (c *Commons) Keys(ctx context.Context) (keys []credential.Key, last uint32, err error) {
	return tables.ReadKeys(ctx, c.db)
}

// ClientFrom gives a client that this process read from elsewhere, from memory until
// somebody changes it.
func (c *Commons) ClientFrom(id loop.ClientID, read func() (*loop.Client, error)) (*loop.Client, error) {
	return c.cache.Client(id, func() (store.RevisedClient, error) {
		client, err := read()
		return store.RevisedClient{Client: client}, err
	})
}

// news has the process take in what other processes have changed.
type news struct{ commons *Commons }

// Revoked applies a revocation with its number.
func (n news) Revoked(number uint64, revocation loop.Revocation) {
	n.commons.revocations.Apply(number, revocation)
}

// ClientChanged forgets what is held of a client.
func (n news) ClientChanged(id loop.ClientID) { n.commons.cache.Change(id)() }

// KeysChanged reads the keys again.
func (n news) KeysChanged(ctx context.Context) error { return n.commons.reload(ctx) }

// CutOff forgets whatever is held of clients.
func (n news) CutOff() { n.commons.cache.Forget() }

// write is Database.Write for acts that others may have to know of: it answers once
// they do.
func (c *Commons) write(ctx context.Context, act func(*Tx) error) error {
	var number uint64
	err := c.db.Write(ctx, func(tx *Tx) error {
		err := act(tx)
		tx.AfterCommit(func() { number = tx.awaits })
		return err
	})
	if err != nil {
		return err
	}
	return c.known(ctx, number)
}

// known returns once every process knows of a number; 0 is known.
func (c *Commons) known(ctx context.Context, number uint64) error {
	if number == 0 {
		return nil
	}
	if c.presence == nil {
		return store.Uncertain(errors.New("the process does not serve, and cannot know who does"))
	}
	return c.presence.await(ctx, number)
}
