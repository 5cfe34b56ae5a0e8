package conformance

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func responseTypeMissing(t *testing.T, s *suite) {
	r := s.newApp(t).request("response_type", "")
	s.browser(t).silently(t, r).refused(t, "invalid_request", "unsupported_response_type")
}

// anyOrder turns the scopes and all parameters around.
func anyOrder(t *testing.T, s *suite) {
	a := s.newApp(t)
	r := a.request("scope", "email profile openid")
	r.order = func(a, b string) int { return strings.Compare(b, a) }
	got := a.flow(t, s.browser(t), r, s.ada)
	a.idToken(t, got).tellsOnlyOfTheSignIn(t)
	about := userClaims(t, a.userInfo(t, http.MethodGet, got))
	about.hasAllThatIsPromised(t, s.metadata(t).texts("claims_supported"), []string{"openid", "profile", "email"})
}

// accepts sends a parameter that changes nothing about the answer.
func accepts(name, value string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newApp(t)
		got := a.flow(t, s.browser(t), a.request(name, value), s.ada)
		a.idToken(t, got).tellsOnlyOfTheSignIn(t)
		userClaims(t, a.userInfo(t, http.MethodGet, got))
	}
}

func unregisteredRedirectURI(t *testing.T, s *suite) {
	r := s.newApp(t).request("redirect_uri", redirectURI+"/another")
	s.browser(t).silently(t, r).errorPage(t)
}

// postRequest sends authorization requests from an app's page: cookies that are
// Lax do not come along.
func postRequest(t *testing.T, s *suite) {
	a := s.newApp(t)
	b := s.browser(t)
	r := a.request()
	first := b.goOn(t, r, allowing(s.ada), b.postFromElsewhere(t, authorizationEndpoint, r.encode()))
	signIn := a.idToken(t, a.redeem(t, r, first.code(t)).granted(t))

	r = a.request("prompt", "none")
	second := b.goOn(t, r, person{}, b.postFromElsewhere(t, authorizationEndpoint, r.encode()))
	sameSignIn(t, signIn, a.idToken(t, a.redeem(t, r, second.code(t)).granted(t)))
}

// postFromElsewhere sends a form of the app's own page.
func (b *browser) postFromElsewhere(t *testing.T, address, form string) shown {
	t.Helper()
	withoutCookies := *b.http
	withoutCookies.Jar = nil
	return fetch(t, &withoutCookies, http.MethodPost, address, http.Header{
		"Accept": {"text/html"}, "Origin": {"https://" + appHost}, "Sec-Fetch-Site": {"cross-site"},
		"Content-Type": {"application/x-www-form-urlencoded"},
	}, form)
}

// unsigned makes a request object that nobody signed (RFC 9101 §2.1) out of a
// request's own parameters.
func (r *request) unsigned(t *testing.T) string {
	t.Helper()
	object := make(map[string]string)
	for name := range r.params {
		object[name] = r.params.Get(name)
	}
	payload, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(payload) + "."
}

func unsignedRequestObject(t *testing.T, s *suite) {
	r := s.newApp(t).request()
	r.params.Set("request", r.unsigned(t))
	want := []string{"request_not_supported"} // by an app that has no keys, whatever others may do
	if s.metadata(t)["request_parameter_supported"] == true {
		want = append(want, "invalid_request_object")
	}
	s.browser(t).silently(t, r).refused(t, want...)
}

// unsignedRequestURI names an object that nobody is to fetch.
func unsignedRequestURI(t *testing.T, s *suite) {
	r := s.newApp(t).request("request_uri", "https://"+appHost+"/request.jwt")
	want := []string{"request_uri_not_supported"}
	// Absent, it would mean yes (OpenID Connect Discovery §3).
	if supported, said := s.metadata(t)["request_uri_parameter_supported"]; !said || supported == true {
		want = []string{"invalid_request_object", "invalid_request_uri"}
	}
	s.browser(t).silently(t, r).refused(t, want...)
}

func requestObjectWithRedirectURI(t *testing.T, s *suite) {
	r := s.newApp(t).request()
	object := r.unsigned(t) // it names the registered redirect URI
	set(r.params, []string{"request", object, "redirect_uri", redirectURI + "/another"})
	s.browser(t).silently(t, r).errorPage(t)
}
