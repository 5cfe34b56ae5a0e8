package clientjwt

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"math/big"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Whoever brings a key chooses how long we work at its signatures.
func TestSec047_AKeyIsNeitherTooShortNorTooLong(t *testing.T) {
	t.Parallel()
	for bits, good := range map[int]bool{1024: false, 2048: true, 4096: true, 8192: false, 65536: false} {
		modulus := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
		modulus.SetBit(modulus, 0, 1)
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &rsa.PublicKey{N: modulus, E: 65537}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = ParseKeySet(set); (err == nil) != good {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}

// FuzzKeySet: what is registered is public keys of kinds that are used here.
func FuzzKeySet(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public()}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(public)
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(private)
	for _, text := range []string{`{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`, `[]`, `{"keys":[{"kty":"EC","crv":"P-384"}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		set, err := ParseKeySet(raw)
		if err != nil {
			return
		}
		for _, key := range set.Keys {
			if !key.IsPublic() || !key.Valid() {
				t.Fatalf("%q passed", raw)
			}
		}
	})
}
