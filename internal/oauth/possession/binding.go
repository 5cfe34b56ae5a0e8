package possession

import (
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Binding is what an access token is bound to, so that it is of no use to a
// thief (RFC 7800 §3.1): a DPoP key, a client certificate, or nothing.
type Binding struct {
	Key         string `json:"jkt,omitempty"`      // thumbprint of the DPoP key (RFC 9449 §6.1)
	Certificate string `json:"x5t#S256,omitempty"` // thumbprint of the certificate (RFC 8705 §3.1)
}

// None reports whether the token is a bearer token.
func (b Binding) None() bool { return b == Binding{} }

// Holder names in one word who holds what is bound; empty: anybody.
func (b Binding) Holder() string {
	if b.Certificate != "" {
		return "x5t#S256 " + b.Certificate
	}
	return b.Key
}

// TokenType is how the token is presented (RFC 9449 §5, RFC 6750 §2.1).
func (b Binding) TokenType() string {
	if b.Key != "" {
		return "DPoP"
	}
	return "Bearer"
}

// Bind finds what the tokens of a token request will be bound to, with the
// request's proof, if any, which the caller uses up. A client that registered
// bound tokens gets no others.
func (c *Checker) Bind(client *loop.Client, sent Evidence) (b Binding, proof *Proof, err error) {
	switch {
	case len(sent.Proofs) > 0:
		if proof, err = c.Check(sent, ""); err != nil {
			return b, nil, err
		}
		b.Key = proof.Key
	case client.Protocol.DPoPBound && !client.Protocol.CertificateBound:
		return b, nil, Refused("this client's tokens are bound to a key: send a DPoP proof")
	case client.Protocol.DPoPBound && len(sent.Certificates) == 0:
		return b, nil, Refused("this client's tokens are bound: send a DPoP proof, or a client certificate")
	}
	if client.Protocol.CertificateBound && b.Key == "" {
		if len(sent.Certificates) == 0 {
			return b, nil, loop.Errorf(loop.InvalidRequest, "This client's tokens are bound to its certificate, and the connection brought none. Use the addresses in mtls_endpoint_aliases of the discovery document.")
		}
		b.Certificate = Thumbprint(sent.Certificates[0])
	}
	return b, proof, nil
}

// Token is an access token as it is presented.
type Token struct {
	Text     string
	Scheme   string // Bearer or DPoP, as it was written
	Client   loop.ClientID
	IssuedAt time.Time
	Binding
}

// Held proves that whoever presents an access token holds what it is bound to;
// InvalidToken, InvalidDPoPProof or UseDPoPNonce otherwise. A bound token never
// falls back to a bearer token (RFC 9449 §7.2). The caller uses the proof up, if
// there is one.
func (c *Checker) Held(token Token, sent Evidence) (*Proof, error) {
	byDPoP := strings.EqualFold(token.Scheme, "DPoP")
	switch {
	case token.Key != "" && !byDPoP:
		return nil, loop.Errorf(loop.InvalidToken, "The access token is bound to a key. Send it as Authorization: DPoP TOKEN, with a proof.")
	case token.Key == "" && byDPoP:
		return nil, loop.Errorf(loop.InvalidToken, "The access token is not bound to a key. Send it as Authorization: Bearer TOKEN.")
	case token.Certificate != "":
		if len(sent.Certificates) == 0 || Thumbprint(sent.Certificates[0]) != token.Certificate {
			return nil, loop.Errorf(loop.InvalidToken, "The access token is bound to a client certificate, and this connection did not bring that one. Use the certificate of the token request, at the addresses for certificates.")
		}
	}
	if !byDPoP {
		return nil, nil //nolint:nilnil // there is no proof, and none is needed
	}
	proof, err := c.Check(sent, token.Text)
	if err != nil {
		return nil, err
	}
	if proof.Key != token.Key {
		return nil, loop.Errorf(loop.InvalidToken, "The access token is bound to another key than the proof's. Make the proof with the key of the token request.")
	}
	proof.notBefore(token.IssuedAt, c.World.Now()) // it names the token (ath)
	return proof, c.Unused(token.Client, proof)
}
