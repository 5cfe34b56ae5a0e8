package tables

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store"
)

// ReadClientColumns are the columns of a client, in the order of ScanClient.
const ReadClientColumns = clientColumns + `, owner_suspended`

// clientColumns are those that a change of a client writes.
const clientColumns = `id, name, type, redirect_uris, allowed_scopes, required_scopes, home_page, policy_page, terms_page,
	access_token_ttl, refresh_grace, require_nonce, mode, baa_signed_on, baa_by, first_party, verified, enabled, owner, created_at, updated_at, protocol, appearance, logo,
	registered_by, registration, webhooks`

const (
	selectClients   = `SELECT ` + ReadClientColumns + ` FROM clients ORDER BY id DESC`
	selectClientsOf = `SELECT ` + ReadClientColumns + ` FROM clients WHERE owner = $1 AND owner <> '' ORDER BY id DESC`
	countClientsOf  = `SELECT count(*) FROM clients WHERE owner = $1 AND owner <> ''`
	insertClient    = `INSERT INTO clients (` + clientColumns + `, owner_suspended)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, ` + ownerSuspended + `)`
	updateClient = `UPDATE clients SET name = $2, type = $3, redirect_uris = $4, allowed_scopes = $5, required_scopes = $6,
			home_page = $7, policy_page = $8, terms_page = $9, access_token_ttl = $10, refresh_grace = $11, require_nonce = $12, mode = $13,
			baa_signed_on = $14, baa_by = $15, first_party = $16, verified = $17, enabled = $18, owner = $19, created_at = $20, updated_at = $21,
			protocol = $22, appearance = $23, logo = $24, registered_by = $25, registration = $26, webhooks = $27, owner_suspended = ` + ownerSuspended + `
		WHERE id = $1`
	// insertNewClient inserts one whose document a member's consent made known, unless
	// another member's did so at the same time.
	insertNewClient = insertClient + ` ON CONFLICT (id) DO NOTHING`
	// ownerSuspended reads of the owner, the nineteenth value, whether they are suspended.
	ownerSuspended = `EXISTS (SELECT 1 FROM members WHERE members.id = $19 AND members.suspended = TRUE)`

	// The condition is that of the index clients_registered_by_themselves.
	selectUnusedClients = `SELECT id FROM clients WHERE registered_by = 'itself' AND created_at <= $1
		AND NOT EXISTS (SELECT 1 FROM grants WHERE client_id = clients.id AND revoked_at = 0) ORDER BY created_at LIMIT $2`

	selectIDsOf    = `SELECT id FROM clients WHERE owner = $1 AND owner <> ''`
	suspendClients = `UPDATE clients SET owner_suspended = $1 WHERE owner = $2 AND owner <> ''`
)

// ClientsOf lists the clients of a developer, newest first, without secrets.
func (s Identity) ClientsOf(ctx context.Context, owner loop.MemberID) ([]*loop.Client, error) {
	return list(ctx, s.db, ScanClient, selectClientsOf, owner)
}

// Clients lists every client, newest first, without secrets.
func (s Identity) Clients(ctx context.Context) ([]*loop.Client, error) {
	return list(ctx, s.db, ScanClient, selectClients)
}

// UnusedClients gives clients that registered themselves at or before a moment and have
// no live grant, the earliest first.
func (s Identity) UnusedClients(ctx context.Context, before time.Time, atMost int) ([]loop.ClientID, error) {
	return list(ctx, s.db, func(row Scanner) (id loop.ClientID, err error) {
		err = row.Scan((*string)(&id))
		return id, err
	}, selectUnusedClients, store.Micro(before), atMost)
}

// AddClient inserts a new client with its secrets and its record, on the terms. The
// owner's clients are counted: an engine with other writers keeps them waiting first.
func AddClient(tx Act, cache *store.ClientCache, c *loop.Client, on registration.Terms, rec audit.Record) error {
	values, err := clientValues(c)
	if err != nil {
		return err
	}
	tx.AtEnd(cache.Change(c.ID))
	TakeForm(tx, on.Form)
	if on.AtMost > 0 {
		var has int
		if err := tx.Each(func(row Scanner) error { return row.Scan(&has) }, countClientsOf, c.Owner); err != nil {
			return fmt.Errorf("counting the clients of an owner: %w", err)
		}
		if has >= on.AtMost {
			return registration.ErrTooMany
		}
	}
	tx.Exec(insertClient, values...)
	putSecrets(tx, c)
	addMessages(tx, c, on)
	return tx.Record(rec)
}

// putNewClient keeps a client that was known by its document alone. Nobody has it in
// memory: what isn't stored is not remembered.
func putNewClient(tx Tx, c *loop.Client) error {
	values, err := clientValues(c)
	if err != nil {
		return err
	}
	tx.Exec(insertNewClient, values...)
	return nil
}

// addMessages writes the messages that a change of a client brings about.
func addMessages(tx Tx, c *loop.Client, on registration.Terms) {
	if on.Messages != nil {
		AddMessages(tx, on.Messages(c))
	}
}

