package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectClient = `SELECT ` + store.ClientColumns + ` FROM clients WHERE id = ?`
	selectHashes = `SELECT hash, created_at, expires_at FROM client_secrets WHERE client_id = ? ORDER BY created_at`
)

// Client reads a client with its secrets; loop.ErrNotFound where there is none.
// All callers share it: whoever wants to alter it takes a Clone.
func (s *Identity) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	return s.cache.Client(id, func() (store.RevisedClient, error) {
		client, err := store.ScanClient(s.db.QueryRowContext(ctx, selectClient, id))
		if err != nil {
			return store.RevisedClient{}, err
		}
		rows, err := s.db.QueryContext(context.WithoutCancel(ctx), selectHashes, id) // two rows: not worth watching for a cancellation
		if err != nil {
			return store.RevisedClient{}, store.Unavailable(err)
		}
		client.Secrets, err = scanSecrets(rows)
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
	client, err := store.ScanClient(tx.QueryRow(selectClient, id))
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(selectHashes, id)
	if err != nil {
		return nil, fmt.Errorf("reading the secrets of a client: %w", err)
	}
	client.Secrets, err = scanSecrets(rows)
	return client, err
}

// ClientsOf lists the clients of a developer, newest first, without secrets.
func (s *Identity) ClientsOf(ctx context.Context, owner loop.MemberID) ([]*loop.Client, error) {
	return s.clients(ctx, `SELECT `+store.ClientColumns+` FROM clients WHERE owner = ? AND owner <> '' ORDER BY id DESC`, owner)
}

// Clients lists every client, newest first, without secrets.
func (s *Identity) Clients(ctx context.Context) ([]*loop.Client, error) {
	return s.clients(ctx, `SELECT `+store.ClientColumns+` FROM clients ORDER BY id DESC`)
}

func (s *Identity) clients(ctx context.Context, query string, args ...any) ([]*loop.Client, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing clients: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var clients []*loop.Client
	for rows.Next() {
		client, err := store.ScanClient(rows)
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, rows.Err()
}

// AddClient inserts a new client with its secrets and its record, on the terms.
func (s *Identity) AddClient(ctx context.Context, c *loop.Client, on registration.Terms, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		tx.AtEnd(s.cache.Change(c.ID))
		values, err := store.ClientValues(c)
		if err != nil {
			return err
		}
		if err := takeForm(tx, on.Form); err != nil {
			return err
		}
		if err := checkRoom(tx, c.Owner, on.AtMost); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO clients (`+store.ClientColumns+`) VALUES (`+clientPlaces+`)`, values...)
		if err != nil {
			return fmt.Errorf("inserting a client: %w", err)
		}
		if err := putSecrets(tx, c); err != nil {
			return err
		}
		return tx.Record(rec)
	})
}

const clientPlaces = `?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?`

// checkRoom counts an owner's clients: nobody else writes meanwhile.
func checkRoom(tx *Tx, owner loop.MemberID, atMost int) error {
	if atMost == 0 {
		return nil
	}
	var has int
	if err := tx.QueryRow(`SELECT count(*) FROM clients WHERE owner = ? AND owner <> ''`, owner).Scan(&has); err != nil {
		return fmt.Errorf("counting the clients of an owner: %w", err)
	}
	if has >= atMost {
		return registration.ErrTooMany
	}
	return nil
}

// ChangeClient reads a client, has change alter it, and writes it with what
// that revokes and its records, in one transaction, on the terms. An error of
// change leaves everything as it was.
func (s *Identity) ChangeClient(ctx context.Context, id loop.ClientID, on registration.Terms, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		if err := takeForm(tx, on.Form); err != nil {
			return err
		}
		return s.changeClient(tx, id, change)
	})
}

func (s *Identity) changeClient(tx *Tx, id loop.ClientID, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	c, err := readClient(tx, id)
	if err != nil {
		return err
	}
	revocations, records, err := change(c)
	if err != nil {
		return err
	}
	tx.AtEnd(s.cache.Change(id))
	if err := updateClient(tx, c); err != nil {
		return err
	}
	return s.revokeAndRecord(tx, revocations, records)
}

func updateClient(tx *Tx, c *loop.Client) error {
	values, err := store.ClientValues(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE clients SET (`+store.ClientColumns+`) = (`+clientPlaces+`) WHERE id = ?`, append(values, c.ID)...)
	if err != nil {
		return fmt.Errorf("updating a client: %w", err)
	}
	return putSecrets(tx, c)
}

// putSecrets makes the stored secrets those of the client.
func putSecrets(tx *Tx, c *loop.Client) error {
	if _, err := tx.Exec(`DELETE FROM client_secrets WHERE client_id = ?`, c.ID); err != nil {
		return fmt.Errorf("replacing the secrets of a client: %w", err)
	}
	for _, secret := range c.Secrets {
		_, err := tx.Exec(`INSERT INTO client_secrets (client_id, hash, created_at, expires_at) VALUES (?, ?, ?, ?)`,
			c.ID, secret.Hash[:], store.Micro(secret.CreatedAt), store.Micro(secret.ExpiresAt))
		if err != nil {
			return fmt.Errorf("inserting a secret of a client: %w", err)
		}
	}
	return nil
}

// scanSecrets reads the secrets of a client, and closes the rows.
func scanSecrets(rows *sql.Rows) ([]loop.ClientSecret, error) {
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	return store.ScanSecrets(rows)
}
