package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// ClientColumns are the columns of a client, in the order of ScanClient and ClientValues.
const ClientColumns = `id, name, type, redirect_uris, allowed_scopes, required_scopes, home_page, policy_page, terms_page,
	access_token_ttl, refresh_grace, require_nonce, mode, baa_signed_on, baa_by, first_party, verified, enabled, owner, created_at, updated_at, protocol, appearance`

// ClientValues is a client as its columns hold it, without its secrets.
func ClientValues(c *loop.Client) ([]any, error) {
	uris, protocol, appearance, err := clientDocuments(c)
	if err != nil {
		return nil, err
	}
	signedOn, by := baaColumns(c.BAA)
	return []any{
		c.ID, c.Name, c.Type, uris, c.AllowedScopes.String(), c.RequiredScopes.String(), c.HomePage, c.PolicyPage, c.TermsPage,
		seconds(c.AccessTokenTTL), seconds(c.RefreshGrace), c.RequireNonce, c.Mode, signedOn, by, c.FirstParty, c.Verified, c.Enabled, c.Owner,
		Micro(c.CreatedAt), Micro(c.UpdatedAt), protocol, appearance,
	}, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// clientDocuments are the columns that hold JSON: lists and settings that nothing
// is ever looked up by.
func clientDocuments(c *loop.Client) (redirectURIs, protocol, appearance string, err error) {
	uris, err := json.Marshal(c.RedirectURIs)
	if err != nil {
		return "", "", "", fmt.Errorf("encoding redirect URIs: %w", err)
	}
	settings, err := json.Marshal(c.Protocol)
	if err != nil {
		return "", "", "", fmt.Errorf("encoding the protocol of a client: %w", err)
	}
	shown, err := json.Marshal(c.Appearance)
	if err != nil {
		return "", "", "", fmt.Errorf("encoding the appearance of a client: %w", err)
	}
	return string(uris), string(settings), string(shown), nil
}

func baaColumns(baa *loop.BAA) (signedOn int64, by string) {
	if baa == nil {
		return 0, ""
	}
	return Micro(baa.SignedOn), baa.By
}

// ScanClient reads a client, without its secrets; loop.ErrNotFound where there is none.
func ScanClient(row Scanner) (*loop.Client, error) {
	var (
		c                                               loop.Client
		uris, allowed, needed, by, protocol, appearance string
		ttl, grace, signedOn, created, update           int64
	)
	err := row.Scan(&c.ID, &c.Name, &c.Type, &uris, &allowed, &needed, &c.HomePage, &c.PolicyPage, &c.TermsPage,
		&ttl, &grace, truth(&c.RequireNonce), &c.Mode, &signedOn, &by, truth(&c.FirstParty), truth(&c.Verified), truth(&c.Enabled), &c.Owner, &created, &update, &protocol, &appearance)
	if err != nil {
		return nil, Found(err)
	}
	if err := json.Unmarshal([]byte(uris), &c.RedirectURIs); err != nil {
		return nil, fmt.Errorf("reading the redirect URIs of %s: %w", c.ID, err)
	}
	if err := json.Unmarshal([]byte(protocol), &c.Protocol); err != nil {
		return nil, fmt.Errorf("reading the protocol of %s: %w", c.ID, err)
	}
	if err := json.Unmarshal([]byte(appearance), &c.Appearance); err != nil {
		return nil, fmt.Errorf("reading the appearance of %s: %w", c.ID, err)
	}
	c.AllowedScopes, c.RequiredScopes = loop.ReadScopes(allowed), loop.ReadScopes(needed)
	c.AccessTokenTTL, c.RefreshGrace = time.Duration(ttl)*time.Second, time.Duration(grace)*time.Second
	if signedOn != 0 {
		c.BAA = &loop.BAA{SignedOn: FromMicro(signedOn), By: by}
	}
	c.CreatedAt, c.UpdatedAt = FromMicro(created), FromMicro(update)
	return &c, nil
}

// ScanSecrets reads all that is left of rows of hash, created_at and expires_at.
func ScanSecrets(rows Rows) ([]loop.ClientSecret, error) {
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
		secrets = append(secrets, loop.ClientSecret{Hash: [32]byte(hash), CreatedAt: FromMicro(created), ExpiresAt: FromMicro(expires)})
	}
	return secrets, rows.Err()
}
