package platformtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// Key is a key of an app, with which it signs what it sends.
type Key struct {
	jose.JSONWebKey // private
	t               testing.TB
}

// NewKey makes an ES256 key.
func NewKey(t testing.TB) *Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return KeyOf(t, private, jose.ES256)
}

// KeyOf is a key of any kind.
func KeyOf(t testing.TB, private any, alg jose.SignatureAlgorithm) *Key {
	t.Helper()
	return &Key{jose.JSONWebKey{Key: private, KeyID: rand.Text(), Algorithm: string(alg), Use: "sig"}, t}
}

// Set is the key set to register.
func (k *Key) Set() json.RawMessage {
	k.t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.Public()}})
	if err != nil {
		k.t.Fatal(err)
	}
	return set
}

// Thumbprint is the key's thumbprint in base64url (RFC 7638).
func (k *Key) Thumbprint() string {
	k.t.Helper()
	public := k.Public()
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		k.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// Sign makes a JWT of the claims, of the given type.
func (k *Key) Sign(typ string, claims map[string]any) string {
	k.t.Helper()
	return k.SignWith((&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", k.KeyID), claims)
}

// SignWith makes a JWT with a header of the test's choice.
func (k *Key) SignWith(options *jose.SignerOptions, claims any) string {
	k.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Algorithm), Key: k.Key}, options)
	if err != nil {
		k.t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		k.t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		k.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		k.t.Fatal(err)
	}
	return text
}

// AssertionType is the value of client_assertion_type.
const AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// AssertionClaims are those of a correct client assertion: change them at will.
func (a *App) AssertionClaims() map[string]any {
	now := a.p.World.Now()
	return map[string]any{
		"iss": a.ID, "sub": a.ID, "aud": Identity, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
}

// Assert adds the authentication of an app that holds a key to a form.
func (a *App) Assert(form url.Values) url.Values {
	signed := maps.Clone(form)
	signed.Set("client_id", string(a.ID))
	signed.Set("client_assertion_type", AssertionType)
	signed.Set("client_assertion", a.Key.Sign("JWT", a.AssertionClaims()))
	return signed
}

// ProofClaims are those of a correct DPoP proof: change them at will.
func (p *Platform) ProofClaims(method, address, accessToken string) map[string]any {
	claims := map[string]any{"htm": method, "htu": address, "jti": rand.Text(), "iat": p.World.Now().Unix()}
	if accessToken != "" {
		sum := sha256.Sum256([]byte(accessToken))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return claims
}

// Proof makes a DPoP proof of the claims.
func (k *Key) Proof(claims map[string]any) string {
	k.t.Helper()
	public := k.Public()
	public.KeyID, public.Use, public.Algorithm = "", "", ""
	return k.SignWith((&jose.SignerOptions{}).WithType("dpop+jwt").WithHeader("jwk", public), claims)
}

// WithProof is a header with a correct DPoP proof.
func (p *Platform) WithProof(k *Key, method, address, accessToken string) http.Header {
	header := http.Header{"Dpop": {k.Proof(p.ProofClaims(method, address, accessToken))}}
	if accessToken != "" {
		header.Set("Authorization", "DPoP "+accessToken)
	}
	return header
}

// Send posts a form to an endpoint as the app, by its own way of authentication.
func (a *App) Send(path string, form url.Values, header http.Header) *Response {
	a.t.Helper()
	form = maps.Clone(form)
	switch {
	case a.Key != nil && a.Protocol.AuthMethod == loop.AuthPrivateKeyJWT:
		form = a.Assert(form)
	default:
		form.Set("client_id", string(a.ID))
		if a.Secret != "" {
			form.Set("client_secret", a.Secret)
		}
	}
	return a.p.Post(a.t, Identity+path, form, header)
}

// AddKeyApp registers an app that proves itself with a key.
func (p *Platform) AddKeyApp(t testing.TB, alter func(*loop.Client)) *App {
	t.Helper()
	key := NewKey(t)
	app := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.KeySet = loop.AuthPrivateKeyJWT, key.Set()
		if alter != nil {
			alter(c)
		}
	})
	app.Key = key
	return app
}

// Fetch sends a request without a browser.
func (p *Platform) Fetch(t testing.TB, method, address string, header http.Header) *Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	return p.NewBrowser(t).Do(req)
}

// Signed is an authorization request as a signed request object (RFC 9101).
func (a *App) Signed(request url.Values) url.Values {
	now := a.p.World.Now()
	claims := map[string]any{"iss": a.ID, "aud": Identity, "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	for name := range request {
		claims[name] = request.Get(name)
	}
	return url.Values{
		"client_id": {string(a.ID)}, "redirect_uri": request["redirect_uri"],
		"request": {a.Key.Sign("oauth-authz-req+jwt", claims)},
	}
}
