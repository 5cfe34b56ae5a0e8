package possession

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/loop"
)

// address is where the requests of these tests are sent.
const address = "https://identity.platform.test/v1/oauth/token"

// newChecker makes a checker, and the key of somebody who makes proofs.
func newChecker(t testing.TB) (*Checker, *ecdsa.PrivateKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	w := loop.Machine{}
	return &Checker{World: w, Ring: credentialtest.NewRing(t), Memory: NewMemory(w.Now())}, private
}

// signed makes a proof with these claims, which brings its key along.
func signed(t testing.TB, key *ecdsa.PrivateKey, typ, body string) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithHeader("jwk", jose.JSONWebKey{Key: key.Public()}).WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	object, err := signer.Sign([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// FuzzProof signs whatever comes with a key that the proof brings along.
func FuzzProof(f *testing.F) {
	c, key := newChecker(f)
	now := strconv.FormatInt(c.World.Now().Unix(), 10)
	for _, claims := range []string{
		`{"htm":"POST","htu":"` + address + `","jti":"1","iat":` + now + `}`,
		`{"htm":"POST","htu":"` + address + `?a=b#c","jti":"1","iat":` + now + `,"nonce":"x"}`,
		`{"htm":"GET"}`, `{"iat":1e300}`, `{"jti":{}}`, `"x"`,
	} {
		f.Add(claims, "dpop+jwt")
	}
	f.Fuzz(func(t *testing.T, body, typ string) {
		text := signed(t, key, typ, body)
		proof, err := c.Check(Evidence{Method: "POST", URLs: []string{address}, Proofs: []string{text}}, "")
		if err != nil {
			if code := loop.AsError(err).Code; code != loop.InvalidDPoPProof && code != loop.UseDPoPNonce {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var claims struct {
			Method string `json:"htm"`
			ID     string `json:"jti"`
		}
		if json.Unmarshal([]byte(body), &claims) != nil || claims.Method != "POST" || claims.ID == "" || !strings.EqualFold(strings.TrimPrefix(strings.ToLower(typ), "application/"), "dpop+jwt") || proof.Key == "" {
			t.Fatalf("%q of type %q passed", body, typ)
		}
	})
}
