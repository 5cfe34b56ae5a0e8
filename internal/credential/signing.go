package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// Algorithms lists what the platform signs with, the default first. A key signs
// with one of them only.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256}
}

// rsaBits is enough for as long as a key is trusted, some four months, and keeps
// ID tokens short.
const rsaBits = 2048

// maxTokenLength is beyond any token that was signed here. What is longer is
// refused before it is parsed.
const maxTokenLength = 16 << 10

// SigningKeys signs what others verify, such as ID tokens, and publishes the
// public parts. It is safe for concurrent use, and Load replaces the keys while
// it is in use.
type SigningKeys struct {
	world loop.World
	held  atomic.Pointer[heldSigningKeys]
}

// heldSigningKeys are the keys of each algorithm by their turn, and all of them
// without their private parts.
type heldSigningKeys struct {
	turns  map[jose.SignatureAlgorithm][]*signingKey
	public jose.JSONWebKeySet
}

type signingKey struct {
	private jose.JSONWebKey
	from    time.Time
	headers sync.Map // by type: encoded
}

func (k *signingKey) sealsFrom() time.Time { return k.from }

// newPrivateKey makes a private key, in PKCS #8.
func newPrivateKey(w loop.World, algorithm jose.SignatureAlgorithm) ([]byte, error) {
	var (
		private any
		err     error
	)
	switch algorithm {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), w)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(w)
	case jose.RS256, jose.PS256:
		private, err = rsa.GenerateKey(w, rsaBits)
	default:
		err = fmt.Errorf("%q is not one of the platform's algorithms", algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encoding a signing key: %w", err)
	}
	return der, nil
}

// OpenSigningKeys opens the stored signing keys, as Load does.
func OpenSigningKeys(w loop.World, master *Master, keys []Key) (*SigningKeys, error) {
	opened := &SigningKeys{world: w}
	return opened, opened.Load(master, keys)
}

// Load replaces the keys by the signing keys among these. All are published, so
// that a key is known before its first signature and after its last. A key that
// the master key does not open is an error; the keys are then as they were.
func (k *SigningKeys) Load(master *Master, keys []Key) error {
	held, err := openSigningKeys(master, keys)
	if err == nil {
		k.held.Store(held)
	}
	return err
}

func openSigningKeys(master *Master, keys []Key) (*heldSigningKeys, error) {
	held := &heldSigningKeys{turns: map[jose.SignatureAlgorithm][]*signingKey{}}
	for _, stored := range inTurn(keys) {
		if stored.Purpose != ForSigning {
			continue
		}
		private, err := openSigningKey(master, stored)
		if err != nil {
			return nil, err
		}
		held.turns[stored.Algorithm] = append(held.turns[stored.Algorithm], &signingKey{private: private, from: stored.SealsFrom})
		held.public.Keys = append(held.public.Keys, private.Public())
	}
	return held, nil
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
	key := jose.JSONWebKey{Key: parsed, Algorithm: string(stored.Algorithm), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256) // RFC 7638: the same key always has the same kid
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("naming signing key %d: %w", stored.ID, err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return key, nil
}

// Sign makes a signed JWT of the claims (JSON), with the algorithm's key that is
// at work now. The type goes into the header (RFC 8725 §3.11): "JWT", "at+jwt",
// "logout+jwt" or "token-introspection+jwt", so that no kind passes for another.
func (k *SigningKeys) Sign(algorithm jose.SignatureAlgorithm, typ string, claims []byte) (string, error) {
	keys := k.held.Load().turns[algorithm]
	if len(keys) == 0 {
		return "", fmt.Errorf("there is no key to sign with %q", algorithm)
	}
	signed, err := atWork(keys, k.world.Now()).compact(algorithm, typ, claims)
	if err != nil {
		return "", fmt.Errorf("signing with %s: %w", algorithm, err)
	}
	return signed, nil
}

// Verify gives the claims of a JWT that one of the keys signed, whenever that
// was, and the type in its header, which the caller MUST compare with the one
// that it expects: else a logout token passes for an ID token. Anything else is
// ErrNotSealed: an algorithm that is not the named key's own (RFC 8725 §3.1), a
// key that is not known, a text of more than 16 KiB.
func (k *SigningKeys) Verify(token string) (claims []byte, typ string, err error) {
	if len(token) > maxTokenLength {
		return nil, "", ErrNotSealed
	}
	parsed, err := jose.ParseSignedCompact(token, Algorithms())
	if err != nil {
		return nil, "", ErrNotSealed
	}
	header := parsed.Signatures[0].Protected
	named := k.held.Load().public.Key(header.KeyID)
	if len(named) != 1 || named[0].Algorithm != header.Algorithm {
		return nil, "", ErrNotSealed
	}
	claims, err = parsed.Verify(named[0])
	if err != nil {
		return nil, "", ErrNotSealed
	}
	typ, _ = header.ExtraHeaders[jose.HeaderType].(string)
	return claims, typ, nil
}

// Public is the key set to publish: no private part in it.
func (k *SigningKeys) Public() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: slices.Clone(k.held.Load().public.Keys)}
}
