package credential

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// jwsHeader is the header of what is signed here (RFC 7515 §4.1).
type jwsHeader struct {
	Algorithm jose.SignatureAlgorithm `json:"alg"`
	KeyID     string                  `json:"kid"`
	Type      string                  `json:"typ"`
}

// compact signs claims in the compact form (RFC 7515 §7.1). The library reads what is
// signed and would sign it too, at twice the memory and 70 allocations more: each
// refresh signs an ID token.
func (k *signingKey) compact(algorithm jose.SignatureAlgorithm, typ string, claims []byte) (string, error) {
	header, err := k.header(algorithm, typ)
	if err != nil {
		return "", err
	}
	text := make([]byte, 0, len(header)+base64.RawURLEncoding.EncodedLen(len(claims))+rsaBits/6+4)
	text = append(append(text, header...), '.')
	text = base64.RawURLEncoding.AppendEncode(text, claims)
	signature, err := k.sign(algorithm, text)
	if err != nil {
		return "", err
	}
	return string(base64.RawURLEncoding.AppendEncode(append(text, '.'), signature)), nil
}

// header gives the encoded header for a type, which is made once.
func (k *signingKey) header(algorithm jose.SignatureAlgorithm, typ string) (string, error) {
	if made, ok := k.headers.Load(typ); ok {
		return made.(string), nil //nolint:forcetypeassert // nothing else is stored
	}
	text, err := json.Marshal(jwsHeader{algorithm, k.private.KeyID, typ})
	if err != nil {
		return "", fmt.Errorf("encoding a header: %w", err)
	}
	made := base64.RawURLEncoding.EncodeToString(text)
	k.headers.Store(typ, made)
	return made, nil
}

// sign gives the signature of a text (RFC 7518 §3, RFC 8037 §3.1).
func (k *signingKey) sign(algorithm jose.SignatureAlgorithm, text []byte) ([]byte, error) {
	digest := sha256.Sum256(text)
	switch private := k.private.Key.(type) {
	case *ecdsa.PrivateKey:
		return signES256(private, digest)
	case *rsa.PrivateKey:
		if algorithm == jose.PS256 {
			return private.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
		}
		return private.Sign(rand.Reader, digest[:], crypto.SHA256)
	case crypto.Signer: // Ed25519, which hashes by itself
		return private.Sign(rand.Reader, text, crypto.Hash(0))
	}
	return nil, fmt.Errorf("a key of type %T can't sign", k.private.Key)
}

// signES256 gives both numbers of a signature in 32 bytes (RFC 7518 §3.4), made without
// randomness (RFC 6979): the same claims have the same signature, so that a refresh that
// is repeated can be answered with what it was answered with.
func signES256(private *ecdsa.PrivateKey, digest [sha256.Size]byte) ([]byte, error) {
	encoded, err := private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var r, s, inner []byte
	input := cryptobyte.String(encoded)
	if !input.ReadASN1((*cryptobyte.String)(&inner), asn1.SEQUENCE) {
		return nil, errNoSignature
	}
	numbers := cryptobyte.String(inner)
	if !numbers.ReadASN1Integer(&r) || !numbers.ReadASN1Integer(&s) {
		return nil, errNoSignature
	}
	signature := make([]byte, 64)
	copy(signature[32-len(r):32], r)
	copy(signature[64-len(s):], s)
	return signature, nil
}

var errNoSignature = errors.New("the signature is not two numbers")
