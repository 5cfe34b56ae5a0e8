package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// SigningKeys signs ID tokens with ES256 and publishes the public parts.
type SigningKeys struct {
	signer jose.Signer
	public jose.JSONWebKeySet
}

// NewSigningKey makes an ES256 key pair for ID tokens.
func NewSigningKey(w loop.World, master *Master, id uint32) (Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), w)
	if err != nil {
		return Key{}, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return Key{}, fmt.Errorf("encoding a signing key: %w", err)
	}
	return master.seal(w, id, ForSigning, der)
}

// OpenSigningKeys opens the stored signing keys; the newest signs, all are
// published.
func OpenSigningKeys(master *Master, keys []Key) (*SigningKeys, error) {
	opened := &SigningKeys{}
	for _, stored := range keys {
		if stored.Purpose != ForSigning {
			continue
		}
		private, err := openSigningKey(master, stored)
		if err != nil {
			return nil, err
		}
		opened.public.Keys = append(opened.public.Keys, private.Public())
		options := (&jose.SignerOptions{}).WithType("JWT")
		opened.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: private}, options)
		if err != nil {
			return nil, fmt.Errorf("preparing signing key %d: %w", stored.ID, err)
		}
	}
	if opened.signer == nil {
		return nil, fmt.Errorf("there is no signing key")
	}
	return opened, nil
}

func openSigningKey(master *Master, stored Key) (jose.JSONWebKey, error) {
	der, err := master.open(stored)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("reading signing key %d: %w", stored.ID, err)
	}
	key := jose.JSONWebKey{Key: parsed, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256) // RFC 7638: the same key always has the same kid
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("naming signing key %d: %w", stored.ID, err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return key, nil
}

// Sign makes a signed JWT of the claims (JSON).
func (k *SigningKeys) Sign(claims []byte) (string, error) {
	signed, err := k.signer.Sign(claims)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return signed.CompactSerialize()
}

// Verify gives the claims of a JWT that one of the keys signed, whenever that
// was; else ErrNotSealed.
func (k *SigningKeys) Verify(token string) (claims []byte, err error) {
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return nil, ErrNotSealed
	}
	named := k.public.Key(parsed.Signatures[0].Header.KeyID)
	if len(named) != 1 {
		return nil, ErrNotSealed
	}
	claims, err = parsed.Verify(named[0])
	if err != nil {
		return nil, ErrNotSealed
	}
	return claims, nil
}

// Public is the key set to publish: no private part in it.
func (k *SigningKeys) Public() jose.JSONWebKeySet { return k.public }
