package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// jwt is one that an app makes. It is put together by hand: a library would refuse
// to make most of what the platform has to refuse.
type jwt struct {
	header, claims map[string]any
	key            crypto.Signer
}

// change is what a test does to a JWT before it is signed.
type change func(*jwt)

// claim gives a claim another value; nil takes it out.
func claim(name string, value any) change {
	return func(j *jwt) { put(j.claims, name, value) }
}

// claimIn sets a claim to the moment so far from that of signing.
func claimIn(name string, from time.Duration) change {
	return func(j *jwt) { put(j.claims, name, time.Now().Add(from).Unix()) }
}

func header(name string, value any) change {
	return func(j *jwt) { put(j.header, name, value) }
}

func put(into map[string]any, name string, value any) {
	if into[name] = value; value == nil {
		delete(into, name)
	}
}

func (j *jwt) text(t *testing.T, changes ...change) string {
	t.Helper()
	for _, change := range changes {
		change(j)
	}
	signed := encode(t, j.header) + "." + encode(t, j.claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(j.signature(t, []byte(signed)))
}

func encode(t *testing.T, part map[string]any) string {
	t.Helper()
	text, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// signature signs as the header says (RFC 7518 §3, RFC 8037 §3.1).
func (j *jwt) signature(t *testing.T, signed []byte) []byte {
	t.Helper()
	var (
		signature []byte
		err       error
	)
	sum := sha256.Sum256(signed)
	switch j.header["alg"] {
	case "none":
	case "ES256":
		signature, err = signES256(j.key, sum[:])
	case "RS256":
		signature, err = j.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	case "PS256":
		signature, err = j.key.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case "EdDSA":
		signature, err = j.key.Sign(rand.Reader, signed, crypto.Hash(0))
	default:
		t.Fatalf("nothing here signs with %v", j.header["alg"])
	}
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

func signES256(key crypto.Signer, sum []byte) ([]byte, error) {
	r, s, err := ecdsa.Sign(rand.Reader, key.(*ecdsa.PrivateKey), sum)
	if err != nil {
		return nil, err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature, nil
}

// clientKeys are an app's, one for each kind of signature; a key's id is its kind.
type clientKeys map[string]crypto.Signer

// rsaKey is made once: that takes a while.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newClientKeys(t *testing.T) clientKeys {
	t.Helper()
	withRSA, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	_, withEd25519, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return clientKeys{"EC": newKey(t), "RSA": withRSA, "OKP": withEd25519}
}

// signedWith signs with an algorithm, by the key that fits it.
func (k clientKeys) signedWith(algorithm string) change {
	kind := map[string]string{"ES256": "EC", "RS256": "RSA", "PS256": "RSA", "EdDSA": "OKP", "none": "EC"}[algorithm]
	return func(j *jwt) {
		j.header["alg"], j.header["kid"], j.key = algorithm, kind, k[kind]
	}
}

// set is the key set to register.
func (k clientKeys) set() jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for kind, key := range k {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: kind, Use: "sig"})
	}
	return set
}

// writeJSON writes a value into a file for the command line, and gives its path.
func writeJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "value.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// jwk is a key as a JWT's header carries it.
func jwk(t *testing.T, key any) map[string]any {
	t.Helper()
	text, err := (&jose.JSONWebKey{Key: key}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// thumbprint names a public key (RFC 7638).
func thumbprint(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}
