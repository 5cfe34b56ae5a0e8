package test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/pagetest"
)

func TestTheQuickstartsOwnAppRunsUnmodifiedUnderTheRealNames(t *testing.T) {
	needChromium(t)
	p := startPlatform(t, "--domain", domain)
	app := p.startSeedApp(t)
	b := p.browser(t)

	b.open(t, appAddress+"/login")
	b.seesVerifier(t)
	b.signIn(t, "LOOP_MEMBER")
	if status := b.press(t, "allow"); status != http.StatusOK {
		t.Fatalf("after consent the app answers %d:\n%s", status, b.text())
	}
	got := b.shown(t)
	if got.Message != "Connected to Loop!" {
		t.Errorf("the app says %q", got.Message)
	}
	if got.Scopes != "openid profile read:biomarkers" {
		t.Errorf("the app was granted %q", got.Scopes)
	}

	v := p.visitor(t)
	proof := pagetest.Verifier()
	first := v.redeem(t, v.code(t, proof), proof)
	if first.status != http.StatusOK || first.Type != "Bearer" || first.Refresh == "" || first.ID == "" {
		t.Fatalf("an exchange as the same app is answered with %d %s %s", first.status, first.Error, first.Description)
	}
	results := parseBiomarkers(got.Biomarkers)
	if len(results) < 20 {
		t.Errorf("the app shows %d lab results, want 20 at least", len(results))
	}
	for _, result := range results {
		if result.Patient != subject(t, first.ID) {
			t.Fatalf("the app shows a result of %s, but %s signed in", result.Patient, subject(t, first.ID))
		}
	}

	t.Run("a refresh gives a new pair and leaves the old access token good", func(t *testing.T) {
		second := app.refresh(t, first.Refresh)
		if second.Access == "" || second.Access == first.Access || second.Refresh == "" || second.Refresh == first.Refresh {
			t.Fatalf("the refresh gives no new pair, but %s %s", second.Error, second.Description)
		}
		for name, token := range map[string]string{"old": first.Access, "new": second.Access} {
			if status, _ := v.biomarkers(t, token); status != http.StatusOK {
				t.Errorf("the %s access token is answered with %d", name, status)
			}
		}

		again := app.refresh(t, first.Refresh)
		if again.Error != "invalid_grant" {
			t.Errorf("the old refresh token, used again, gives %q, want invalid_grant", again.Error)
		}
		for name, token := range map[string]string{"old": first.Access, "new": second.Access} {
			if status, _ := v.biomarkers(t, token); status != http.StatusUnauthorized {
				t.Errorf("the %s access token is answered with %d in the very next request, want 401", name, status)
			}
		}
	})

	t.Run("the member is asked again after the theft", func(t *testing.T) {
		b.open(t, appAddress+"/login")
		b.seesVerifier(t)
		if !b.has(t, "#allow") {
			t.Fatalf("there is no consent page, but:\n%s", b.text())
		}
	})

	p.verifyAudit(t)
}

// refresh calls the quickstart's refresh_tokens and gives its answer, also where
// it raises. Without the seed's files the same request is made by hand.
func (a *flaskApp) refresh(t *testing.T, token string) tokens {
	t.Helper()
	if seedFolder(t) == "" {
		return a.platform.visitor(t).refresh(t, token)
	}
	out := a.run(t, `
import json, sys, requests
from refresh import refresh_tokens
try:
    print(json.dumps(refresh_tokens(sys.argv[1])))
except requests.HTTPError as error:
    print(error.response.text)
`, token)
	a.platform.secrets.sawJSON(out)
	var got tokens
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("refresh.py printed %s (%v)", out, err)
	}
	return got
}

// subject is the `sub` of an ID token.
func subject(t *testing.T, idToken string) string {
	t.Helper()
	_, rest, _ := strings.Cut(idToken, ".")
	payload, _, _ := strings.Cut(rest, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil || claims.Subject == "" {
		t.Fatalf("the ID token has no subject (%v)", err)
	}
	return claims.Subject
}