// UpdateClient writes a client that was changed, with its secrets. The cache gives
// nobody the client from before, from now until the transaction is over.
func UpdateClient(tx Act, cache *store.ClientCache, c *loop.Client, on registration.Terms) error {
	values, err := clientValues(c)
	if err != nil {
		return err
	}
	tx.AtEnd(cache.Change(c.ID))
	tx.Exec(updateClient, values...)
	putSecrets(tx, c)
	addMessages(tx, c, on)
	return nil
}

// SuspendClients has the apps of a developer follow whether they are suspended, and
// says which those are. The cache gives nobody one of them from before, from now until
// the transaction is over.
func SuspendClients(tx Act, cache *store.ClientCache, owner *loop.Member) ([]loop.ClientID, error) {
	var apps []loop.ClientID
	err := tx.Each(func(row Scanner) error {
		var id loop.ClientID
		err := row.Scan(&id)
		apps = append(apps, id)
		return err
	}, selectIDsOf, owner.ID)
	if err != nil {
		return nil, fmt.Errorf("finding the apps of a developer: %w", err)
	}
	for _, id := range apps {
		tx.AtEnd(cache.Change(id))
	}
	tx.Exec(suspendClients, owner.Suspended, owner.ID)
	return apps, nil
}

// RevokeClients is the revocations of a change with those of the apps that it stops:
// what they hold ends as what their developer's account held does.
func RevokeClients(revocations []loop.Revocation, apps []loop.ClientID) []loop.Revocation {
	if len(revocations) == 0 {
		return nil
	}
	for _, id := range apps {
		revocations = append(revocations, loop.Revocation{Kind: loop.RevokeClient, ID: string(id), ExpiresAt: revocations[0].ExpiresAt})
	}
	return revocations
}

// clientValues is a client as its columns hold it, without its secrets.
func clientValues(c *loop.Client) ([]any, error) {
	documents, err := clientDocuments(c)
	if err != nil {
		return nil, err
	}
	signedOn, by := baaColumns(c.BAA)
	return []any{
		c.ID, c.Name, c.Type, documents[0], c.AllowedScopes.String(), c.RequiredScopes.String(), c.HomePage, c.PolicyPage, c.TermsPage,
		seconds(c.AccessTokenTTL), seconds(c.RefreshGrace), c.RequireNonce, c.Mode, signedOn, by, c.FirstParty, c.Verified, c.Enabled, c.Owner,
		store.Micro(c.CreatedAt), store.Micro(c.UpdatedAt), documents[1], documents[2], documents[3],
		c.Registration.By, documents[4], documents[5],
	}, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// clientDocuments are the columns that hold JSON: redirect URIs, protocol, appearance,
// logo, registration and webhooks, which nothing is ever looked up by.
func clientDocuments(c *loop.Client) (texts [6]string, err error) {
	for i, document := range []any{c.RedirectURIs, c.Protocol, c.Appearance, c.Logo, c.Registration, c.Webhooks} {
		text, err := json.Marshal(document)
		if err != nil {
			return texts, fmt.Errorf("encoding a %T of a client: %w", document, err)
		}
		texts[i] = string(text)
	}
	return texts, nil
}

func baaColumns(baa *loop.BAA) (signedOn int64, by string) {
	if baa == nil {
		return 0, ""
	}
	return store.Micro(baa.SignedOn), baa.By
}

// ScanClient reads a client, without its secrets; loop.ErrNotFound where there is none.
func ScanClient(row Scanner) (*loop.Client, error) {
	var (
		c                                                                           loop.Client
		uris, allowed, needed, by, protocol, appearance, logo, registered, webhooks string
		ttl, grace, signedOn, created, update                                       int64
	)
	err := row.Scan(&c.ID, &c.Name, &c.Type, &uris, &allowed, &needed, &c.HomePage, &c.PolicyPage, &c.TermsPage,
		&ttl, &grace, truth(&c.RequireNonce), &c.Mode, &signedOn, &by, truth(&c.FirstParty), truth(&c.Verified), truth(&c.Enabled), &c.Owner, &created, &update, &protocol, &appearance, &logo,
		text(&c.Registration.By), &registered, &webhooks, truth(&c.OwnerSuspended))
	if err != nil {
		return nil, store.Found(err)
	}
	for _, document := range []struct {
		text string
		into any
	}{{uris, &c.RedirectURIs}, {protocol, &c.Protocol}, {appearance, &c.Appearance}, {logo, &c.Logo}, {registered, &c.Registration}, {webhooks, &c.Webhooks}} {
		if err := json.Unmarshal([]byte(document.text), document.into); err != nil {
			return nil, fmt.Errorf("reading a %T of %s: %w", document.into, c.ID, err)
		}
	}
	c.AllowedScopes, c.RequiredScopes = loop.ReadScopes(allowed), loop.ReadScopes(needed)
	c.AccessTokenTTL, c.RefreshGrace = time.Duration(ttl)*time.Second, time.Duration(grace)*time.Second
	if signedOn != 0 {
		c.BAA = &loop.BAA{SignedOn: store.FromMicro(signedOn), By: by}
	}
	c.CreatedAt, c.UpdatedAt = store.FromMicro(created), store.FromMicro(update)
	return &c, nil
}
