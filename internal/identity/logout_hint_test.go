package identity_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// An ID token lives for minutes, and a member signs out hours later.
func TestConformance_Logout_AnExpiredIDTokenIsAValidHint(t *testing.T) {
	t.Parallel()
	const signedOut = "https://app.example.com/signed-out"
	p := platformtest.New(t)
	ada, browser := p.AddMember(t, "Ada"), p.NewBrowser(t)
	app := registered(t, p, "--post-logout-redirect-uri", signedOut)

	answer := browser.Allow(url.Values{
		"response_type": {"code"}, "client_id": {app.ID}, "redirect_uri": {platformtest.Callback}, "scope": {"openid"},
		"state": {"state"}, "code_challenge": {platformtest.Challenge(platformtest.Verifier)}, "code_challenge_method": {"S256"},
	}, ada)
	tokens := p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")}, "redirect_uri": {platformtest.Callback},
		"code_verifier": {platformtest.Verifier}, "client_id": {app.ID}, "client_secret": {app.Secret},
	}, nil).Pair(t)

	p.World.Advance(time.Hour)
	logout := url.Values{"id_token_hint": {tokens.ID}, "post_logout_redirect_uri": {signedOut}, "state": {"left"}}
	page := browser.Follow(browser.Get(platformtest.Identity + "/v1/oauth/logout?" + logout.Encode()))
	if page.StatusCode == http.StatusOK && strings.Contains(page.Text, `id="sign-out"`) {
		logout.Set("csrf", page.Field("csrf"))
		page = browser.Follow(browser.Post(platformtest.Identity+"/v1/oauth/logout", logout))
	}
	if to := page.Redirected(t).String(); to != signedOut+"?state=left" {
		t.Errorf("signing out leads to %s", to)
	}
}

// registeredApp is what an operator learns of a client as it is made.
type registeredApp struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// registered registers an app with the command line, verified and in production.
func registered(t *testing.T, p *platformtest.Platform, flags ...string) registeredApp {
	t.Helper()
	var out, faults bytes.Buffer
	args := append([]string{
		"client", "create", "--json", "--name", "Morning Labs", "--redirect-uri", platformtest.Callback, "--scope", "openid",
		"--mode", "production", "--verified",
	}, flags...)
	if status := p.Commands(nil)(t.Context(), args, strings.NewReader(""), &out, &faults); status != 0 {
		t.Fatalf("status %d: %s", status, &faults)
	}
	var app registeredApp
	if err := json.Unmarshal(out.Bytes(), &app); err != nil {
		t.Fatal(err)
	}
	return app
}
