package conformance

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// signedRequests are request objects at PAR (FAPI 2.0 Message Signing §5.3).
var signedRequests = []module{
	{"ES256 is accepted, and its state comes back", signedRequest(signedBy("ES256"))},
	{"PS256 is accepted", signedRequest(signedBy("PS256"))},
	{"nbf 8 seconds ahead is accepted", signedRequest(with(claimIn("nbf", 8*time.Second)))},
	{"exp 60 minutes after nbf is accepted", signedRequest(with(claimIn("nbf", -time.Minute), claimIn("exp", 59*time.Minute)))},
	{"exp more than 60 minutes after nbf is refused", badRequestObject(with(claimIn("nbf", -10*time.Minute), claimIn("exp", 55*time.Minute)))},
	{"nbf more than 60 minutes ago is refused", badRequestObject(with(claimIn("nbf", -70*time.Minute)))},
	{"nbf 60 seconds ahead is refused", badRequestObject(with(claimIn("nbf", time.Minute)))},
	{"an expired one is refused", badRequestObject(with(claimIn("nbf", -10*time.Minute), claimIn("exp", -5*time.Minute)))},
	{"another audience is refused", badRequestObject(with(claim("aud", "https://"+appHost)))},
	{"a missing nbf is refused", badRequestObject(with(claim("nbf", nil)))},
	{"a missing exp is refused", badRequestObject(with(claim("exp", nil)))},
	{"RS256 is refused", badRequestObject(signedBy("RS256"))},
	{"none is refused", badRequestObject(signedBy("none"))},
	{"a bad signature is refused", badRequestObject(byAnotherKey)},
	{"an unsigned one is refused at the authorization endpoint", unsignedByAnAppWithKeys},
}

// object makes the signed form of a request (RFC 9101 §4).
func (a *app) object(t *testing.T, r *request, all ...change) url.Values {
	t.Helper()
	now := time.Now()
	j := &jwt{header: map[string]any{"typ": "oauth-authz-req+jwt"}, claims: map[string]any{
		"iss": a.ID, "aud": issuer, "jti": rand.Text(), "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
	}}
	for name := range r.params {
		j.claims[name] = r.params.Get(name)
	}
	a.keys.signedWith("ES256")(j)
	return url.Values{"client_id": {a.ID}, "request": {j.text(t, all...)}}
}

func signedRequest(by changes) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newFAPIApp(t)
		r := a.request()
		a.refer(r, a.pushForm(t, a.object(t, r, by(t, a)...)).accepted(t))
		a.idToken(t, a.flow(t, s.browser(t), r, s.ada))
	}
}

func badRequestObject(by changes) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newFAPIApp(t)
		r := a.request()
		a.pushForm(t, a.object(t, r, by(t, a)...)).refused(t, http.StatusBadRequest, "invalid_request_object")
	}
}

// unsignedByAnAppWithKeys is of an app that could have signed it, and that is not
// of FAPI's profile.
func unsignedByAnAppWithKeys(t *testing.T, s *suite) {
	r := s.newSigningApp(t).request()
	r.params.Set("request", r.unsigned(t))
	s.browser(t).silently(t, r).refused(t, "invalid_request_object")
}
