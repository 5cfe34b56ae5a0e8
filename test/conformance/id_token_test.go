package conformance

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signatures are the algorithms that may sign what the platform issues.
var signatures = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256}

// claims are those of an ID token, or of userinfo.
type claims map[string]any

func (c claims) text(name string) string {
	text, _ := c[name].(string)
	return text
}

func (c claims) moment(name string) time.Time {
	seconds, _ := c[name].(float64)
	return time.Unix(int64(seconds), 0)
}

// keys fetches the key set: each key has an id of its own and no private part.
func (s *server) keys(t *testing.T) jose.JSONWebKeySet {
	t.Helper()
	answered := s.discover(t, s.metadata(t).text("jwks_uri"))
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(answered.body), &set); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, key := range set.Keys {
		if key.KeyID == "" || seen[key.KeyID] || !key.IsPublic() {
			t.Errorf("a key with the id %q, public %t: want an id of its own, and no private part", key.KeyID, key.IsPublic())
		}
		seen[key.KeyID] = true
	}
	return set
}

// jwt opens a JWT that the platform signed with one of its published keys.
func (s *server) jwt(t *testing.T, text string) (jose.Header, claims) {
	t.Helper()
	signed, err := jose.ParseSignedCompact(text, signatures)
	if err != nil {
		t.Fatalf("%q is no signed JWT: %v", text, err)
	}
	header := signed.Signatures[0].Protected
	published := s.keys(t)
	named := published.Key(header.KeyID)
	if header.KeyID == "" || len(named) != 1 {
		t.Fatalf("the key set has %d keys of the id %q", len(named), header.KeyID)
	}
	payload, err := signed.Verify(named[0])
	if err != nil {
		t.Fatalf("the key %s does not verify: %v", header.KeyID, err)
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		t.Fatal(err)
	}
	return header, c
}

// idToken opens an ID token and judges it as OpenID Connect Core §3.1.3.7 has an
// app do it.
func (a *app) idToken(t *testing.T, got *tokens) claims {
	t.Helper()
	header, c := a.jwt(t, got.ID)
	now := time.Now()
	issued, expires := c.moment("iat"), c.moment("exp")
	if c.text("iss") != issuer || !slices.Equal(c.texts("aud"), []string{a.ID}) || c.text("sub") == "" {
		t.Errorf("iss %v, aud %v, sub %v", c["iss"], c["aud"], c["sub"])
	}
	if !expires.After(now) || issued.After(now) || now.Sub(issued) > time.Minute {
		t.Errorf("iat %v, exp %v, and it is %v", issued, expires, now)
	}
	if want := halfHash(header.Algorithm, got.Access); c.text("at_hash") != want {
		t.Errorf("at_hash is %q, want %q (OpenID Connect Core §3.1.3.6)", c.text("at_hash"), want)
	}
	return c
}

// halfHash is the left half of a token's hash: by SHA-256 for algorithms that end
// in 256, by SHA-512 for EdDSA, which has it within with Ed25519 (RFC 8032 §5.1).
func halfHash(algorithm, token string) string {
	if algorithm == string(jose.EdDSA) {
		sum := sha512.Sum512([]byte(token))
		return base64.RawURLEncoding.EncodeToString(sum[:sha512.Size/2])
	}
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
}

// ofTheSignIn are the claims that an ID token has without being asked.
var ofTheSignIn = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", "at_hash", "azp", "acr", "amr", "sid"}

// tellsOnlyOfTheSignIn: what userinfo is for is in an ID token only by request.
func (c claims) tellsOnlyOfTheSignIn(t *testing.T) {
	t.Helper()
	for name := range c {
		if !slices.Contains(ofTheSignIn, name) {
			t.Errorf("the ID token has %s, which nobody asked for", name)
		}
	}
}

// discover reads a public JSON document of identity.
func (s *server) discover(t *testing.T, address string) shown {
	t.Helper()
	answered := fetch(t, &http.Client{Transport: s.transport(t)}, http.MethodGet, address, nil, "")
	if answered.StatusCode != http.StatusOK || answered.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%s: status %d, %s", address, answered.StatusCode, answered.Header.Get("Content-Type"))
	}
	return answered
}

// metadata reads the discovery document.
func (s *server) metadata(t *testing.T) claims {
	t.Helper()
	return s.metadataAt(t, "openid-configuration")
}

func (s *server) metadataAt(t *testing.T, name string) claims {
	t.Helper()
	var c claims
	if err := json.Unmarshal([]byte(s.discover(t, issuer+"/.well-known/"+name).body), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// texts reads a list of texts, or the one text that stands for a list of one.
func (c claims) texts(name string) []string {
	if text := c.text(name); text != "" {
		return []string{text}
	}
	var texts []string
	list, _ := c[name].([]any)
	for _, item := range list {
		text, _ := item.(string)
		texts = append(texts, text)
	}
	return texts
}
