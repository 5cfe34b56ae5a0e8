package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
)

// A client with its revision: the transaction that wrote the row, which is another
// after each change. Secrets change with their client.
const (
	selectClient = `SELECT ` + store.ClientColumns + `, xmin::text::bigint FROM clients WHERE id = $1`
	selectHashes = `SELECT hash, created_at, expires_at FROM client_secrets WHERE client_id = $1 ORDER BY created_at`
)

// Client reads a client with its secrets; loop.ErrNotFound where there is none.
// All callers share it: whoever wants to alter it takes a Clone.
func (s *IdentityStore) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	return s.cache.Client(id, func() (client store.RevisedClient, err error) {
		batch := &pgx.Batch{}
		// In one transaction and at one moment, or the secrets could be those of after a change.
		batch.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
		queueClient(batch, id, &client)
		batch.Queue(`COMMIT`)
		err = s.db.readers.SendBatch(ctx, batch).Close()
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
		client, err := store.ScanClient(store.WithColumn(row, &revision))
		into.Client, into.Revision = client, uint32(revision) //nolint:gosec // G115: a transaction's number has 32 bits
		if errors.Is(err, loop.ErrNotFound) {
			return nil // as the empty client tells
		}
		return err
	})
	batch.Queue(selectHashes, id).Query(func(rows pgx.Rows) (err error) {
		secrets, err := store.ScanSecrets(rows)
		if into.Client != nil {
			into.Secrets = secrets
		}
		return err
	})
}

// found tells what came of reading a client.
func found(client store.RevisedClient, err error) error {
	if err != nil {
		return store.Found(err)
	}
	if client.Client == nil {
		return loop.ErrNotFound
	}
	return nil
}

// ClientsOf lists the clients of a developer, newest first, without secrets.
func (s *IdentityStore) ClientsOf(ctx context.Context, owner loop.MemberID) ([]*loop.Client, error) {
	return list(ctx, s.db, store.ScanClient, `SELECT `+store.ClientColumns+` FROM clients WHERE owner = $1 AND owner <> '' ORDER BY id DESC`, owner)
}

// Clients lists every client, newest first, without secrets.
func (s *IdentityStore) Clients(ctx context.Context) ([]*loop.Client, error) {
	return list(ctx, s.db, store.ScanClient, `SELECT `+store.ClientColumns+` FROM clients ORDER BY id DESC`)
}

const clientPlaces = `$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23`

// AddClient inserts a new client with its secrets and its record, on the terms.
func (s *IdentityStore) AddClient(ctx context.Context, c *loop.Client, on registration.Terms, rec audit.Record) error {
	values, err := store.ClientValues(c)
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *Tx) error {
		takeForm(tx, on.Form)
		if err := checkRoom(tx, c.Owner, on.AtMost); err != nil {
			return err
		}
		tx.Exec(`INSERT INTO clients (`+store.ClientColumns+`) VALUES (`+clientPlaces+`)`, values...)
		putSecrets(tx, c)
		return tx.Record(rec)
	})
}

// checkRoom counts an owner's clients. Whoever adds another one waits: they lock the
// owner's row, and the count reads what the one before has left.
func checkRoom(tx *Tx, owner loop.MemberID, atMost int) error {
	if atMost == 0 {
		return nil
	}
	var has int
	tx.Exec(`SELECT 1 FROM members WHERE id = $1 FOR NO KEY UPDATE`, owner)
	err := tx.QueryRow(func(row store.Scanner) error { return row.Scan(&has) }, `SELECT count(*) FROM clients WHERE owner = $1 AND owner <> ''`, owner)
	if err == nil && has >= atMost {
		err = registration.ErrTooMany
	}
	return err
}

// ChangeClient reads a client, has change alter it, and writes it with what
// that revokes and its records, in one transaction, on the terms. An error of
// change leaves everything as it was.
func (s *IdentityStore) ChangeClient(ctx context.Context, id loop.ClientID, on registration.Terms, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	return s.write(ctx, func(tx *Tx) error {
		takeForm(tx, on.Form)
		// One change at a time; the next statement reads what the one before has left.
		tx.Exec(`SELECT 1 FROM clients WHERE id = $1 FOR UPDATE`, id)
		var c store.RevisedClient
		queueClient(tx.pending, id, &c)
		err := tx.send()
		if err := found(c, err); err != nil {
			return err
		}
		return s.changeClient(tx, c.Client, change)
	})
}

func (s *IdentityStore) changeClient(tx *Tx, c *loop.Client, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	id := c.ID
	revocations, records, err := change(c)
	if err != nil {
		return err
	}
	values, err := store.ClientValues(c)
	if err != nil {
		return err
	}
	tx.AtEnd(s.cache.Change(id))
	tx.Exec(`UPDATE clients SET (`+store.ClientColumns+`) = ROW(`+clientPlaces+`) WHERE id = $24`, append(values, id)...)
	putSecrets(tx, c)
	if err := recordAll(tx, records); err != nil {
		return fmt.Errorf("changing a client: %w", err)
	}
	s.tell(tx, append(revocations, loop.Revocation{Kind: clientChanged, ID: string(id), ExpiresAt: s.world.Now()}))
	return nil
}

// putSecrets makes the stored secrets those of the client.
func putSecrets(tx *Tx, c *loop.Client) {
	tx.Exec(`DELETE FROM client_secrets WHERE client_id = $1`, c.ID)
	for _, secret := range c.Secrets {
		tx.Exec(`INSERT INTO client_secrets (client_id, hash, created_at, expires_at) VALUES ($1, $2, $3, $4)`,
			c.ID, secret.Hash[:], store.Micro(secret.CreatedAt), store.Micro(secret.ExpiresAt))
	}
}
