package clientauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
	"github.com/loop-health/loop/internal/oauth/possession"
)

const (
	issuer   = "https://identity.platform.test"
	tokenURL = issuer + "/v1/oauth/token"
)

// one knows one client.
type one struct{ client *loop.Client }

func (o one) Client(_ context.Context, id loop.ClientID) (*loop.Client, error) {
	if id != o.client.ID {
		return nil, loop.ErrNotFound
	}
	return o.client, nil
}

func (one) RecordRefusal(context.Context, audit.Refusal) error { return nil }

// unused is an Assertions that has seen nothing.
type unused struct{}

func (unused) UseAssertion(context.Context, loop.ClientID, [32]byte, time.Time) error { return nil }

// newAuthenticator makes an authenticator that knows one client, which proves
// itself with the key.
func newAuthenticator(t testing.TB) (*Authenticator, *loop.Client, *ecdsa.PrivateKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	w := loop.Machine{}
	client := &loop.Client{ID: loop.NewClientID(w), Type: loop.Confidential, Enabled: true, Protocol: loop.Protocol{AuthMethod: loop.AuthPrivateKeyJWT, KeySet: set}}
	return &Authenticator{
		Issuer: issuer, TokenURLs: []string{tokenURL}, World: w, Clients: one{client}, Assertions: unused{},
		Keys: &clientjwt.Keys{World: w}, Log: slog.New(slog.DiscardHandler),
	}, client, private
}

// signed makes a JWT.
func signed(t testing.TB, key *ecdsa.PrivateKey, body string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
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
	a, client, key := newAuthenticator(f)
	id := string(client.ID)
	for _, claims := range []string{
		`{"iss":"` + id + `","sub":"` + id + `","aud":"` + issuer + `","jti":"1","exp":4102444800}`,
		`{"iss":"` + id + `","sub":"` + id + `","aud":["` + issuer + `"],"jti":"1","exp":1e3}`,
		`{"sub":"` + id + `","sub":"x"}`, `{"exp":-1}`, `{"exp":1e400}`, `{"iat":"x"}`, `[]`, `null`, ``,
	} {
		f.Add(claims)
	}
	f.Fuzz(func(t *testing.T, body string) {
		text := signed(t, key, body)
		err := a.provesAssertion(t.Context(), client, text, []string{tokenURL})
		if err == nil {
			var claims struct {
				Issuer   string  `json:"iss"`
				Subject  string  `json:"sub"`
				Audience string  `json:"aud"`
				ID       string  `json:"jti"`
				Expiry   float64 `json:"exp"`
			}
			now := float64(a.World.Now().Unix())
			if json.Unmarshal([]byte(body), &claims) != nil || claims.Issuer != id || claims.Subject != id || claims.ID == "" ||
				!strings.HasPrefix(claims.Audience, issuer) || claims.Expiry < now || claims.Expiry > now+2*3600 {
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
	a, client, key := newAuthenticator(f)
	f.Add(signed(f, key, `{"sub":"`+string(client.ID)+`"}`))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("a.b.c")
	f.Add(strings.Repeat(".", 100))
	f.Fuzz(func(t *testing.T, text string) {
		req := Request{Evidence: possession.Evidence{Method: "POST", URLs: []string{tokenURL}}, Form: url.Values{"client_assertion": {text}, "client_assertion_type": {assertionType}}}
		if proven, err := a.Authenticate(t.Context(), req); proven != nil || err == nil || loop.AsError(err).Code != loop.InvalidClient {
			t.Fatalf("%q: %v, %v", text, proven, err)
		}
	})
}
