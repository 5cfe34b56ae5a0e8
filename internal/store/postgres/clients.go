package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// A client with its revision: the transaction that wrote the row, which is another
// after each change. Secrets change with their client.
const selectClient = `SELECT ` + tables.ReadClientColumns + `, xmin::text::bigint FROM clients WHERE id = $1`

// Client reads a client with its secrets; loop.ErrNotFound where there is none.
// All callers share it: whoever wants to alter it takes a Clone.
func (s *IdentityStore) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	return s.cache.Client(id, func() (client store.RevisedClient, err error) {
		// In one transaction and at one moment, or the secrets could be those of after a change.
		err = s.db.read(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`, func(batch *pgx.Batch) { queueClient(batch, id, &client) })
		return client, found(client, err)
	})
}

// clientIn is Client for a decision that has found the client at a revision; 0 where
// there is none.
func (s *IdentityStore) clientIn(tx *Tx, id loop.ClientID, revision uint32) (*loop.Client, error) {
	if revision == 0 {
		return nil, nil //nolint:nilnil // absent and no error is the meaning
	}
	return store.Optional(s.cache.ClientAt(id, revision, func() (client store.RevisedClient, err error) {
		queueClient(tx.pending, id, &client)
		err = tx.send()
		return client, found(client, err)
	}))
}

// queueClient has a batch read a client with its secrets.
func queueClient(batch *pgx.Batch, id loop.ClientID, into *store.RevisedClient) {
	batch.Queue(selectClient, id).QueryRow(func(row pgx.Row) error {
		var revision int64
		client, err := tables.ScanClient(tables.WithColumn(row, &revision))
		into.Client, into.Revision = client, uint32(revision) //nolint:gosec // G115: a transaction's number has 32 bits
		if errors.Is(err, loop.ErrNotFound) {
			return nil // the empty client says so
		}
		return err
	})
	batch.Queue(tables.SelectSecrets, id).Query(func(rows pgx.Rows) error {
		secrets, err := collect(rows, tables.ScanSecret)
		if into.Client != nil {
			into.Secrets = secrets
		}
		return err
	})
}

// found is the error of reading a client: loop.ErrNotFound where there is none.
func found(client store.RevisedClient, err error) error {
	if err != nil {
		return store.Found(err)
	}
	if client.Client == nil {
		return loop.ErrNotFound
	}
	return nil
}

// AddClient inserts a new client with its secrets and its record, on the terms.
func (s *IdentityStore) AddClient(ctx context.Context, c *loop.Client, on registration.Terms, rec audit.Record) error {
	return s.write(ctx, func(tx *Tx) error {
		if c.Owner != "" { // whoever adds another one, or suspends the owner, waits and finds this one
			tx.Exec(`SELECT 1 FROM members WHERE id = $1 FOR NO KEY UPDATE`, c.Owner)
		}
		return tables.AddClient(tx, s.cache, c, on, rec)
	})
}

// ChangeClient reads a client, has change alter it, and writes it with what
// that revokes and its records, in one transaction, on the terms. An error of
// change leaves everything as it was.
func (s *IdentityStore) ChangeClient(ctx context.Context, id loop.ClientID, on registration.Terms, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	return s.write(ctx, func(tx *Tx) error {
		tables.TakeForm(tx, on.Form)
		// One change at a time; the next statement reads what the one before has left.
		tx.Exec(`SELECT 1 FROM clients WHERE id = $1 FOR UPDATE`, id)
		var c store.RevisedClient
		queueClient(tx.pending, id, &c)
		err := tx.send()
		if err := found(c, err); err != nil {
			return err
		}
		return s.changeClient(tx, c.Client, on, change)
	})
}

func (s *IdentityStore) changeClient(tx *Tx, c *loop.Client, on registration.Terms, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	id := c.ID
	revocations, records, err := change(c)
	if err != nil {
		return err
	}
	if err := tables.UpdateClient(tx, s.cache, c, on); err != nil {
		return err
	}
	if err := tables.RecordAll(tx, records); err != nil {
		return err
	}
	s.publish(tx, append(revocations, loop.Revocation{Kind: clientChanged, ID: string(id), ExpiresAt: s.world.Now()}))
	return nil
}

// DeleteClient ends and deletes a client (registration.Store).
func (s *IdentityStore) DeleteClient(ctx context.Context, id loop.ClientID, revocation loop.Revocation, rec audit.Record) error {
	return s.write(ctx, func(tx *Tx) error {
		// A change that is under way ends first, or it would write the client anew.
		tx.Exec(`SELECT 1 FROM clients WHERE id = $1 FOR UPDATE`, id)
		tables.DeleteClient(tx, s.cache, id)
		if err := tx.Record(rec); err != nil {
			return err
		}
		s.publish(tx, []loop.Revocation{revocation, {Kind: clientChanged, ID: string(id), ExpiresAt: s.world.Now()}})
		return nil
	})
}
