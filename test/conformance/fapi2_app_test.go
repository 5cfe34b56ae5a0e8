package conformance

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// newFAPIApp registers a client of the FAPI 2.0 Security Profile that signs its
// assertions and binds its tokens to a key by DPoP.
func (s *server) newFAPIApp(t *testing.T) *app {
	t.Helper()
	a := s.newSigningApp(t, "--profile", "fapi2", "--dpop-bound")
	a.dpop = newKey(t)
	return a
}

// newSigningApp registers a client that authenticates by private_key_jwt, with its
// key set.
func (s *server) newSigningApp(t *testing.T, flags ...string) *app {
	t.Helper()
	keys := newClientKeys(t)
	return s.newAppWithKeys(t, keys, append(flags, "--jwks-file", writeJSON(t, keys.set()))...)
}

// newAppWithKeys is newSigningApp where the flags say where the keys are.
func (s *server) newAppWithKeys(t *testing.T, keys clientKeys, flags ...string) *app {
	t.Helper()
	a := s.newApp(t, append(flags, "--token-endpoint-auth-method", "private_key_jwt")...)
	a.keys, a.authenticate = keys, privateKeyJWT
	return a
}

// assertion makes a client assertion (RFC 7523 §3). For other profiles than FAPI
// too, the issuer is a good audience.
func (a *app) assertion(t *testing.T, changes ...change) string {
	t.Helper()
	now := time.Now()
	j := &jwt{header: map[string]any{}, claims: map[string]any{
		"iss": a.ID, "sub": a.ID, "aud": issuer, "jti": rand.Text(), "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}}
	a.keys.signedWith("ES256")(j)
	return j.text(t, changes...)
}

func privateKeyJWT(t *testing.T, a *app, _ http.Header, form url.Values) {
	t.Helper()
	asserting(a.assertion(t))(t, a, nil, form)
}

// asserting authenticates with just this assertion.
func asserting(assertion string) authentication {
	return func(_ *testing.T, a *app, _ http.Header, form url.Values) {
		form.Set("client_id", a.ID)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", assertion)
	}
}

// authenticating is the app as it would be if it authenticated in another way.
func (a *app) authenticating(by authentication) *app {
	other := *a
	other.authenticate = by
	return &other
}

// withKey is the app as it would be with another key for its proofs.
func (a *app) withKey(t *testing.T) *app {
	t.Helper()
	other := *a
	other.dpop = newKey(t)
	return &other
}

// pushed is the answer to a pushed authorization request (RFC 9126 §2.2), or its
// error.
type pushed struct {
	RequestURI string `json:"request_uri"`
	Expires    int    `json:"expires_in"`
	Error      string `json:"error"`

	status int
	body   string
}

// pushForm sends parameters to the PAR endpoint, without a proof: it does not need
// one.
func (a *app) pushForm(t *testing.T, form url.Values) *pushed {
	t.Helper()
	return readPushed(t, a.postWith(t, a.parEndpoint(), form, nil))
}

func readPushed(t *testing.T, answered shown) *pushed {
	t.Helper()
	got := &pushed{status: answered.StatusCode, body: answered.body}
	if err := json.Unmarshal([]byte(answered.body), got); err != nil {
		t.Fatalf("status %d: %v: %s", answered.StatusCode, err, answered.body)
	}
	return got
}

func (a *app) parEndpoint() string { return a.identity + "/v1/oauth/par" }

// accepted holds the answer to be a request URI.
func (got *pushed) accepted(t *testing.T) *pushed {
	t.Helper()
	if got.status != http.StatusCreated || got.RequestURI == "" {
		t.Fatalf("status %d, want 201 with a request_uri: %s", got.status, got.body)
	}
	return got
}

// refused holds the answer to be one of these errors.
func (got *pushed) refused(t *testing.T, status int, codes ...string) {
	t.Helper()
	if got.status != status || got.RequestURI != "" || !slices.Contains(codes, got.Error) {
		t.Errorf("status %d, want %d with one of %v: %s", got.status, status, codes, got.body)
	}
}

// push pushes a request, so that the browser carries its reference alone.
func (a *app) push(t *testing.T, r *request) *request {
	t.Helper()
	return a.refer(r, a.pushForm(t, r.params).accepted(t))
}

func (a *app) refer(r *request, to *pushed) *request {
	r.carried = url.Values{"client_id": {a.ID}, "request_uri": {to.RequestURI}}
	return r
}

// pushedFlow pushes a request and takes a member through it.
func (a *app) pushedFlow(t *testing.T, who *member) (*request, *tokens) {
	t.Helper()
	r := a.push(t, a.request("scope", "openid read:biomarkers"))
	return r, a.flow(t, a.browser(t), r, who)
}

// biomarkers reads lab results.
func (a *app) biomarkers(t *testing.T, got *tokens) shown {
	t.Helper()
	return a.ask(t, http.MethodGet, a.clinical+"/v1/biomarkers/me", got.Access, nil)
}

// reads holds an access token to open the lab results.
func (a *app) reads(t *testing.T, got *tokens) {
	t.Helper()
	if answered := a.biomarkers(t, got); answered.StatusCode != http.StatusOK {
		t.Errorf("reading lab results: status %d: %s", answered.StatusCode, answered.body)
	}
}
