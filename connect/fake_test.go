package connect

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// fakeLoop is an authorization server that answers as a test wants it to.
type fakeLoop struct {
	*httptest.Server

	signer    jose.Signer
	discovery atomic.Pointer[http.HandlerFunc] // nil: as it should
	token     atomic.Pointer[http.HandlerFunc]
	asked     atomic.Int64 // how often it was discovered
}

func newFakeLoop(t *testing.T) *fakeLoop {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeLoop{}
	f.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: private, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		if answer := f.discovery.Load(); answer != nil {
			(*answer)(w, r)
			return
		}
		writeJSON(w, map[string]any{
			"issuer": f.URL, "authorization_endpoint": f.URL + "/authorize", "token_endpoint": f.URL + "/token", "jwks_uri": f.URL + "/jwks",
			"id_token_signing_alg_values_supported": []string{"ES256"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { (*f.token.Load())(w, r) })
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// answers has the token endpoint answer so from now on.
func (f *fakeLoop) answers(h http.HandlerFunc) { f.token.Store(&h) }

// gives has the token endpoint give this, beside tokens.
func (f *fakeLoop) gives(fields map[string]any) {
	f.answers(func(w http.ResponseWriter, _ *http.Request) {
		answer := map[string]any{"access_token": "at", "refresh_token": "rt2", "token_type": "Bearer", "scope": "openid"}
		for name, value := range fields {
			answer[name] = value
		}
		writeJSON(w, answer)
	})
}

// idToken is an ID token of the member user_1, altered; nil takes a claim away.
func (f *fakeLoop) idToken(t *testing.T, altered map[string]any) string {
	t.Helper()
	now := time.Now().Unix()
	claims := map[string]any{"iss": f.URL, "sub": "user_1", "aud": "client_1", "iat": now, "exp": now + 300, "nonce": "nonce"}
	for name, value := range altered {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	text, err := jwt.Signed(f.signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// client is an app's, altered, with tokens for user_1 that have expired.
func (f *fakeLoop) client(t *testing.T, alter func(*Config)) *Client {
	t.Helper()
	config := Config{Issuer: f.URL, API: f.URL, ClientID: "client_1", ClientSecret: "s e+cret", RedirectURL: "https://app.example.com/callback"}
	if alter != nil {
		alter(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.config.Store.Save(t.Context(), "user_1", -1, Tokens{Access: "old", Refresh: "rt1"}); err != nil {
		t.Fatal(err)
	}
	return c
}

// finish ends the flow of a member who comes back with a code.
func finish(t *testing.T, c *Client) (*Login, error) {
	t.Helper()
	flow := Flow{State: "state", Nonce: "nonce", Verifier: "verifier", ReturnTo: "/"}
	return c.Finish(t.Context(), flow, url.Values{"state": {"state"}, "code": {"code"}})
}
