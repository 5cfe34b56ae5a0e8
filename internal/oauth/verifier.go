package oauth

import (
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/possession"
)

// Verifier opens access tokens and judges them, in memory: it is all that a
// resource server needs of this room. It is safe for concurrent use.
type Verifier struct {
	Issuer      string // of the tokens that are JWTs
	World       loop.World
	Ring        *credential.Ring
	Signing     *credential.SigningKeys
	Revocations *Revocations
	Possession  *possession.Checker

	opened openedTokens
}

// errInvalidToken is all that the holder of a token that does not work learns.
var errInvalidToken = loop.Errorf(loop.InvalidToken, "The access token is not valid: it is malformed, expired or revoked. Refresh it, or send the member through authorization again.")

// Verify opens an access token and judges it: sealed by this platform, not
// expired, and nothing that it depends on revoked. InvalidToken otherwise, without
// saying which (RFC 6750 §3.1).
func (v *Verifier) Verify(text string) (AccessToken, error) {
	token, ok := v.opened.open(v.Ring, text)
	if !ok || !loop.Alive(v.World.Now(), token.IssuedAt, token.ExpiresAt.Sub(token.IssuedAt)) || v.Revocations.revokedAfter(token.lineage()) {
		return AccessToken{}, errInvalidToken
	}
	return token, nil
}

// Presented is an access token as a request to a resource brings it.
type Presented struct {
	possession.Evidence

	Scheme   string // Bearer or DPoP, as it was written
	Token    string
	Resource string // what is asked for: the host's public address
}

// Admitted is an access token that may be used for the request that brought it.
type Admitted struct {
	AccessToken

	proof *possession.Proof // nil: none came with it
}

// Admit judges an access token as it is presented: good now, meant for this
// resource, and held by whom it was given to. InvalidToken, InvalidDPoPProof or
// UseDPoPNonce otherwise. Pass it to Accept before the request is answered.
func (v *Verifier) Admit(p Presented) (Admitted, error) {
	token, err := v.Verify(p.Token)
	if err != nil {
		return Admitted{}, err
	}
	if !token.meantFor(p.Resource) {
		return Admitted{}, loop.Errorf(loop.InvalidToken, "The access token is meant for another resource. Ask for one with resource=%s.", p.Resource)
	}
	proof, err := v.Possession.Held(possession.Token{Text: p.Token, Scheme: p.Scheme, Client: token.Client, IssuedAt: token.IssuedAt, Binding: token.Binding}, p.Evidence)
	return Admitted{token, proof}, err
}

// Accept uses up what was presented with an admitted token, once all else of its
// request holds; InvalidDPoPProof where another request was faster.
func (v *Verifier) Accept(a Admitted) error { return v.Possession.Use(a.Client, a.proof) }

// NewNonce makes the nonce for the next DPoP proof (RFC 9449 §8.2).
func (v *Verifier) NewNonce() string { return v.Possession.NewNonce() }
