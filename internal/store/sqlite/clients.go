package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

const selectClient = `SELECT ` + tables.ReadClientColumns + ` FROM clients WHERE id = $1`

// Client reads a client with its secrets; loop.ErrNotFound where there is none.
// All callers share it: whoever wants to alter it takes a Clone.
func (s *Identity) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	return s.cache.Client(id, func() (store.RevisedClient, error) {
		client, err := tables.ScanClient(s.db.Row(ctx, selectClient, id))
		if err != nil {
			return store.RevisedClient{}, err
		}
		err = s.db.Rows(context.WithoutCancel(ctx), intoSecrets(client), tables.SelectSecrets, id) // two rows: not worth watching for a cancellation
		return store.RevisedClient{Client: client}, err
	})
}

// clientIn is Client as the transaction sees it.
func (s *Identity) clientIn(tx *Tx, id loop.ClientID) (*loop.Client, error) {
	return s.cache.Client(id, func() (store.RevisedClient, error) {
		client, err := readClient(tx, id)
		return store.RevisedClient{Client: client}, err
	})
}

func readClient(tx *Tx, id loop.ClientID) (*loop.Client, error) {
	client, err := tables.ScanClient(tx.QueryRow(selectClient, id))
	if err != nil {
		return nil, err
	}
	if err := tx.Each(intoSecrets(client), tables.SelectSecrets, id); err != nil {
		return nil, fmt.Errorf("reading the secrets of a client: %w", err)
	}
	return client, nil
}

// intoSecrets gives a client each secret that is scanned.
func intoSecrets(client *loop.Client) func(tables.Scanner) error {
	return func(row tables.Scanner) error {
		secret, err := tables.ScanSecret(row)
		client.Secrets = append(client.Secrets, secret)
		return err
	}
}

// AddClient inserts a new client with its secrets and its record, on the terms.
func (s *Identity) AddClient(ctx context.Context, c *loop.Client, on registration.Terms, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		return tables.AddClient(tx, s.cache, c, on, rec)
	})
}

// ChangeClient reads a client, has change alter it, and writes it with what
// that revokes and its records, in one transaction, on the terms. An error of
// change leaves everything as it was.
func (s *Identity) ChangeClient(ctx context.Context, id loop.ClientID, on registration.Terms, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tables.TakeForm(tx, on.Form)
		return s.changeClient(tx, id, on, change)
	})
}

func (s *Identity) changeClient(tx *Tx, id loop.ClientID, on registration.Terms, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	c, err := readClient(tx, id)
	if err != nil {
		return err
	}
	revocations, records, err := change(c)
	if err != nil {
		return err
	}
	if err := tables.UpdateClient(tx, s.cache, c, on); err != nil {
		return err
	}
	return s.revokeAndRecord(tx, revocations, records)
}

// DeleteClient ends and deletes a client (registration.Store).
func (s *Identity) DeleteClient(ctx context.Context, id loop.ClientID, revocation loop.Revocation, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tables.DeleteClient(tx, s.cache, id)
		return s.revokeAndRecord(tx, []loop.Revocation{revocation}, []audit.Record{rec})
	})
}
