package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

const clientColumns = `id, name, type, redirect_uris, allowed_scopes, required_scopes, home_page, policy_page, terms_page,
	access_token_ttl, refresh_grace, require_nonce, mode, baa_signed_on, baa_by, first_party, verified, enabled, owner, created_at, updated_at, protocol`

const (
	selectClient = `SELECT ` + clientColumns + ` FROM clients WHERE id = ?`
	selectHashes = `SELECT hash, created_at, expires_at FROM client_secrets WHERE client_id = ? ORDER BY created_at`
)

// Client reads a client with its secrets; loop.ErrNotFound where there is none.
// All callers share it: whoever wants to alter it takes a Clone.
func (s *Identity) Client(ctx context.Context, id loop.ClientID) (*loop.Client, error) {
	return s.cache.client(id, func() (*loop.Client, error) {
		client, err := scanClient(s.db.QueryRowContext(ctx, selectClient, id))
		if err != nil {
			return nil, err
		}
		rows, err := s.db.QueryContext(context.WithoutCancel(ctx), selectHashes, id) // two rows: not worth watching for a cancellation
		if err != nil {
			return nil, unavailable(err)
		}
		client.Secrets, err = scanSecrets(rows)
		return client, err
	})
}

// clientIn is Client as the transaction sees it.
func (s *Identity) clientIn(tx *Tx, id loop.ClientID) (*loop.Client, error) {
	return s.cache.client(id, func() (*loop.Client, error) { return readClient(tx, id) })
}

func readClient(tx *Tx, id loop.ClientID) (*loop.Client, error) {
	client, err := scanClient(tx.QueryRow(selectClient, id))
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
	return s.clients(ctx, `SELECT `+clientColumns+` FROM clients WHERE owner = ? AND owner <> '' ORDER BY id DESC`, owner)
}

// Clients lists every client, newest first, without secrets.
func (s *Identity) Clients(ctx context.Context) ([]*loop.Client, error) {
	return s.clients(ctx, `SELECT `+clientColumns+` FROM clients ORDER BY id DESC`)
}

func (s *Identity) clients(ctx context.Context, query string, args ...any) ([]*loop.Client, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing clients: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var clients []*loop.Client
	for rows.Next() {
		client, err := scanClient(rows)
		if err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	return clients, rows.Err()
}

// AddClient inserts a new client with its secrets and its record.
func (s *Identity) AddClient(ctx context.Context, c *loop.Client, rec audit.Record) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		s.cache.change(tx, c.ID)
		uris, protocol, err := clientDocuments(c)
		if err != nil {
			return err
		}
		signedOn, by := baaColumns(c.BAA)
		_, err = tx.Exec(`INSERT INTO clients (`+clientColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			c.ID, c.Name, c.Type, uris, c.AllowedScopes.String(), c.RequiredScopes.String(), c.HomePage, c.PolicyPage, c.TermsPage,
			seconds(c.AccessTokenTTL), seconds(c.RefreshGrace), c.RequireNonce, c.Mode, signedOn, by, c.FirstParty, c.Verified, c.Enabled, c.Owner,
			unixMicro(c.CreatedAt), unixMicro(c.UpdatedAt), protocol)
		if err != nil {
			return fmt.Errorf("inserting a client: %w", err)
		}
		if err := putSecrets(tx, c); err != nil {
			return err
		}
		return tx.Record(rec)
	})
}

// ChangeClient reads a client, has change alter it, and writes it with what
// that revokes and its records, in one transaction. An error of change leaves
// everything as it was.
func (s *Identity) ChangeClient(ctx context.Context, id loop.ClientID, change func(*loop.Client) ([]loop.Revocation, []audit.Record, error)) error {
	return s.db.Write(ctx, func(tx *Tx) error { return s.changeClient(tx, id, change) })
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
	s.cache.change(tx, id)
	if err := updateClient(tx, c); err != nil {
		return err
	}
	return s.revokeAndRecord(tx, revocations, records)
}

