package conformance

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// proofs is how tokens are bound to a key (RFC 9449).
var proofs = []module{
	{"a proof that is as it should be is accepted by the token endpoint", acceptedProofs},
	{"a proof that is not is refused by the token endpoint", refusedProofs},
	{"no proof at the token endpoint is refused", noProof},
	{"two proofs at the token endpoint are refused", twoProofs},
	{"a replayed jti is refused", replayedProof},
	{"a token takes a proof by its key, the scheme in any case", schemes},
	{"a token with another key, without a proof, or as Bearer: 401", unbound},
	{"a proof that is not for this call: 401", refusedAtResource},
	{"dpop_jkt binds the code", boundByThumbprint},
	{"a proof at PAR binds the code", boundByProof},
	{"dpop_jkt and a proof of two keys are refused", boundTwice},
	{"a nonce that is not the server's is answered by use_dpop_nonce", foreignNonce},
}

// judged is a proof that the token endpoint judges, by a name.
type judged struct {
	name string
	by   changes
}

func acceptedProofs(t *testing.T, s *suite) {
	s.judge(t, func(t *testing.T, got *tokens) { got.granted(t) }, []judged{
		{"as it is", with()},
		{"iat 10 seconds ago", with(claimIn("iat", -10*time.Second))},
		{"iat 10 seconds ahead", with(claimIn("iat", 10*time.Second))},
		{"htu with a query and a fragment", with(claim("htu", issuer+"/v1/oauth/token?a=b#c"))},
		{"claims that nobody knows", with(claim("foo", "bar"), claim("baz", 1))},
	})
}

func refusedProofs(t *testing.T, s *suite) {
	s.judge(t, func(t *testing.T, got *tokens) { got.refused(t, http.StatusBadRequest, "invalid_dpop_proof") }, []judged{
		{"iat an hour ago", with(claimIn("iat", -time.Hour))},
		{"iat an hour ahead", with(claimIn("iat", time.Hour))},
		{"no iat", with(claim("iat", nil))},
		{"typ JWT", with(header("typ", "JWT"))},
		{"no typ", with(header("typ", nil))},
		{"no jwk", with(header("jwk", nil))},
		{"a jwk with its private part", withPrivatePart},
		{"the jwk of another key", func(t *testing.T, _ *app) []change { return []change{header("jwk", jwk(t, newKey(t).Public()))} }},
		{"a symmetric jwk", with(header("jwk", map[string]any{"kty": "oct", "k": "AAAA"}))},
		{"no jti", with(claim("jti", nil))},
		{"no htm", with(claim("htm", nil))},
		{"htm GET", with(claim("htm", http.MethodGet))},
		{"no htu", with(claim("htu", nil))},
		{"htu of another endpoint", with(claim("htu", issuer+"/v1/oauth/par"))},
		{"htu of another host", with(claim("htu", clinical+"/v1/oauth/token"))},
		{"RS256", withRS256},
		{"none", with(header("alg", "none"))},
	})
}

// judge refreshes with each proof: for this profile, a refresh token is not used up.
func (s *suite) judge(t *testing.T, want func(*testing.T, *tokens), all []judged) {
	t.Helper()
	a := s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	for _, j := range all {
		t.Run(j.name, func(t *testing.T) {
			want(t, a.readTokens(t, a.postProving(t, a.tokenEndpoint(), refreshing(first), j.by(t, a)...)))
		})
	}
}

// refreshing is the form of a refresh.
func refreshing(got *tokens) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.Refresh}}
}

// refreshWith refreshes with just these proofs.
func (a *app) refreshWith(t *testing.T, got *tokens, proofs ...string) *tokens {
	t.Helper()
	return a.readTokens(t, a.postWith(t, a.tokenEndpoint(), refreshing(got), proofs))
}

func withPrivatePart(t *testing.T, a *app) []change {
	t.Helper()
	return []change{header("jwk", jwk(t, a.dpop))}
}

func withRS256(t *testing.T, a *app) []change {
	t.Helper()
	return []change{a.keys.signedWith("RS256"), header("kid", nil), header("jwk", jwk(t, a.keys["RSA"].Public()))}
}

func noProof(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	a.refreshWith(t, first).refused(t, http.StatusBadRequest, "invalid_dpop_proof")
	r, code := a.pushedCode(t, s.ada)
	withoutKey := *a
	withoutKey.dpop = nil
	withoutKey.redeem(t, r, code).refused(t, http.StatusBadRequest, "invalid_dpop_proof")
}

func twoProofs(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	prove := func() string { return a.proof(t, http.MethodPost, a.tokenEndpoint()) }
	a.refreshWith(t, first, prove(), prove()).refused(t, http.StatusBadRequest, "invalid_dpop_proof")
}

func replayedProof(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, first := a.pushedFlow(t, s.ada)
	proof, answered := a.proving(t, http.MethodPost, a.tokenEndpoint(), func(proof string) shown {
		return a.postWith(t, a.tokenEndpoint(), refreshing(first), []string{proof})
	})
	a.readTokens(t, answered).granted(t)
	a.refreshWith(t, first, proof).refused(t, http.StatusBadRequest, "invalid_dpop_proof")

	const address = clinical + "/v1/biomarkers/me"
	read := func(proof string) shown {
		return a.present(t, http.MethodGet, address, "DPoP "+first.Access, proof, nil)
	}
	proof, answered = a.proving(t, http.MethodGet, address, read, forToken(first.Access))
	if answered.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", answered.StatusCode, answered.body)
	}
	challenged(t, read(proof))
}

