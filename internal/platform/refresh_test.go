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
