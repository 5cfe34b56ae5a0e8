package clientjwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Bounds of a client's key set.
const (
	maxKeySetBytes = 32 << 10
	maxClientKeys  = 20
	minRSABits     = 2048
)

// ParseKeySet reads a client's public keys (RFC 7517 §5). A private or
// symmetric part, an empty set, too many keys and keys that are not used here are
// errors: what the client keeps to itself must never come here.
func ParseKeySet(raw []byte) (jose.JSONWebKeySet, error) {
	set, unusable, err := readKeySet(raw)
	if err == nil {
		err = unusable
	}
	return set, err
}

// readKeySet reads the keys of a set that are used here. Why the first of the
// others is not, unusable says: at registration that is a mistake, in a document
// that others read too it is passed over (RFC 7517 §5).
func readKeySet(raw []byte) (set jose.JSONWebKeySet, unusable, err error) {
	var sent struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if len(raw) > maxKeySetBytes {
		return set, nil, fmt.Errorf("it is larger than %d bytes", maxKeySetBytes)
	}
	if err := DecodeClaims(raw, &sent); err != nil {
		return set, nil, errors.New(`it is not a JSON object such as {"keys": [...]}`)
	}
	if len(sent.Keys) == 0 || len(sent.Keys) > maxClientKeys {
		return set, nil, fmt.Errorf("it needs 1 to %d keys", maxClientKeys)
	}
	for i, text := range sent.Keys {
		key, fault := readClientKey(text)
		switch {
		case errors.Is(fault, errSecretKey):
			return set, nil, fmt.Errorf("key %d %w", i+1, fault)
		case fault == nil:
			set.Keys = append(set.Keys, key)
		case unusable == nil:
			unusable = fmt.Errorf("key %d %w", i+1, fault)
		}
	}
	return set, unusable, nil
}

var errSecretKey = errors.New("holds a private or a symmetric key, which must never be sent")

func readClientKey(text []byte) (jose.JSONWebKey, error) {
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(text); err != nil {
		return key, errors.New("is not well formed, or of a kind that is not used here")
	}
	if !key.IsPublic() {
		return key, errSecretKey
	}
	return key, CheckPublicKey(key.Key)
}

// CheckPublicKey accepts public keys that the algorithms on offer can use.
func CheckPublicKey(key any) error {
	switch public := key.(type) {
	case *ecdsa.PublicKey:
		if public.Curve != elliptic.P256() {
			return errors.New("is not on the curve P-256")
		}
	case ed25519.PublicKey:
	case *rsa.PublicKey:
		if public.N.BitLen() < minRSABits { // and more than 4096 go-jose does not read
			return fmt.Errorf("is shorter than %d bits", minRSABits)
		}
	default:
		return errors.New("is not a public key of a kind that is used here: EC on P-256, Ed25519 or RSA, without any private part")
	}
	return nil
}
