package connect

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Key is a private key of the app's: ECDSA on P-256 or Ed25519. Printed it shows
// nothing of it.
type Key struct {
	id     string
	signer jose.Signer
	plain  jose.Signer // with the public key in the header, in place of the id
}

// NewKey takes a private key, with the id under which its public part is registered
// (empty where it has none). Another kind of key is an error.
func NewKey(private crypto.Signer, id string) (*Key, error) {
	var algorithm jose.SignatureAlgorithm
	switch key := private.(type) {
	case *ecdsa.PrivateKey:
		if key.Curve != elliptic.P256() {
			return nil, fmt.Errorf("connect: a key on %s: use P-256", key.Curve.Params().Name)
		}
		algorithm = jose.ES256
	case ed25519.PrivateKey:
		algorithm = jose.EdDSA
	default:
		return nil, fmt.Errorf("connect: a key of type %T: use ECDSA on P-256, or Ed25519", private)
	}
	k := &Key{id: id}
	var err error
	options := &jose.SignerOptions{}
	if id != "" {
		options.WithHeader("kid", id)
	}
	if k.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: private}, options.WithType("JWT")); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	k.plain, err = jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: private}, (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt"))
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return k, nil
}

// Format hides the key, whatever the verb.
func (k *Key) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "Key %q", k.id) }

// assertionLife is how long an assertion is good.
const assertionLife = time.Minute

// assert signs who the app is, for the issuer alone (RFC 7523 §3).
func (k *Key) assert(clientID, issuer string, now time.Time) (string, error) {
	return jwt.Signed(k.signer).Claims(jwt.Claims{
		Issuer: clientID, Subject: clientID, Audience: jwt.Audience{issuer}, ID: randomText(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
}
