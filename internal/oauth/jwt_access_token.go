package oauth

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// jwtAccessType is the type in a JWT access token's header (RFC 9068 §2.1).
const jwtAccessType = "at+jwt"

// jwtAccessToken is an access token as a JWT (RFC 9068 §2.2).
type jwtAccessToken struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub"`
	Audience string              `json:"aud"`
	Expiry   int64               `json:"exp"`
	IssuedAt int64               `json:"iat"`
	ID       string              `json:"jti"`
	Client   string              `json:"client_id"`
	Scope    string              `json:"scope,omitempty"`
	AuthTime int64               `json:"auth_time,omitempty"`
	ACR      loop.Context        `json:"acr,omitempty"`
	AMR      []string            `json:"amr,omitempty"`
	Binding  *possession.Binding `json:"cnf,omitempty"`
	Lineage  string              `json:"loop_bearings"` // sealed: what it depends on, for introspection alone
}

// signAccessToken makes a JWT access token (RFC 9068). Who reads it without
// introspection does not learn that it was revoked. So it is short-lived, and opens
// nothing of ours.
func (m *Minter) signAccessToken(token AccessToken) (string, error) {
	claims := jwtAccessToken{
		Issuer: m.Issuer, Subject: string(token.Member), Audience: strings.Join(token.Audience, " "),
		Expiry: token.ExpiresAt.Unix(), IssuedAt: token.IssuedAt.Unix(), ID: string(token.ID), Client: string(token.Client), Scope: token.scope(),
		Lineage: sealLineage(m.Ring, token.lineage()),
	}
	if token.Member == "" {
		claims.Subject = string(token.Client) // RFC 9068 §2.2: a service stands for itself
	} else {
		claims.AuthTime, claims.ACR, claims.AMR = token.Authentication.At.Unix(), token.Authentication.Context(), token.Authentication.Methods.AMR()
	}
	if !token.Binding.None() {
		claims.Binding = &token.Binding
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding an access token: %w", err)
	}
	return m.sign(loop.ES256, jwtAccessType, body)
}

// VerifyJWT opens a JWT access token and judges it as it stands now, for whoever
// asks about it; it opens nothing here. InvalidToken where it is not one of ours,
// has expired, or something that it depends on was revoked.
func (v *Verifier) VerifyJWT(text string) (AccessToken, error) {
	if strings.Count(text, ".") != 2 {
		return AccessToken{}, errInvalidToken
	}
	body, typ, err := v.Signing.Verify(text)
	var claims jwtAccessToken
	if err != nil || typ != jwtAccessType || json.Unmarshal(body, &claims) != nil || claims.Issuer != v.Issuer {
		return AccessToken{}, errInvalidToken
	}
	lineage, ok := openLineage(v.Ring, claims.Lineage)
	issued, expires := time.Unix(claims.IssuedAt, 0).UTC(), time.Unix(claims.Expiry, 0).UTC()
	if !ok || string(lineage.token) != claims.ID || !loop.Alive(v.World.Now(), issued, expires.Sub(issued)) || v.Revocations.revokedAfter(lineage) {
		return AccessToken{}, errInvalidToken
	}
	token := AccessToken{
		ID: lineage.token, Member: lineage.member, Client: lineage.client, Grant: lineage.grant, Chain: lineage.chain, Counter: lineage.counter,
		Audience: strings.Fields(claims.Audience), IssuedAt: issued, ExpiresAt: expires,
	}
	if claims.Binding != nil {
		token.Binding = *claims.Binding
	}
	if token.Member == "" {
		token.ServiceScopes = strings.Fields(claims.Scope)
	} else {
		token.Scopes, token.Authentication = loop.ReadScopes(claims.Scope), claims.authentication()
	}
	return token, nil
}

// verifyAny judges an access token of either form.
func (v *Verifier) verifyAny(text string) (AccessToken, error) {
	if token, err := v.Verify(text); err == nil {
		return token, nil
	}
	return v.VerifyJWT(text)
}

// lineageLabel keeps lineages apart from what else is sealed for the same purpose.
const lineageLabel = "bearings of a JWT"

func sealLineage(ring *credential.Ring, l lineage) string {
	var p packer
	p.text(lineageLabel)
	p.text(string(l.member))
	p.text(string(l.client))
	p.text(string(l.grant))
	p.text(string(l.chain))
	p.text(string(l.token))
	p.number(int64(l.counter)) //nolint:gosec // G115: counts up from 0
	return credential.Sealer{Ring: ring, Purpose: credential.ForTickets}.Seal(p)
}

func openLineage(ring *credential.Ring, text string) (lineage, bool) {
	u, ok := unseal(ring, credential.ForTickets, text)
	if !ok || u.text() != lineageLabel {
		return lineage{}, false
	}
	l := lineage{
		member: loop.MemberID(u.text()), client: loop.ClientID(u.text()), grant: loop.GrantID(u.text()),
		chain: loop.ChainID(u.text()), token: loop.TokenID(u.text()),
	}
	l.counter = uint64(u.number()) //nolint:gosec // G115: written from a uint64
	return l, u.done()
}

// authentication is the member's sign-in, as the claims describe it.
func (c *jwtAccessToken) authentication() loop.Authentication {
	return loop.Authentication{At: time.Unix(c.AuthTime, 0).UTC(), Methods: loop.ReadMethods(strings.Join(c.AMR, " ")), Asked: c.ACR}
}
