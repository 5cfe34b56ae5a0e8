package conformance

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/pagetest"
	"github.com/loop-health/loop/test/process"
)

// app is a registered client, at a server and with one way to get its answers.
type app struct {
	*server
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`

	mode         string // response_mode; empty: the parameter is not sent
	authenticate authentication
	http         *http.Client

	identity, clinical string            // where it calls the platform
	keys               clientKeys        // sign its assertions and requests
	dpop               *ecdsa.PrivateKey // binds its tokens; nil: they are Bearer
}

// authentication adds to a request of the token endpoint what proves the client.
type authentication func(t *testing.T, a *app, header http.Header, form url.Values)

// newApp registers an app that is verified and in production; flags of
// `loop client create` say what else it is.
func (s *server) newApp(t *testing.T, flags ...string) *app {
	t.Helper()
	a := &app{server: s, identity: issuer, clinical: clinical, authenticate: clientSecretBasic, http: &http.Client{
		Transport: s.transport(t), Timeout: process.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	s.loop(t, a, append([]string{
		"client", "create", "--name", "Morning Labs", "--redirect-uri", redirectURI,
		"--scope", "openid profile email read:biomarkers", "--mode", "production", "--verified",
		"--baa-signed-on", "2026-03-02", "--baa-by", "An operator",
	}, flags...)...)
	return a
}

// clientSecretBasic sends id and secret form-urlencoded within the Base64 (RFC
// 6749 §2.3.1), and not one character as it is, so that decoding is seen to work.
func clientSecretBasic(_ *testing.T, a *app, header http.Header, _ url.Values) {
	encode := func(text string) string {
		var out strings.Builder
		for _, b := range []byte(text) {
			fmt.Fprintf(&out, "%%%02X", b)
		}
		return out.String()
	}
	credentials := encode(a.ID) + ":" + encode(a.Secret)
	header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
}

func clientSecretPost(_ *testing.T, a *app, _ http.Header, form url.Values) {
	form.Set("client_id", a.ID)
	form.Set("client_secret", a.Secret)
}

// request is an authorization request, and the verifier that goes with it.
type request struct {
	params   url.Values
	carried  url.Values            // by the browser, of a request that was pushed
	order    func(a, b string) int // of the parameters' names; nil: alphabetical
	verifier string
}

// request makes an authorization request for openid. Further parameters are
// given as pairs; an empty value takes one out.
func (a *app) request(pairs ...string) *request {
	r := &request{verifier: pagetest.Verifier(), params: url.Values{
		"response_type": {"code"}, "client_id": {a.ID}, "redirect_uri": {redirectURI},
		"scope": {"openid"}, "state": {rand.Text()}, "nonce": {rand.Text()},
	}}
	r.params.Set("code_challenge", pagetest.Challenge(r.verifier))
	r.params.Set("code_challenge_method", "S256")
	if a.mode != "" {
		r.params.Set("response_mode", a.mode)
	}
	set(r.params, pairs)
	return r
}

func set(params url.Values, pairs []string) {
	for pair := range slices.Chunk(pairs, 2) {
		if params.Set(pair[0], pair[1]); pair[1] == "" {
			params.Del(pair[0])
		}
	}
}

// authorizationEndpoint is where browsers go with requests.
const authorizationEndpoint = issuer + "/v1/oauth/authorize"

func (r *request) address() string { return authorizationEndpoint + "?" + r.encode() }

func (r *request) encode() string {
	if r.carried != nil {
		return r.carried.Encode()
	}
	if r.order == nil {
		return r.params.Encode()
	}
	var parts []string
	for _, name := range slices.SortedFunc(maps.Keys(r.params), r.order) {
		parts = append(parts, url.Values{name: r.params[name]}.Encode())
	}
	return strings.Join(parts, "&")
}

// tokens is the answer of the token endpoint, or its error.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Type    string `json:"token_type"`
	Expires int    `json:"expires_in"`
	Scope   string `json:"scope"`
	Error   string `json:"error"`

	status int
	body   string
	kind   string // what Type is to be
}

// token asks the token endpoint, with a proof where the app's tokens are bound to
// a key.
func (a *app) token(t *testing.T, form url.Values) *tokens {
	t.Helper()
	if a.dpop == nil {
		return a.readTokens(t, a.postWith(t, a.tokenEndpoint(), form, nil))
	}
	return a.readTokens(t, a.postProving(t, a.tokenEndpoint(), form))
}

func (a *app) tokenEndpoint() string { return a.identity + "/v1/oauth/token" }

// postProving sends a form as the app, with a proof.
func (a *app) postProving(t *testing.T, address string, form url.Values, changes ...change) shown {
	t.Helper()
	_, answered := a.proving(t, http.MethodPost, address, func(proof string) shown {
		return a.postWith(t, address, form, []string{proof})
	}, changes...)
	return answered
}

// postWith sends a form as the app, with just these proofs.
func (a *app) postWith(t *testing.T, address string, form url.Values, proofs []string) shown {
	t.Helper()
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if len(proofs) > 0 {
		header["Dpop"] = proofs
	}
	form = maps.Clone(form)
	a.authenticate(t, a, header, form)
	return fetch(t, a.http, http.MethodPost, address, header, form.Encode())
}

func (a *app) readTokens(t *testing.T, answered shown) *tokens {
	t.Helper()
	got := &tokens{status: answered.StatusCode, body: answered.body, kind: "Bearer"}
	if a.dpop != nil {
		got.kind = "DPoP"
	}
	if err := json.Unmarshal([]byte(answered.body), got); err != nil {
		t.Fatalf("status %d: %v: %s", answered.StatusCode, err, answered.body)
	}
	if kept := answered.Header.Get("Cache-Control"); kept != "no-store" {
		t.Errorf("a token answer says Cache-Control: %q, want no-store (RFC 6749 §5.1)", kept)
	}
	return got
}

// redeem exchanges the code of a request; further parameters as for request.
func (a *app) redeem(t *testing.T, r *request, code string, pairs ...string) *tokens {
	t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {r.verifier},
	}
	set(form, pairs)
	return a.token(t, form)
}

// refresh exchanges a refresh token; further parameters as for request.
func (a *app) refresh(t *testing.T, token string, pairs ...string) *tokens {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	set(form, pairs)
	return a.token(t, form)
}

// granted holds the answer to be tokens (RFC 6749 §5.1).
func (got *tokens) granted(t *testing.T) *tokens {
	t.Helper()
	if got.status != http.StatusOK || got.Access == "" || got.Type != got.kind || got.Expires <= 0 {
		t.Fatalf("status %d, a %q token for %d s, error %q: want a %s token with 200", got.status, got.Type, got.Expires, got.Error, got.kind)
	}
	return got
}

// refused holds the answer to be this error (RFC 6749 §5.2).
func (got *tokens) refused(t *testing.T, status int, code string) {
	t.Helper()
	if got.status != status || got.Error != code || got.Access != "" {
		t.Errorf("status %d, error %q, tokens %t: want %d and %s", got.status, got.Error, got.Access != "", status, code)
	}
}
