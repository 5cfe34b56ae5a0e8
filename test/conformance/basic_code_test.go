package conformance

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/pagetest"
)

// flow takes a member through an authorization request and redeems the code.
func (a *app) flow(t *testing.T, b *browser, r *request, who *member) *tokens {
	t.Helper()
	return a.redeem(t, r, b.authorize(t, r, allowing(who)).code(t)).granted(t)
}

func happyFlow(t *testing.T, s *suite) {
	a := s.newApp(t)
	r := a.request()
	code := s.browser(t).authorize(t, r, allowing(s.ada)).code(t)
	if bits := entropy(code); bits < 128 {
		t.Errorf("the code %q has %.0f bits", code, bits)
	}
	got := a.redeem(t, r, code).granted(t)
	id := a.idToken(t, got)
	if id.text("nonce") != r.params.Get("nonce") {
		t.Errorf("the nonce is %q, want %q", id["nonce"], r.params.Get("nonce"))
	}
	id.tellsOnlyOfTheSignIn(t)
	if sub := userClaims(t, a.userInfo(t, http.MethodGet, got)).text("sub"); sub != id.text("sub") || sub != s.ada.ID {
		t.Errorf("userinfo is about %q, the ID token about %q, and %q signed in", sub, id["sub"], s.ada.ID)
	}
}

// entropy estimates the bits of a random text by how often its characters occur.
func entropy(text string) float64 {
	var perCharacter float64
	for _, r := range text {
		share := float64(strings.Count(text, string(r))) / float64(len(text))
		perCharacter -= math.Log2(share) / float64(len(text))
	}
	return perCharacter * float64(len(text))
}

func idTokenSignature(t *testing.T, s *suite) {
	a := s.newApp(t)
	got := a.flow(t, s.browser(t), a.request(), s.ada)
	if header, _ := a.jwt(t, got.ID); header.Algorithm != string(jose.ES256) {
		t.Errorf("the ID token of a client that registered no algorithm is signed with %s, want ES256", header.Algorithm)
	}
}

func withoutNonce(t *testing.T, s *suite) {
	a := s.newApp(t)
	id := a.idToken(t, a.flow(t, s.browser(t), a.request("nonce", ""), s.ada))
	if nonce, has := id["nonce"]; has {
		t.Errorf("no nonce was sent, and the ID token has %v", nonce)
	}
}

// codeReuse uses a code twice, the second time after a while.
func codeReuse(later time.Duration) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		a := s.newApp(t)
		r := a.request()
		code := s.browser(t).authorize(t, r, allowing(s.ada)).code(t)
		first := a.redeem(t, r, code).granted(t)
		userClaims(t, a.userInfo(t, http.MethodGet, first))
		waitUntil(t, time.Now().Add(later))
		a.redeem(t, r, code).refused(t, http.StatusBadRequest, "invalid_grant")
		a.dead(t, first)
	}
}

// waitUntil lets real time pass: the server's clock is the machine's.
func waitUntil(t *testing.T, moment time.Time) {
	t.Helper()
	select {
	case <-time.After(time.Until(moment)):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

func secretByPost(t *testing.T, s *suite) {
	a := s.newApp(t)
	a.authenticate = clientSecretPost
	got := a.flow(t, s.browser(t), a.request(), s.ada)
	userClaims(t, a.userInfo(t, http.MethodGet, got))
}

func validPKCE(t *testing.T, s *suite) {
	a := s.newApp(t)
	r := a.request()
	code := s.browser(t).authorize(t, r, allowing(s.ada)).code(t)
	a.redeem(t, r, code, "code_verifier", pagetest.Verifier()).refused(t, http.StatusBadRequest, "invalid_grant")
	a.redeem(t, r, code).granted(t)
}

func refreshToken(t *testing.T, s *suite) {
	a, other := s.newApp(t), s.newApp(t)
	first := a.flow(t, s.browser(t), a.request("scope", "openid profile"), s.ada)
	before := a.idToken(t, first)
	other.refresh(t, first.Refresh).refused(t, http.StatusBadRequest, "invalid_grant")

	waitUntil(t, before.moment("iat").Add(time.Second))
	second := a.refresh(t, first.Refresh, "scope", "openid").granted(t)
	if second.Scope != "openid" {
		t.Errorf("a refresh for openid gave %q", second.Scope)
	}
	after := a.idToken(t, second)
	for _, name := range []string{"iss", "sub", "auth_time"} {
		if before[name] != after[name] {
			t.Errorf("%s was %v and is %v", name, before[name], after[name])
		}
	}
	if !after.moment("iat").After(before.moment("iat")) {
		t.Errorf("iat was %v and is %v", before["iat"], after["iat"])
	}
	userClaims(t, a.userInfo(t, http.MethodGet, second))
	a.refresh(t, second.Refresh).granted(t)
}
