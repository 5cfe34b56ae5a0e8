package conformance

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

// clientAssertions is how a client proves itself with a key (RFC 7523, FAPI 2.0
// Security Profile §5.3.2.1).
var clientAssertions = []module{
	{"ES256 is accepted", asserted(signedBy("ES256"))},
	{"PS256 is accepted", asserted(signedBy("PS256"))},
	{"EdDSA is accepted", asserted(signedBy("EdDSA"))},
	{"iat and nbf 8 seconds ahead are accepted", asserted(with(claimIn("iat", 8*time.Second), claimIn("nbf", 8*time.Second)))},
	{"the audience is an array: refused", notAsserted(with(claim("aud", []string{issuer})))},
	{"the audience is the token endpoint: refused", notAsserted(with(claim("aud", issuer+"/v1/oauth/token")))},
	{"the audience is the PAR endpoint: refused", notAsserted(with(claim("aud", issuer+"/v1/oauth/par")))},
	{"iat 60 seconds ahead is refused", notAsserted(with(claimIn("iat", time.Minute)))},
	{"nbf 60 seconds ahead is refused", notAsserted(with(claimIn("nbf", time.Minute)))},
	{"an expired one is refused", notAsserted(with(claimIn("iat", -5*time.Minute), claimIn("nbf", -5*time.Minute), claimIn("exp", -4*time.Minute)))},
	{"a missing sub is refused", notAsserted(with(claim("sub", nil)))},
	{"RS256 is refused", notAsserted(signedBy("RS256"))},
	{"none is refused", notAsserted(signedBy("none"))},
	{"another client's key is refused", notAsserted(byAnotherKey)},
	{"a replayed jti is refused", replayed},
	{"a replayed jti is refused after a restart", replayedAfterARestart},
	{"the keys can be at an address of the client's", keysByAddress},
	{"other profiles: the issuer is an audience", otherProfile(issuer, true)},
	{"other profiles: the token endpoint is an audience", otherProfile(issuer+"/v1/oauth/token", true)},
	{"other profiles: an array of the two is refused", otherProfile([]string{issuer, issuer + "/v1/oauth/token"}, false)},
}

// changes are those that make another of an app's assertion.
type changes func(t *testing.T, a *app) []change

func with(all ...change) changes { return func(*testing.T, *app) []change { return all } }

func signedBy(algorithm string) changes {
	return func(_ *testing.T, a *app) []change { return []change{a.keys.signedWith(algorithm)} }
}

func byAnotherKey(t *testing.T, _ *app) []change {
	t.Helper()
	return []change{newClientKeys(t).signedWith("ES256")}
}

// pushAs pushes a request with just this assertion.
func (a *app) pushAs(t *testing.T, assertion string) *pushed {
	t.Helper()
	return a.authenticating(asserting(assertion)).pushForm(t, a.request().params)
}

func asserted(by changes) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newFAPIApp(t)
		a.pushAs(t, a.assertion(t, by(t, a)...)).accepted(t)
	}
}

// notAsserted is the same at both endpoints; what the token endpoint is asked for
// does not matter, since the client comes first.
func notAsserted(by changes) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newFAPIApp(t)
		a.pushAs(t, a.assertion(t, by(t, a)...)).refused(t, http.StatusUnauthorized, "invalid_client")
		a.authenticating(asserting(a.assertion(t, by(t, a)...))).refresh(t, "none").refused(t, http.StatusUnauthorized, "invalid_client")
	}
}

func replayed(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	assertion := a.assertion(t)
	a.pushAs(t, assertion).accepted(t)
	a.pushAs(t, assertion).refused(t, http.StatusUnauthorized, "invalid_client")
	a.authenticating(asserting(assertion)).refresh(t, "none").refused(t, http.StatusUnauthorized, "invalid_client")
}

func replayedAfterARestart(t *testing.T, _ *suite) {
	s := startServer(t)
	a := s.newFAPIApp(t)
	assertion := a.assertion(t)
	a.pushAs(t, assertion).accepted(t)
	s.stop()
	s.start()
	a.http.CloseIdleConnections()
	a.pushAs(t, assertion).refused(t, http.StatusUnauthorized, "invalid_client")
	a.pushAs(t, a.assertion(t)).accepted(t)
}

func keysByAddress(t *testing.T, _ *suite) {
	s := startServer(t, fetching)
	keys := newClientKeys(t)
	address := s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_ = json.NewEncoder(w).Encode(keys.set()) // whoever asked has gone
	})
	a := s.newAppWithKeys(t, keys, "--profile", "fapi2", "--dpop-bound", "--jwks-uri", address+"/jwks.json")
	a.pushForm(t, a.request().params).accepted(t)
}

// otherProfile authenticates a client that is none of FAPI's.
func otherProfile(audience any, accepted bool) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newSigningApp(t)
		r := a.request()
		code := s.browser(t).authorize(t, r, allowing(s.ada)).code(t)
		got := a.authenticating(asserting(a.assertion(t, claim("aud", audience)))).redeem(t, r, code)
		if accepted {
			got.granted(t)
			return
		}
		got.refused(t, http.StatusUnauthorized, "invalid_client")
	}
}
