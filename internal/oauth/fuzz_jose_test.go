package oauth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// newKeyServer is newServer with a client that proves itself with the key given.
func newKeyServer(t testing.TB) (*Server, *loop.Client, *ecdsa.PrivateKey) {
	t.Helper()
	s, client, _ := newServer(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	client.Protocol.AuthMethod = loop.AuthPrivateKeyJWT
	client.Protocol.KeySet, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s, client, private
}

// signed makes a JWT; a header's value may be nil to leave it out.
func signed(t testing.TB, key *ecdsa.PrivateKey, header map[jose.HeaderKey]any, body string) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(name, value)
	}
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

func jsonNow(s *Server) string {
	text, _ := json.Marshal(s.World.Now().Unix())
	return string(text)
}

// FuzzRequestObject: what passes is the client's, for us, and holds no other
// request.
func FuzzRequestObject(f *testing.F) {
	s, client, key := newKeyServer(f)
	id := string(client.ID)
	head := `{"iss":"` + id + `","client_id":"` + id + `","aud":"` + s.Issuer + `","nbf":` + jsonNow(s) + `,"exp":` + jsonNow(s)[:9] + `9`
	for _, rest := range []string{`}`, `,"scope":"openid","max_age":5,"claims":{"id_token":{}}}`, `,"resource":["https://a.example"]}`, `,"request":"x"}`, `,"sub":"x"}`, `,"x":[1]}`} {
		f.Add(head + rest)
	}
	f.Fuzz(func(t *testing.T, body string) {
		params, err := s.openRequestObject(t.Context(), client, signed(t, key, nil, body))
		if err != nil {
			if loop.AsError(err).Code != loop.InvalidRequestObject {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if params.Get("client_id") != id || params.Has("request") || params.Has("request_uri") || params.Has("iss") || params.Has("exp") {
			t.Fatalf("%q gives %v", body, params)
		}
	})
}

// FuzzClaimsParameter: whatever is asked for stays within what the client may ask.
func FuzzClaimsParameter(f *testing.F) {
	_, client, _ := newServer(f)
	for _, text := range []string{`{"userinfo":{"name":null}}`, `{"id_token":{"name":{"essential":true},"acr":{"essential":true,"values":["x"]}}}`, `{"id_token":[]}`, `[`, `{"userinfo":{"email":null}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		req := &AuthorizationRequest{Client: client}
		params := url.Values{"claims": {text}}
		if err := readClaims(req, params); err != nil {
			if code := loop.AsError(err).Code; code != loop.InvalidRequest && code != loop.InvalidScope {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if !client.AllowedScopes.HasAll(req.Scopes) {
			t.Fatalf("%q asks for %s", text, req.Scopes)
		}
		if err := readACR(req, params); (err != nil) != (len(req.acr) > 0 && len(req.Contexts) == 0) {
			t.Fatalf("%q demands one of %v: %v", text, req.acr, err)
		}
	})
}
