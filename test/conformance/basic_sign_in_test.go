package conformance

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"
	"time"
)

// signedIn opens a browser in which a member has signed in and allowed the app.
func (a *app) signedIn(t *testing.T, who *member) (*browser, claims, *tokens) {
	t.Helper()
	b := a.browser(t)
	got := a.flow(t, b, a.request(), who)
	return b, a.idToken(t, got), got
}

// silent takes a request that nobody is to be asked about through to its ID token.
func (a *app) silent(t *testing.T, b *browser, r *request) claims {
	t.Helper()
	return a.idToken(t, a.redeem(t, r, b.silently(t, r).code(t)).granted(t))
}

func promptLogin(t *testing.T, s *suite) {
	a := s.newApp(t)
	b, first, _ := a.signedIn(t, s.ada)

	waitUntil(t, first.moment("auth_time").Add(time.Second))
	r := a.request("prompt", "login")
	again := b.authorize(t, r, allowing(s.ada))
	if !again.asked("sign-in") || again.asked("allow") {
		t.Errorf("signed in, and consent remembered: prompt=login led to %v", again.pressed)
	}
	second := a.idToken(t, a.redeem(t, r, again.code(t)).granted(t))
	if second.text("sub") != s.ada.ID || !second.moment("auth_time").After(first.moment("auth_time")) {
		t.Errorf("sub %v, auth_time %v after %v", second["sub"], second["auth_time"], first["auth_time"])
	}

	r = a.request("prompt", "login")
	other := b.authorize(t, r, allowing(s.bert))
	if !other.asked("sign-in") || !other.asked("allow") {
		t.Errorf("somebody else signed in, who has not allowed the app: %v", other.pressed)
	}
	if third := a.idToken(t, a.redeem(t, r, other.code(t)).granted(t)); third.text("sub") != s.bert.ID {
		t.Errorf("%s signed in, and the ID token is about %v", s.bert.ID, third["sub"])
	}
}

func promptNoneNotLoggedIn(t *testing.T, s *suite) {
	state := strings.Repeat(rand.Text(), 5)[:128]
	r := s.newApp(t).request("prompt", "none", "state", state)
	s.browser(t).silently(t, r).refused(t, "login_required")
}

func promptNoneLoggedIn(t *testing.T, s *suite) {
	a := s.newApp(t)
	b, first, _ := a.signedIn(t, s.ada)
	sameSignIn(t, first, a.silent(t, b, a.request("prompt", "none")))
}

func idTokenHint(t *testing.T, s *suite) {
	a := s.newApp(t)
	b, first, tokens := a.signedIn(t, s.ada)
	sameSignIn(t, first, a.silent(t, b, a.request("prompt", "none", "id_token_hint", tokens.ID)))

	_, _, others := a.signedIn(t, s.bert)
	b.silently(t, a.request("prompt", "none", "id_token_hint", others.ID)).refused(t, "login_required")
}

func maxAge1(t *testing.T, s *suite) {
	a := s.newApp(t)
	b, first, _ := a.signedIn(t, s.ada)

	waitUntil(t, time.Now().Add(2*time.Second))
	r := a.request("max_age", "1")
	again := b.authorize(t, r, allowing(s.ada))
	if !again.asked("sign-in") {
		t.Errorf("two seconds after the sign-in, max_age=1 led to %v", again.pressed)
	}
	second := a.idToken(t, a.redeem(t, r, again.code(t)).granted(t))
	authTime := second.moment("auth_time")
	if !authTime.After(first.moment("auth_time")) || time.Since(authTime) > 30*time.Second {
		t.Errorf("auth_time is %v after %v", authTime, first.moment("auth_time"))
	}
}

func maxAge10000(t *testing.T, s *suite) {
	a := s.newApp(t)
	b, first, _ := a.signedIn(t, s.ada)
	sameSignIn(t, first, a.silent(t, b, a.request("max_age", "10000")))
}

// sameSignIn holds two ID tokens to be about one sign-in of one member.
func sameSignIn(t *testing.T, first, second claims) {
	t.Helper()
	for _, name := range []string{"sub", "auth_time"} {
		if first[name] == nil || first[name] != second[name] {
			t.Errorf("%s was %v and is %v", name, first[name], second[name])
		}
	}
}

func acrValues(t *testing.T, s *suite) {
	supported := s.metadata(t).texts("acr_values_supported")
	a := s.newApp(t)
	for _, values := range []string{strings.Join(supported, " "), "1 2"} {
		id := a.idToken(t, a.flow(t, s.browser(t), a.request("acr_values", values), s.ada))
		if !slices.Contains(supported, id.text("acr")) {
			t.Errorf("asked for %q, the acr is %v: want one of %v", values, id["acr"], supported)
		}
	}
}
