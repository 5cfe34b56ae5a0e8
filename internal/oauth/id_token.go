package oauth

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// idTokenLife is short: an ID token describes a sign-in, it opens nothing.
const idTokenLife = 5 * time.Minute

// idTokenType is the type in an ID token's header: what else is signed has another.
const idTokenType = "JWT"

// idTokenClaims are the claims of an ID token (OpenID Connect Core §2). Claims
// about the member are there only where the claims parameter asked for them.
type idTokenClaims struct {
	Issuer   string       `json:"iss"`
	Subject  string       `json:"sub"`
	Audience string       `json:"aud"`
	Expiry   int64        `json:"exp"`
	IssuedAt int64        `json:"iat"`
	AuthTime int64        `json:"auth_time"`
	Nonce    string       `json:"nonce,omitempty"`
	AtHash   string       `json:"at_hash"`
	Session  string       `json:"sid"`
	ACR      loop.Context `json:"acr"`
	AMR      []string     `json:"amr"`
	FHIRUser string       `json:"fhirUser,omitempty"` // the member's Patient resource (SMART App Launch 2.2 §3.0.2.2)

	MemberClaims
}

// MemberClaims are the claims of the scopes profile and email (OpenID Connect
// Core §5.4). What was not granted is absent.
type MemberClaims struct {
	Name          string `json:"name,omitempty"`
	Locale        string `json:"locale,omitempty"`
	UpdatedAt     int64  `json:"updated_at,omitempty"`
	Email         string `json:"email,omitempty"`
	EmailVerified *bool  `json:"email_verified,omitempty"`
}

// ClaimsOf gives the claims about a member that the scopes open.
func ClaimsOf(m *loop.Member, scopes loop.Scopes) MemberClaims {
	var claims MemberClaims
	if scopes.Has(loop.ScopeProfile) {
		claims.Name, claims.Locale, claims.UpdatedAt = m.Name, m.Locale, m.UpdatedAt.Unix()
	}
	if scopes.Has(loop.ScopeEmail) {
		verified := m.EmailVerified
		claims.Email, claims.EmailVerified = string(m.Email), &verified
	}
	return claims
}

// only keeps the claims of the given names.
func (c MemberClaims) only(names []string) MemberClaims {
	var kept MemberClaims
	if slices.Contains(names, "name") {
		kept.Name = c.Name
	}
	if slices.Contains(names, "locale") {
		kept.Locale = c.Locale
	}
	if slices.Contains(names, "updated_at") {
		kept.UpdatedAt = c.UpdatedAt
	}
	if slices.Contains(names, "email") {
		kept.Email = c.Email
	}
	if slices.Contains(names, "email_verified") {
		kept.EmailVerified = c.EmailVerified
	}
	return kept
}

// idToken signs an ID token for what a chain's sign-in proved.
func (m *Minter) idToken(client *loop.Client, of issuance, nonce, idClaims, accessToken string) (string, error) {
	now, chain := of.at(m.World), of.chain
	claims := idTokenClaims{
		Issuer:       m.Issuer,
		Subject:      string(chain.Member),
		Audience:     string(chain.Client),
		Expiry:       now.Add(lifeWithin(of.endsAt, now, idTokenLife)).Unix(),
		IssuedAt:     now.Unix(),
		AuthTime:     chain.Authentication.At.Unix(),
		Nonce:        nonce,
		AtHash:       accessTokenHash(client.Protocol.IDTokenAlgorithm, accessToken),
		Session:      string(chain.Session),
		ACR:          chain.Authentication.Context(),
		AMR:          chain.Authentication.Methods.AMR(),
		MemberClaims: ClaimsOf(of.member, chain.Scopes).only(strings.Fields(idClaims)),
	}
	if chain.AskedFor.Asks(loop.SmartUser) {
		claims.FHIRUser = m.FHIR + "/Patient/" + loop.PatientID(chain.Member)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encoding an ID token: %w", err)
	}
	return m.sign(client.Protocol.IDTokenAlgorithm, idTokenType, body)
}

// openIDToken reads an ID token of ours, expired or not.
func (m *Minter) openIDToken(token string) (idTokenClaims, error) {
	body, typ, err := m.Signing.Verify(token)
	if err != nil {
		return idTokenClaims{}, fmt.Errorf("reading an ID token: %w", err)
	}
	var claims idTokenClaims
	if err := json.Unmarshal(body, &claims); err != nil || typ != idTokenType || claims.Issuer != m.Issuer {
		return idTokenClaims{}, fmt.Errorf("not an ID token of this issuer")
	}
	return claims, nil
}

// accessTokenHash is the left half of the hash of the token's text (OpenID
// Connect Core §3.1.3.6): SHA-256 for algorithms that end in 256, SHA-512 for
// EdDSA, which has it within.
func accessTokenHash(alg loop.Algorithm, accessToken string) string {
	if alg == loop.EdDSA {
		sum := sha512.Sum512([]byte(accessToken))
		return base64.RawURLEncoding.EncodeToString(sum[:sha512.Size/2])
	}
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
}
