package fault

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/pagetest"
	"github.com/loop-health/loop/test/process"
)

// person is a member with a browser, and the app that they use. Its acts return
// errors and not failures, since a test breaks the server under them.
type person struct {
	server          *server
	app             app
	email, password string
	leavesOut       string // a scope that is not allowed; empty: all are
	http            *http.Client
}

// errUnanswered is an act without an answer: the server was gone.
var errUnanswered = errors.New("no answer")

// newPerson makes an account and gives its member, who has not signed in.
func (s *server) newPerson(name string) *person {
	s.t.Helper()
	var made struct{ Email, Password string }
	s.object(&made, "user", "create", "--name", name, "--email", strings.ToLower(name)+"@members.example", "--test", "--sex", "female")
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &person{server: s, app: s.app, email: made.Email, password: made.Password, http: &http.Client{
		Transport: s.transport(), Jar: jar, Timeout: process.Patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	request string // its X-Request-Id
	body    []byte
}

func (p *person) do(r *http.Request) (answer, error) {
	response, err := p.http.Do(r)
	if err != nil {
		return answer{}, errors.Join(errUnanswered, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, errors.Join(errUnanswered, err)
	}
	return answer{response, response.Header.Get("X-Request-Id"), body}, nil
}

func (p *person) get(address string, header ...string) (answer, error) {
	r, err := http.NewRequest(http.MethodGet, address, http.NoBody) //nolint:noctx // the client has a time limit
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return p.do(r)
}

func (p *person) post(address string, form url.Values) (answer, error) {
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode())) //nolint:noctx // the client has a time limit
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r)
}

// authorize takes the member through the app's authorization request, signs in and
// allows it where they are asked, and gives what the app is answered.
func (p *person) authorize(verifier string, more ...string) (url.Values, error) {
	request := url.Values{
		"response_type": {"code"}, "client_id": {p.app.ID}, "redirect_uri": {callback}, "scope": {"openid profile read:biomarkers"},
		"state": {rand.Text()}, "code_challenge": {pagetest.Challenge(verifier)}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		request.Set(more[i], more[i+1])
	}
	return p.walk(p.server.identity + "/v1/oauth/authorize?" + request.Encode())
}

// walk goes from an authorization request's address to the answer to the app.
func (p *person) walk(address string) (url.Values, error) {
	at, err := p.get(address)
	for range 10 {
		if err != nil {
			return nil, err
		}
		to, located := at.Location()
		switch {
		case located == nil && strings.HasPrefix(to.String(), callback):
			return to.Query(), nil
		case located == nil:
			at, err = p.get(to.String())
		case at.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("authorize: status %d", at.StatusCode)
		case strings.Contains(string(at.body), `id="sign-in"`):
			at, err = p.press(at, "sign-in")
		case strings.Contains(string(at.body), `id="continue"`): // that a token was used twice
			at, err = p.press(at, "continue")
		default:
			at, err = p.press(at, "allow")
		}
	}
	return nil, errors.New("authorize: it leads in a circle")
}

func (p *person) press(at answer, button string) (answer, error) {
	form, err := pagetest.Press(bytes.NewReader(at.body), button)
	if err != nil || form == nil {
		return answer{}, fmt.Errorf("status %d, and no button %s (%w)", at.StatusCode, button, err)
	}
	if button == "sign-in" {
		form.Values.Set("email", p.email)
		form.Values.Set("password", p.password)
	}
	form.Values["scope"] = slices.DeleteFunc(form.Values["scope"], func(scope string) bool { return scope == p.leavesOut })
	to, err := at.Request.URL.Parse(form.Action)
	if err != nil {
		return answer{}, err
	}
	return p.post(to.String(), form.Values)
}

// tokens is an answer of the token endpoint.
type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Error   string `json:"error"`
	status  int
	request string
	again   bool // Retry-After was there: nothing was written, and the same may be sent once more

	code, verifier string // that they were redeemed with
}

func (p *person) token(form url.Values) (tokens, error) {
	form.Set("client_id", p.app.ID)
	if p.app.Secret != "" {
		form.Set("client_secret", p.app.Secret)
	}
	at, err := p.post(p.server.identity+"/v1/oauth/token", form)
	if err != nil {
		return tokens{}, err
	}
	got := tokens{status: at.StatusCode, request: at.request, again: at.Header.Get("Retry-After") != ""}
	if err := json.Unmarshal(at.body, &got); err != nil {
		return tokens{}, fmt.Errorf("token: status %d: %w", at.StatusCode, err)
	}
	return got, nil
}

func (p *person) redeem(code, verifier string) (tokens, error) {
	return p.token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}})
}

func (p *person) refresh(token string) (tokens, error) {
	return p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// connect is the whole flow: a code, and its tokens.
func (p *person) connect() (tokens, error) {
	verifier := rand.Text() + rand.Text()
	answered, err := p.authorize(verifier)
	if err != nil {
		return tokens{}, err
	}
	got, err := p.redeem(answered.Get("code"), verifier)
	got.code, got.verifier = answered.Get("code"), verifier
	return got, err
}

// revoke gives a token back, and says under which request that was answered.
func (p *person) revoke(token string) (status int, request string, err error) {
	at, err := p.post(p.server.identity+"/v1/oauth/revoke", url.Values{"token": {token}, "client_id": {p.app.ID}, "client_secret": {p.app.Secret}})
	if err != nil {
		return 0, "", err
	}
	return at.StatusCode, at.request, nil
}

// read reads lab results.
func (p *person) read(access string) (status int, request string, err error) {
	at, err := p.get(p.server.clinical+"/v1/biomarkers/me", "Authorization", "Bearer "+access)
	if err != nil {
		return 0, "", err
	}
	return at.StatusCode, at.request, nil
}

// introspect asks whether a token is good, which no database is asked for, and gives
// 204 where it is not.
func (p *person) introspect(access string) (status int, err error) {
	at, err := p.post(p.server.identity+"/v1/oauth/introspect", url.Values{"token": {access}, "client_id": {p.app.ID}, "client_secret": {p.app.Secret}})
	if err != nil {
		return 0, err
	}
	var introspected struct {
		Active bool `json:"active"`
	}
	if err := json.Unmarshal(at.body, &introspected); err != nil {
		return 0, err
	}
	if at.StatusCode == http.StatusOK && !introspected.Active {
		return http.StatusNoContent, nil
	}
	return at.StatusCode, nil
}

// must fails the test where an act, on a server that is well, does not succeed.
func (t tokens) must(test *testing.T, err error) tokens {
	test.Helper()
	if err != nil || t.status != http.StatusOK {
		test.Fatalf("status %d %s, %v", t.status, t.Error, err)
	}
	return t
}