func updateClient(tx *Tx, c *loop.Client) error {
	uris, protocol, err := clientDocuments(c)
	if err != nil {
		return err
	}
	signedOn, by := baaColumns(c.BAA)
	_, err = tx.Exec(`UPDATE clients SET name = ?, redirect_uris = ?, allowed_scopes = ?, required_scopes = ?, home_page = ?, policy_page = ?, terms_page = ?,
		access_token_ttl = ?, refresh_grace = ?, require_nonce = ?, mode = ?, baa_signed_on = ?, baa_by = ?, first_party = ?, verified = ?, enabled = ?, owner = ?, updated_at = ?, protocol = ?
		WHERE id = ?`,
		c.Name, uris, c.AllowedScopes.String(), c.RequiredScopes.String(), c.HomePage, c.PolicyPage, c.TermsPage,
		seconds(c.AccessTokenTTL), seconds(c.RefreshGrace), c.RequireNonce, c.Mode, signedOn, by, c.FirstParty, c.Verified, c.Enabled, c.Owner, unixMicro(c.UpdatedAt), protocol, c.ID)
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
			c.ID, secret.Hash[:], unixMicro(secret.CreatedAt), unixMicro(secret.ExpiresAt))
		if err != nil {
			return fmt.Errorf("inserting a secret of a client: %w", err)
		}
	}
	return nil
}

// clientDocuments are the two columns that hold JSON: lists and settings that
// nothing is ever looked up by.
func clientDocuments(c *loop.Client) (redirectURIs, protocol string, err error) {
	uris, err := json.Marshal(c.RedirectURIs)
	if err != nil {
		return "", "", fmt.Errorf("encoding redirect URIs: %w", err)
	}
	settings, err := json.Marshal(c.Protocol)
	if err != nil {
		return "", "", fmt.Errorf("encoding the protocol of a client: %w", err)
	}
	return string(uris), string(settings), nil
}

func baaColumns(baa *loop.BAA) (signedOn int64, by string) {
	if baa == nil {
		return 0, ""
	}
	return unixMicro(baa.SignedOn), baa.By
}

func scanClient(row scanner) (*loop.Client, error) {
	var (
		c                                     loop.Client
		uris, allowed, needed, by, protocol   string
		ttl, grace, signedOn, created, update int64
	)
	err := row.Scan(&c.ID, &c.Name, &c.Type, &uris, &allowed, &needed, &c.HomePage, &c.PolicyPage, &c.TermsPage,
		&ttl, &grace, &c.RequireNonce, &c.Mode, &signedOn, &by, &c.FirstParty, &c.Verified, &c.Enabled, &c.Owner, &created, &update, &protocol)
	if err != nil {
		return nil, found(err)
	}
	if err := json.Unmarshal([]byte(uris), &c.RedirectURIs); err != nil {
		return nil, fmt.Errorf("reading the redirect URIs of %s: %w", c.ID, err)
	}
	if err := json.Unmarshal([]byte(protocol), &c.Protocol); err != nil {
		return nil, fmt.Errorf("reading the protocol of %s: %w", c.ID, err)
	}
	c.AllowedScopes, c.RequiredScopes = loop.ReadScopes(allowed), loop.ReadScopes(needed)
	c.AccessTokenTTL, c.RefreshGrace = time.Duration(ttl)*time.Second, time.Duration(grace)*time.Second
	if signedOn != 0 {
		c.BAA = &loop.BAA{SignedOn: fromMicro(signedOn), By: by}
	}
	c.CreatedAt, c.UpdatedAt = fromMicro(created), fromMicro(update)
	return &c, nil
}

func scanSecrets(rows *sql.Rows) ([]loop.ClientSecret, error) {
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var secrets []loop.ClientSecret
	for rows.Next() {
		var (
			hash             []byte
			created, expires int64
		)
		if err := rows.Scan(&hash, &created, &expires); err != nil {
			return nil, fmt.Errorf("reading the secrets of a client: %w", err)
		}
		if len(hash) != 32 {
			return nil, fmt.Errorf("a stored secret hash has %d bytes, not 32", len(hash))
		}
		secrets = append(secrets, loop.ClientSecret{Hash: [32]byte(hash), CreatedAt: fromMicro(created), ExpiresAt: fromMicro(expires)})
	}
	return secrets, rows.Err()
}
