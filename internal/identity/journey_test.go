package identity_test

import (
	"net/http"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestJourney_SignInConsentCodeTokensResultsRefresh(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	browser := p.NewBrowser(t)

	request := app.Request()
	answer := browser.Allow(request, ada)
	query := answer.Query()
	if query.Get("state") != request.Get("state") || query.Get("iss") != platformtest.Identity {
		t.Fatalf("the answer does not carry state and iss: %s", answer)
	}
	first := app.Redeem(query.Get("code")).Pair(t)
	if first.Scope != "openid profile read:biomarkers" {
		t.Errorf("scope is %q", first.Scope)
	}
	if r := p.Biomarkers(t, first.Access); r.StatusCode != http.StatusOK {
		t.Fatalf("reading: %d %s", r.StatusCode, r.Text)
	}
	second := app.Refresh(first.Refresh).Pair(t)
	if second.Refresh == first.Refresh || second.Access == first.Access {
		t.Error("a refresh gave the same tokens")
	}
	if r := p.Biomarkers(t, first.Access); r.StatusCode != http.StatusOK {
		t.Errorf("the access token from before a refresh: %d", r.StatusCode)
	}
	// RFC 9700 §4.14.2: the old refresh token again ends everything, at once.
	reuse := app.Refresh(first.Refresh)
	if reuse.StatusCode != http.StatusBadRequest || reuse.JSON(t)["error"] != "invalid_grant" {
		t.Fatalf("re-use: %d %s", reuse.StatusCode, reuse.Text)
	}
	for name, token := range map[string]string{"first": first.Access, "second": second.Access} {
		if r := p.Biomarkers(t, token); r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" {
			t.Errorf("the %s access token after re-use: %d %s", name, r.StatusCode, r.Text)
		}
	}
	if r := app.Refresh(second.Refresh); r.JSON(t)["error"] != "invalid_grant" {
		t.Errorf("the successor after re-use: %s", r.Text)
	}
}
