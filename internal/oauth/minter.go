package oauth

import (
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Minter gives what was decided its form: tokens that only this platform reads, and
// JWTs. It asks nobody and keeps nothing.
type Minter struct {
	Issuer  string // identity's public URL, byte for byte
	FHIR    string // the base address of FHIR, under which a member's Patient resource is
	World   loop.World
	Ring    *credential.Ring
	Signing *credential.SigningKeys
}

// issuance is what a decision on a code or a refresh token came to: what tokens are
// made of.
type issuance struct {
	chain   *loop.Chain
	granted loop.ScopeRequest // what the access token opens, which may be less than the chain has
	target  target
	member  *loop.Member
	endsAt  time.Time // of the grant: no token outlives it; zero: it has no end
	counter uint64    // of revocations, when it was decided
	// issuedAt is when a refresh made the chain's present generation: until the next one,
	// the same request is given the very same tokens. Zero: now, and once.
	issuedAt time.Time
}

// at is the moment of the issue.
func (of issuance) at(w loop.World) time.Time {
	if of.issuedAt.IsZero() {
		return w.Now()
	}
	return of.issuedAt
}

// tokenID names the access token: by what is issued again, where it may be, else anew.
func (m *Minter) tokenID(of issuance) loop.TokenID {
	if of.issuedAt.IsZero() {
		return loop.NewTokenID(m.World)
	}
	said := fmt.Sprintf("%s %d %s %q", of.chain.ID, of.chain.Generation, of.granted, of.target.audience)
	var bits [10]byte
	copy(bits[:], m.Ring.MAC(credential.ForRefreshTokens, of.chain.KeyID, of.chain.Salt[:], []byte("access token"), []byte(said)))
	return loop.TokenIDOf(of.issuedAt, bits)
}

// lifeWithin is how long what lives for so long may live from now on, where the grant
// that it is under ends.
func lifeWithin(endsAt, now time.Time, life time.Duration) time.Duration {
	if endsAt.IsZero() {
		return life
	}
	return max(0, min(life, endsAt.Sub(now)))
}

// issue makes the tokens that a chain stands for now.
func (m *Minter) issue(req TokenRequest, of issuance) (*TokenResponse, error) {
	now, chain, granted, target := of.at(m.World), of.chain, of.granted, of.target
	granted = granted.Within(target.opens(granted.Scopes()))
	granted.Offline = granted.Offline && req.Client.MayUse(loop.GrantRefreshToken)
	life := lifeWithin(of.endsAt, now, target.life(req.Client))
	access, err := m.accessToken(AccessToken{
		ID: m.tokenID(of), Member: chain.Member, Client: chain.Client, Grant: chain.Grant, Chain: chain.ID,
		Scopes: granted.Scopes(), As: granted, Audience: target.audience, Binding: req.Binding, Authentication: chain.Authentication,
		IssuedAt: now, ExpiresAt: now.Add(life), Counter: of.counter,
	}, target)
	if err != nil {
		return nil, err
	}
	response := &TokenResponse{
		AccessToken: access,
		TokenType:   req.Binding.TokenType(),
		ExpiresIn:   int64(life / time.Second),
		Scope:       granted.String(),
	}
	if granted.OfPatient() {
		response.Patient = loop.PatientID(chain.Member)
	}
	if !req.Client.MayUse(loop.GrantRefreshToken) {
		return response, nil
	}
	refresh, err := sealRefreshToken(m.Ring, chain)
	if err != nil {
		return nil, err
	}
	response.RefreshToken = refresh.Reveal()
	return response, nil
}

// withIDToken adds the ID token where openid is among the scopes.
func (m *Minter) withIDToken(response *TokenResponse, client *loop.Client, of issuance, nonce, idClaims string) (*TokenResponse, error) {
	if !of.chain.Scopes.Has(loop.ScopeOpenID) {
		return response, nil
	}
	token, err := m.idToken(client, of, nonce, idClaims, response.AccessToken)
	response.IDToken = token
	return response, err
}

// accessToken gives an access token the form that its resource understands.
func (m *Minter) accessToken(token AccessToken, to target) (string, error) {
	if !to.isJWT() {
		return sealAccessToken(m.Ring, token).Reveal(), nil
	}
	return m.signAccessToken(token)
}

// sign makes a JWT of the given type (RFC 7515 §4.1.9), so that what is signed
// for one use is taken for no other.
func (m *Minter) sign(alg loop.Algorithm, typ string, claims []byte) (string, error) {
	return m.Signing.Sign(jose.SignatureAlgorithm(alg), typ, claims)
}
