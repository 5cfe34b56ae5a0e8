package oauth

import (
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
		if _, err = ParseClientKeys(set); (err == nil) != good {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
}
