package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/pagetest"
)

// authorizationResponses is what the app gets back. That iss is in each, and
// nothing that was not sent, whoever reads one sees to.
var authorizationResponses = []module{
	{"state and nonce are optional and never invented", noStateNoNonce},
	{"a nonce of 64 characters works", longNonce(64)},
	{"a nonce of 384 characters works or is refused cleanly", longNonce(384)},
	{"cancel is access_denied with state", cancelled},
}

func noStateNoNonce(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r := a.push(t, a.request("state", "", "nonce", ""))
	j := s.browser(t).authorize(t, r, allowing(s.ada))
	if values := j.response(t); values.Has("state") {
		t.Errorf("no state was sent, and the answer has %v", values["state"])
	}
	if id := a.idToken(t, a.redeem(t, r, j.code(t)).granted(t)); id["nonce"] != nil {
		t.Errorf("no nonce was sent, and the ID token has %v", id["nonce"])
	}
}

func longNonce(length int) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newFAPIApp(t)
		nonce := strings.Repeat("n", length)
		r := a.request("nonce", nonce)
		got := a.pushForm(t, r.params)
		if length > 64 && got.status != http.StatusCreated {
			got.refused(t, http.StatusBadRequest, "invalid_request")
			return
		}
		id := a.idToken(t, a.flow(t, s.browser(t), a.refer(r, got.accepted(t)), s.ada))
		if id.text("nonce") != nonce {
			t.Errorf("the nonce is %v", id["nonce"])
		}
	}
}

func cancelled(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	s.browser(t).authorize(t, a.push(t, a.request()), person{s.ada, "deny"}).refused(t, "access_denied")
}

// codes is what a code is worth (FAPI 2.0 Security Profile §5.3.2.2).
var codes = []module{
	{"lives for 60 seconds at most", codeExpired},
	{"works once, and re-use revokes", codeTwice},
	{"is bound to its client", codeOfAnother},
	{"a missing verifier is refused", badVerifier("", "invalid_grant")},
	{"a wrong verifier is refused", badVerifier(pagetest.Verifier(), "invalid_grant")},
	{"the challenge method plain is refused", pushRefused("code_challenge_method", "plain", "invalid_request")},
	{"a missing challenge is refused", pushRefused("code_challenge", "", "invalid_request")},
}

// pushedCode takes a member through a pushed request as far as its code.
func (a *app) pushedCode(t *testing.T, who *member, pairs ...string) (*request, string) {
	t.Helper()
	r := a.push(t, a.request(pairs...))
	return r, a.browser(t).authorize(t, r, allowing(who)).code(t)
}

func codeExpired(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r, code := a.pushedCode(t, s.ada)
	waitUntil(t, time.Now().Add(61*time.Second))
	a.redeem(t, r, code).refused(t, http.StatusBadRequest, "invalid_grant")
}

func codeTwice(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	r, code := a.pushedCode(t, s.ada)
	first := a.redeem(t, r, code).granted(t)
	a.redeem(t, r, code).refused(t, http.StatusBadRequest, "invalid_grant")
	a.dead(t, first)
	a.refresh(t, first.Refresh).refused(t, http.StatusBadRequest, "invalid_grant")
}

func codeOfAnother(t *testing.T, s *suite) {
	a, other := s.newFAPIApp(t), s.newFAPIApp(t)
	r, code := a.pushedCode(t, s.ada)
	other.redeem(t, r, code).refused(t, http.StatusBadRequest, "invalid_grant")
	a.redeem(t, r, code).granted(t)
}

func badVerifier(verifier, refusal string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newFAPIApp(t)
		r, code := a.pushedCode(t, s.ada)
		a.redeem(t, r, code, "code_verifier", verifier).refused(t, http.StatusBadRequest, refusal)
	}
}
