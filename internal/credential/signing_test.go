package credential_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// movable is a World whose clock a test sets.
type movable struct {
	loop.Machine
	now time.Time
}

func (w *movable) Now() time.Time { return w.now }

// Elapsed follows the clock.
func (w *movable) Elapsed() time.Duration { return w.now.Sub(time.Unix(0, 0)) }

const day = 24 * time.Hour

// newSigning is a world, and one signing key of each algorithm in it.
func newSigning(t *testing.T) (*movable, *credential.Master, []credential.Key, *credential.SigningKeys) {
	t.Helper()
	w := &movable{now: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)}
	master, _ := credential.NewMaster(w)
	var keys []credential.Key
	for i, algorithm := range credential.Algorithms() {
		keys = append(keys, newKey(t, w, master, uint32(i)+1, credential.Slot{Purpose: credential.ForSigning, Algorithm: algorithm}, w.Now()))
	}
	signing, err := credential.OpenSigningKeys(w, master, keys)
	if err != nil {
		t.Fatal(err)
	}
	return w, master, keys, signing
}

func sign(t *testing.T, keys *credential.SigningKeys, algorithm jose.SignatureAlgorithm, typ, claims string) string {
	t.Helper()
	token, err := keys.Sign(algorithm, typ, []byte(claims))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// kid is the key id in a token's header.
func kid(t *testing.T, token string) string {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(token, credential.Algorithms())
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Signatures[0].Header.KeyID
}

func TestSigningKeys_EveryAlgorithmVerifiesHereAndElsewhere(t *testing.T) {
	t.Parallel()
	_, _, _, signing := newSigning(t)
	var known []crypto.PublicKey
	for _, key := range signing.Public().Keys {
		known = append(known, key.Key)
	}
	verifier := oidc.NewVerifier("https://identity.platform.test", &oidc.StaticKeySet{PublicKeys: known}, &oidc.Config{
		ClientID: "client_A", SupportedSigningAlgs: []string{oidc.ES256, oidc.EdDSA, oidc.RS256, oidc.PS256},
		Now: func() time.Time { return time.Unix(1_000_000_000, 0) },
	})
	claims := `{"iss":"https://identity.platform.test","sub":"user_A","aud":"client_A","exp":1000000060,"iat":1000000000}`
	for _, algorithm := range credential.Algorithms() {
		token := sign(t, signing, algorithm, "JWT", claims)
		got, typ, err := signing.Verify(token)
		if err != nil || string(got) != claims || typ != "JWT" {
			t.Errorf("%s: got %s, %q, %v", algorithm, got, typ, err)
		}
		if _, err := verifier.Verify(context.Background(), token); err != nil {
			t.Errorf("%s: go-oidc says: %v", algorithm, err)
		}
	}
	if _, err := signing.Sign(jose.HS256, "JWT", []byte(claims)); err == nil {
		t.Error("it signs with HS256")
	}
}

func TestSigningKeys_TellWhatKindATokenIs(t *testing.T) {
	t.Parallel()
	_, _, _, signing := newSigning(t)
	for _, typ := range []string{"JWT", "at+jwt", "logout+jwt", "token-introspection+jwt"} {
		if _, got, err := signing.Verify(sign(t, signing, jose.ES256, typ, `{}`)); err != nil || got != typ {
			t.Errorf("%s: got %q, %v", typ, got, err)
		}
	}
}

func TestSigningKeys_PublishNoPrivatePart(t *testing.T) {
	t.Parallel()
	_, _, _, signing := newSigning(t)
	kids := map[string]bool{}
	for _, key := range signing.Public().Keys {
		text, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} { // RFC 7518 §6
			if _, there := members[private]; there {
				t.Errorf("%s holds %q", key.Algorithm, private)
			}
		}
		if !key.IsPublic() || members["kid"] == "" || members["alg"] != key.Algorithm || members["use"] != "sig" || kids[key.KeyID] {
			t.Errorf("a key is published as %s", text)
		}
		kids[key.KeyID] = true
	}
	if len(kids) != 4 {
		t.Errorf("%d keys are published, want one for each algorithm", len(kids))
	}
}

func TestSigningKeys_RefuseWhatTheyDidNotSign(t *testing.T) {
	t.Parallel()
	_, master, keys, signing := newSigning(t)
	stranger := func() *credential.SigningKeys { _, _, _, s := newSigning(t); return s }()
	token := sign(t, signing, jose.RS256, "JWT", `{"sub":"user_A"}`)
	parts := strings.Split(token, ".")
	header := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, forged := range map[string]string{
		"Sec036 alg none":                            header(`{"alg":"none","kid":"`+kid(t, token)+`"}`) + "." + parts[1] + ".",
		"Sec047 HS256 with the public key":           header(`{"alg":"HS256","kid":"`+kid(t, token)+`"}`) + "." + parts[1] + "." + parts[2],
		"RFC 8725 §3.1 another algorithm's key":      header(`{"alg":"PS256","kid":"`+kid(t, token)+`"}`) + "." + parts[1] + "." + parts[2],
		"a key that is not known":                    sign(t, stranger, jose.ES256, "JWT", `{"sub":"user_A"}`),
		"no key named":                               header(`{"alg":"RS256"}`) + "." + parts[1] + "." + parts[2],
		"another signature":                          parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
		"other claims":                               parts[0] + ".e30." + parts[2],
		"not a token":                                "x",
		"Sec117 a million dots":                      strings.Repeat(".", 1_000_000),
		"Sec117 longer than 16 KiB, and well signed": sign(t, signing, jose.ES256, "JWT", `{"x":"`+strings.Repeat("x", 16<<10)+`"}`),
	} {
		if _, _, err := signing.Verify(forged); err == nil {
			t.Errorf("%s passed", name)
		}
	}
	keys[2].Algorithm, keys[3].Algorithm = jose.PS256, jose.RS256
	if _, err := credential.OpenSigningKeys(loop.Machine{}, master, keys); err == nil {
		t.Error("a stored key changed its algorithm, and nobody noticed")
	}
}

func TestSigningKeys_TheNextTakesOverAtItsMoment(t *testing.T) {
	t.Parallel()
	w, master, keys, signing := newSigning(t)
	before := sign(t, signing, jose.EdDSA, "JWT", `{}`)
	next := newKey(t, w, master, 9, credential.Slot{Purpose: credential.ForSigning, Algorithm: jose.EdDSA}, w.Now().Add(14*day))
	if err := signing.Load(master, append(keys, next)); err != nil {
		t.Fatal(err)
	}
	if got := kid(t, sign(t, signing, jose.EdDSA, "JWT", `{}`)); got != kid(t, before) {
		t.Error("a key signs that is only announced")
	}
	w.now = w.now.Add(14 * day)
	after := kid(t, sign(t, signing, jose.EdDSA, "JWT", `{}`))
	if after == kid(t, before) || !published(signing, after) {
		t.Error("the key that was announced does not sign when its time has come")
	}
	if _, _, err := signing.Verify(before); err != nil {
		t.Errorf("what the key before it signed: %v", err)
	}
}

func published(keys *credential.SigningKeys, kid string) bool {
	set := keys.Public()
	return len(set.Key(kid)) == 1
}
