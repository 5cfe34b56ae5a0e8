package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// pushedRequests is what PAR answers (RFC 9126, FAPI 2.0 Security Profile §5.3.2.2).
var pushedRequests = []module{
	{"201, for a minute at most, with a request_uri that nobody guesses", pushAnswer},
	{"client_id and request_uri suffice at authorize", pushedIsEnough},
	{"anything else at authorize is ignored", pushedIsAll},
	{"a reload before sign-in works", pushedReload},
	{"a request_uri that was completed: error page", pushedTwice},
	{"another client's request_uri: error page", pushedByAnother},
	{"an expired request_uri: error page", pushedExpired},
	{"a made-up request_uri: error page", pushedNever},
	{"a request_uri within PAR is refused", pushRefused("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request")},
	{"no redirect_uri is refused", pushRefused("redirect_uri", "", "invalid_request")},
	{"an unregistered redirect_uri is refused", pushRefused("redirect_uri", redirectURI+"/another", "invalid_request")},
	{"response_type code id_token is refused", pushRefused("response_type", "code id_token", "unsupported_response_type")},
	{"response_type token is refused", pushRefused("response_type", "token", "unsupported_response_type")},
	{"PUT is refused", pushByPUT},
	{"a client that proves nothing is refused", pushByPublic},
	{"an authorization request that was not pushed is refused", notPushed},
}

func pushAnswer(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	got := a.pushForm(t, a.request().params).accepted(t)
	if got.Expires < 5 || got.Expires > 60 {
		t.Errorf("expires_in is %d, want 5 to 60", got.Expires)
	}
	reference := got.RequestURI[strings.LastIndex(got.RequestURI, ":")+1:]
	if bits := entropy(reference); bits < 128 {
		t.Errorf("the request_uri %q has %.0f bits", got.RequestURI, bits)
	}
	if again := a.pushForm(t, a.request().params).accepted(t); again.RequestURI == got.RequestURI {
		t.Error("two requests have one request_uri")
	}
}

func pushedIsEnough(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r, got := a.pushedFlow(t, s.ada)
	if id := a.idToken(t, got); id.text("nonce") != r.params.Get("nonce") {
		t.Errorf("the nonce is %v, want %s", id["nonce"], r.params.Get("nonce"))
	}
	a.reads(t, got)
}

func pushedIsAll(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r := a.push(t, a.request())
	set(r.carried, []string{
		"redirect_uri", redirectURI + "/another", "state", "another", "scope", "openid email", "nonce", "another",
		"response_type", "token", "response_mode", "fragment", "prompt", "none", "foo", "bar",
	})
	got := a.flow(t, s.browser(t), r, s.ada)
	if got.Scope != "openid" || a.idToken(t, got).text("nonce") != r.params.Get("nonce") {
		t.Errorf("the browser's parameters were taken: scope %q", got.Scope)
	}
}

func pushedReload(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r := a.push(t, a.request())
	b := s.browser(t)
	for range 2 {
		if j := b.silently(t, r); j.answer != nil || j.last.StatusCode != http.StatusOK {
			t.Fatalf("status %d, want the sign-in page:\n%s", j.last.StatusCode, j.last.body)
		}
	}
	a.flow(t, b, r, s.ada)
}

func pushedTwice(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r := a.push(t, a.request())
	b := s.browser(t)
	a.flow(t, b, r, s.ada)
	b.silently(t, r).errorPage(t)
	s.browser(t).silently(t, r).errorPage(t)
}

func pushedByAnother(t *testing.T, s *suite) {
	a, other := s.newFAPIApp(t), s.newFAPIApp(t)
	r := a.push(t, a.request())
	r.carried.Set("client_id", other.ID)
	s.browser(t).silently(t, r).errorPage(t)
	r.carried.Set("client_id", a.ID) // another's attempt has spent nothing
	a.flow(t, s.browser(t), r, s.ada)
}

func pushedExpired(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r := a.request()
	got := a.pushForm(t, r.params).accepted(t)
	waitUntil(t, time.Now().Add(time.Duration(got.Expires+1)*time.Second))
	s.browser(t).silently(t, a.refer(r, got)).errorPage(t)
}

func pushedNever(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r := a.refer(a.request(), &pushed{RequestURI: "urn:ietf:params:oauth:request_uri:never"})
	s.browser(t).silently(t, r).errorPage(t)
}

// pushRefused pushes a request in which one parameter is not as it should be.
func pushRefused(name, value, code string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newFAPIApp(t)
		a.pushForm(t, a.request(name, value).params).refused(t, http.StatusBadRequest, code, "invalid_request")
	}
}

func pushByPUT(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	form := a.request().params
	a.authenticate(t, a, nil, form)
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if answered := fetch(t, a.http, http.MethodPut, a.parEndpoint(), header, form.Encode()); answered.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("status %d, want 405: %s", answered.StatusCode, answered.body)
	}
}

func pushByPublic(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	a.authenticate = public
	got := a.pushForm(t, a.request().params)
	if got.status != http.StatusBadRequest && got.status != http.StatusUnauthorized || got.RequestURI != "" {
		t.Errorf("status %d, want 400 or 401: %s", got.status, got.body)
	}
}

// public says who the client is, and proves nothing.
func public(_ *testing.T, a *app, _ http.Header, form url.Values) { form.Set("client_id", a.ID) }

func notPushed(t *testing.T, s *suite) {
	j := s.browser(t).silently(t, s.newFAPIApp(t).request())
	if j.answer == nil {
		j.errorPage(t)
		return
	}
	j.refused(t, "invalid_request")
}
