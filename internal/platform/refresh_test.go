package platform_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// refreshFor refreshes with the scopes named.
func refreshFor(app *platformtest.App, refreshToken, scope string) *platformtest.Response {
	return app.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}, "scope": {scope}})
}

func TestSec052_AUsedRefreshTokenIsAReuseWhateverScopeIsAskedFor(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	for name, scope := range map[string]string{
		"Ada": "openid profile email read:biomarkers", // more than the authorization gave
		"Ben": "email",                                // nothing of what it gave
	} {
		first := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, name))).Pair(t)
		second := app.Refresh(first.Refresh).Pair(t)
		if r := refreshFor(app, first.Refresh, scope); r.JSON(t)["error"] != "invalid_grant" {
			t.Errorf("a used token for %s: %s", scope, r.Text)
		}
		if r := p.UserInfo(t, second.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a used token for %s: the consent stands: %d", scope, r.StatusCode)
		}
	}
}

func TestSec053_ARetryIsARetryThoughTheAppHasLostAScopeMeanwhile(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.RefreshGrace = 30 * time.Second })
	first := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	second := app.Refresh(first.Refresh).Pair(t)
	if err := p.Run(t, "client", "update", string(app.ID), "--scope", "openid"); err != nil {
		t.Fatal(err)
	}
	if retry := app.Refresh(first.Refresh).Pair(t); retry.Refresh != second.Refresh || retry.Scope != "openid" {
		t.Errorf("a retry got another refresh token: %v, and the scope %q", retry.Refresh != second.Refresh, retry.Scope)
	}
	if r := refreshFor(app, first.Refresh, "openid"); r.JSON(t)["error"] != "invalid_grant" {
		t.Errorf("a used token for another scope: %s", r.Text)
	}
}

func TestIntrospection_KnowsARefreshTokenThatWorks(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddKeyApp(t, func(c *loop.Client) { c.Protocol.Profile, c.Protocol.DPoPBound = loop.ProfileFAPI2, true })
	send := func(path string, form url.Values) *platformtest.Response {
		return app.Send(path, form, p.WithProof(app.Key, http.MethodPost, platformtest.Identity+path, ""))
	}
	pushed, _ := send("/v1/oauth/par", app.Request()).JSON(t)["request_uri"].(string)
	answer := p.NewBrowser(t).Allow(url.Values{"client_id": {string(app.ID)}, "request_uri": {pushed}, "scope": {"openid"}}, p.AddMember(t, "Ada"))
	first := send("/v1/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Query().Get("code")},
		"redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
	}).Pair(t).Refresh

	if err := p.Run(t, "keys", "rotate", "refresh"); err != nil {
		t.Fatal(err)
	}
	p.World.Advance(5 * time.Minute)
	refresh := func() string {
		return send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first}}).Pair(t).Refresh
	}
	if refresh() == first {
		t.Fatal("the key is new, and the refresh token is not")
	}
	refresh() // FAPI 2.0 Security Profile §5.3.2.1: it works still
	if r := send("/v1/oauth/introspect", url.Values{"token": {first}}); r.JSON(t)["active"] != true {
		t.Errorf("RFC 7662 §2.2: it works, and is not active: %s", r.Text)
	}
}