// challenged holds a resource's answer to be a refusal that says how it is done
// (RFC 9449 §7.1).
func challenged(t *testing.T, answered shown) {
	t.Helper()
	said := strings.Join(answered.Header.Values("WWW-Authenticate"), ", ")
	if answered.StatusCode != http.StatusUnauthorized || !strings.Contains(said, "DPoP") {
		t.Errorf("status %d with the challenge %q, want 401 with one of DPoP: %s", answered.StatusCode, said, answered.body)
	}
}

func schemes(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, got := a.pushedFlow(t, s.ada)
	for _, address := range []string{clinical + "/v1/biomarkers/me", issuer + "/v1/oauth/userinfo"} {
		for _, scheme := range []string{"DPoP", "dpop", "DPOP"} {
			_, answered := a.proving(t, http.MethodGet, address, func(proof string) shown {
				return a.present(t, http.MethodGet, address, scheme+" "+got.Access, proof, nil)
			}, forToken(got.Access))
			if answered.StatusCode != http.StatusOK {
				t.Errorf("%s %s: status %d: %s", scheme, address, answered.StatusCode, answered.body)
			}
		}
	}
}

func unbound(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, got := a.pushedFlow(t, s.ada)
	for _, address := range []string{clinical + "/v1/biomarkers/me", issuer + "/v1/oauth/userinfo"} {
		proof := func(a *app) string { return a.proof(t, http.MethodGet, address, forToken(got.Access)) }
		challenged(t, a.present(t, http.MethodGet, address, "DPoP "+got.Access, proof(a.withKey(t)), nil))
		challenged(t, a.present(t, http.MethodGet, address, "DPoP "+got.Access, "", nil))
		for _, proof := range []string{"", proof(a)} {
			if answered := a.present(t, http.MethodGet, address, "Bearer "+got.Access, proof, nil); answered.StatusCode != http.StatusUnauthorized {
				t.Errorf("as Bearer: status %d, want 401: %s", answered.StatusCode, answered.body)
			}
		}
	}
}

func refusedAtResource(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, got := a.pushedFlow(t, s.ada)
	const address = clinical + "/v1/biomarkers/me"
	for _, j := range []judged{
		{"no ath", with(claim("ath", nil))},
		{"the ath of another token", with(forToken("another"))},
		{"htm POST", with(claim("htm", http.MethodPost))},
		{"htu of another address", with(claim("htu", issuer+"/v1/oauth/userinfo"))},
		{"iat an hour ago", with(claimIn("iat", -time.Hour))},
		{"typ JWT", with(header("typ", "JWT"))},
		{"RS256", withRS256},
	} {
		t.Run(j.name, func(t *testing.T) {
			_, answered := a.proving(t, http.MethodGet, address, func(proof string) shown {
				return a.present(t, http.MethodGet, address, "DPoP "+got.Access, proof, nil)
			}, slices.Concat([]change{forToken(got.Access)}, j.by(t, a))...)
			challenged(t, answered)
		})
	}
}

func boundByThumbprint(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r, code := a.pushedCode(t, s.ada, "dpop_jkt", thumbprint(t, a.dpop.Public()))
	a.redeem(t, r, code).granted(t)

	r, code = a.pushedCode(t, s.ada, "dpop_jkt", thumbprint(t, a.dpop.Public()))
	a.withKey(t).redeem(t, r, code).refusedForItsKey(t)
}

// refusedForItsKey: RFC 9449 does not say which of the two it is (§10).
func (got *tokens) refusedForItsKey(t *testing.T) {
	t.Helper()
	if got.Error == "invalid_grant" {
		got.refused(t, http.StatusBadRequest, "invalid_grant")
		return
	}
	got.refused(t, http.StatusBadRequest, "invalid_dpop_proof")
}

func boundByProof(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	for _, by := range []*app{a, a.withKey(t)} {
		r := a.request()
		a.refer(r, readPushed(t, a.postProving(t, a.parEndpoint(), r.params)).accepted(t))
		got := by.redeem(t, r, s.browser(t).authorize(t, r, allowing(s.ada)).code(t))
		if by == a {
			got.granted(t)
			continue
		}
		got.refusedForItsKey(t)
	}
}

func boundTwice(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	form := a.request("dpop_jkt", thumbprint(t, newKey(t).Public())).params
	got := readPushed(t, a.postProving(t, a.parEndpoint(), form))
	got.refused(t, http.StatusBadRequest, "invalid_dpop_proof", "invalid_request")
}

func foreignNonce(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, got := a.pushedFlow(t, s.ada)
	prove := func(nonce string) shown {
		return a.postWith(t, a.tokenEndpoint(), refreshing(got), []string{a.proof(t, http.MethodPost, a.tokenEndpoint(), claim("nonce", nonce))})
	}
	answered := prove(rand.Text())
	a.readTokens(t, answered).refused(t, http.StatusBadRequest, "use_dpop_nonce")
	nonce, wanted := wantsNonce(answered)
	if !wanted {
		t.Fatalf("no nonce is offered: %v", answered.Header)
	}
	a.readTokens(t, prove(nonce)).granted(t)

	const address = clinical + "/v1/biomarkers/me"
	proof := a.proof(t, http.MethodGet, address, forToken(got.Access), claim("nonce", rand.Text()))
	answered = a.present(t, http.MethodGet, address, "DPoP "+got.Access, proof, nil)
	challenged(t, answered)
	if nonce, wanted = wantsNonce(answered); !wanted {
		t.Fatalf("no nonce is offered: %v", answered.Header)
	}
	proof = a.proof(t, http.MethodGet, address, forToken(got.Access), claim("nonce", nonce))
	if answered = a.present(t, http.MethodGet, address, "DPoP "+got.Access, proof, nil); answered.StatusCode != http.StatusOK {
		t.Errorf("status %d with the server's own nonce: %s", answered.StatusCode, answered.body)
	}
}
