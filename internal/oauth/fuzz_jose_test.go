package oauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// once is an Assertions that has seen nothing.
type once struct{}

func (once) UseAssertion(context.Context, loop.ClientID, [32]byte, time.Time) error { return nil }

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
	s.Assertions = once{}
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

// FuzzAssertionClaims signs whatever comes: only the claims stand between a
// client's key and its authentication.
func FuzzAssertionClaims(f *testing.F) {
	s, client, key := newKeyServer(f)
	id := string(client.ID)
	for _, claims := range []string{
		`{"iss":"` + id + `","sub":"` + id + `","aud":"` + s.Issuer + `","jti":"1","exp":4102444800}`,
		`{"iss":"` + id + `","sub":"` + id + `","aud":["` + s.Issuer + `"],"jti":"1","exp":1e3}`,
		`{"sub":"` + id + `","sub":"x"}`, `{"exp":-1}`, `{"exp":1e400}`, `{"iat":"x"}`, `[]`, `null`, ``,
	} {
		f.Add(claims)
	}
	f.Fuzz(func(t *testing.T, body string) {
		text := signed(t, key, nil, body)
		err := s.provesAssertion(t.Context(), client, text, s.Issuer+TokenPath)
		if err == nil {
			var claims struct {
				Issuer   string  `json:"iss"`
				Subject  string  `json:"sub"`
				Audience string  `json:"aud"`
				ID       string  `json:"jti"`
				Expiry   float64 `json:"exp"`
			}
			now := float64(s.World.Now().Unix())
			if json.Unmarshal([]byte(body), &claims) != nil || claims.Issuer != id || claims.Subject != id || claims.ID == "" ||
				!strings.HasPrefix(claims.Audience, s.Issuer) || claims.Expiry < now || claims.Expiry > now+2*3600 {
				t.Fatalf("%q passed", body)
			}
			return
		}
		if loop.AsError(err).Code != loop.InvalidClient {
			t.Fatalf("%q: %v", body, err)
		}
	})
}

// FuzzAssertion: what the client's key did not sign authenticates nobody.
func FuzzAssertion(f *testing.F) {
	s, client, key := newKeyServer(f)
	f.Add(signed(f, key, nil, `{"sub":"`+string(client.ID)+`"}`))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("a.b.c")
	f.Add(strings.Repeat(".", 100))
	f.Fuzz(func(t *testing.T, text string) {
		req := ClientRequest{Method: "POST", Path: TokenPath, Form: url.Values{"client_assertion": {text}, "client_assertion_type": {assertionType}}}
		if proven, err := s.Authenticate(t.Context(), req); proven != nil || err == nil || loop.AsError(err).Code != loop.InvalidClient {
			t.Fatalf("%q: %v, %v", text, proven, err)
		}
	})
}

// FuzzProof signs whatever comes with a key that the proof brings along.
func FuzzProof(f *testing.F) {
	s, _, key := newKeyServer(f)
	address := s.Issuer + TokenPath
	for _, claims := range []string{
		`{"htm":"POST","htu":"` + address + `","jti":"1","iat":` + jsonNow(s) + `}`,
		`{"htm":"POST","htu":"` + address + `?a=b#c","jti":"1","iat":` + jsonNow(s) + `,"nonce":"x"}`,
		`{"htm":"GET"}`, `{"iat":1e300}`, `{"jti":{}}`, `"x"`,
	} {
		f.Add(claims, "dpop+jwt")
	}
	public := jose.JSONWebKey{Key: key.Public()}
	f.Fuzz(func(t *testing.T, body, typ string) {
		text := signed(t, key, map[jose.HeaderKey]any{"jwk": public, "typ": typ}, body)
		proof, err := s.checkProof([]string{text}, "POST", []string{address}, "")
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
		if json.Unmarshal([]byte(body), &claims) != nil || claims.Method != "POST" || claims.ID == "" || typ != "dpop+jwt" || proof.Key == "" {
			t.Fatalf("%q of type %q passed", body, typ)
		}
	})
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
		if err := readACR(req, params); (err != nil) != (len(req.acr) > 0 && !slices.Contains(req.acr, ACRPassword)) {
			t.Fatalf("%q demands one of %v: %v", text, req.acr, err)
		}
	})
}

// FuzzClientKeys: what is registered is public keys of kinds that are used here.
func FuzzClientKeys(f *testing.F) {
	_, client, key := newKeyServer(f)
	f.Add([]byte(client.Protocol.KeySet))
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(private)
	for _, text := range []string{`{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`, `[]`, `{"keys":[{"kty":"EC","crv":"P-384"}]}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		set, err := ParseClientKeys(raw)
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
