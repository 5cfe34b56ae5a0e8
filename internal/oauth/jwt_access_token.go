package oauth

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// jwtAccessType is the type in a JWT access token's header (RFC 9068 §2.1).
const jwtAccessType = "at+jwt"

// jwtAccessToken is an access token as a JWT (RFC 9068 §2.2).
type jwtAccessToken struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Expiry   int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	ID       string   `json:"jti"`
	Client   string   `json:"client_id"`
	Scope    string   `json:"scope,omitempty"`
	AuthTime int64    `json:"auth_time,omitempty"`
	ACR      string   `json:"acr,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	Binding  *Binding `json:"cnf,omitempty"`
	Bearings string   `json:"loop_bearings"` // sealed: what it hangs from is nobody's business, and introspection's
}

// signAccessToken makes a JWT access token (RFC 9068). Whoever reads it by itself
// never hears that it was revoked, which is why it is short-lived and opens nothing
// of ours.
func (s *Server) signAccessToken(token AccessToken) (string, error) {
	claims := jwtAccessToken{
		Issuer: s.Issuer, Subject: string(token.Member), Audience: strings.Join(token.Audience, " "),
		Expiry: token.ExpiresAt.Unix(), IssuedAt: token.IssuedAt.Unix(), ID: string(token.ID), Client: string(token.Client), Scope: token.scope(),
		Bearings: s.sealBearings(token.bearings()),
	}
	if token.Member == "" {
		claims.Subject = string(token.Client) // RFC 9068 §2.2: a service stands for itself
	} else {
		claims.AuthTime, claims.ACR, claims.AMR = token.AuthTime.Unix(), ACRPassword, []string{amrPassword}
	}
	if !token.Binding.none() {
		claims.Binding = &token.Binding
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding an access token: %w", err)
	}
	return s.sign(loop.ES256, jwtAccessType, body)
}

// VerifyJWTAccessToken opens a JWT access token and judges it as it stands now, for
// whoever asks about it; it opens nothing here. InvalidToken where it is not one of
// ours, has expired, or something that it hangs from was revoked.
func (s *Server) VerifyJWTAccessToken(text string) (AccessToken, error) {
	if strings.Count(text, ".") != 2 {
		return AccessToken{}, errInvalidToken
	}
	body, typ, err := s.Signing.Verify(text)
	var claims jwtAccessToken
	if err != nil || typ != jwtAccessType || json.Unmarshal(body, &claims) != nil || claims.Issuer != s.Issuer {
		return AccessToken{}, errInvalidToken
	}
	hangs, ok := s.openBearings(claims.Bearings)
	expires := time.Unix(claims.Expiry, 0).UTC()
	if !ok || string(hangs.token) != claims.ID || !s.World.Now().Before(expires) || s.Revocations.end(hangs) {
		return AccessToken{}, errInvalidToken
	}
	token := AccessToken{
		ID: hangs.token, Member: hangs.member, Client: hangs.client, Grant: hangs.grant, Chain: hangs.chain, Counter: hangs.counter,
		Audience: strings.Fields(claims.Audience), IssuedAt: time.Unix(claims.IssuedAt, 0).UTC(), ExpiresAt: expires,
	}
	if claims.Binding != nil {
		token.Binding = *claims.Binding
	}
	if token.Member == "" {
		token.ServiceScopes = strings.Fields(claims.Scope)
	} else {
		token.Scopes, token.AuthTime = loop.ReadScopes(claims.Scope), time.Unix(claims.AuthTime, 0).UTC()
	}
	return token, nil
}

// verifyAnyAccessToken judges an access token of either form.
func (s *Server) verifyAnyAccessToken(text string) (AccessToken, error) {
	if token, err := s.VerifyAccessToken(text); err == nil {
		return token, nil
	}
	return s.VerifyJWTAccessToken(text)
}

// bearingsLabel tells bearings from what else is sealed for the same purpose.
const bearingsLabel = "bearings of a JWT"

func (s *Server) sealBearings(b bearings) string {
	var p packer
	p.text(bearingsLabel)
	p.text(string(b.member))
	p.text(string(b.client))
	p.text(string(b.grant))
	p.text(string(b.chain))
	p.text(string(b.token))
	p.number(int64(b.counter)) //nolint:gosec // G115: counts up from 0
	return s.sealer(credential.ForTickets).Seal(p)
}

func (s *Server) openBearings(text string) (bearings, bool) {
	u, ok := s.unseal(credential.ForTickets, text)
	if !ok || u.text() != bearingsLabel {
		return bearings{}, false
	}
	b := bearings{
		member: loop.MemberID(u.text()), client: loop.ClientID(u.text()), grant: loop.GrantID(u.text()),
		chain: loop.ChainID(u.text()), token: loop.TokenID(u.text()),
	}
	b.counter = uint64(u.number()) //nolint:gosec // G115: written from a uint64
	return b, u.done()
}
