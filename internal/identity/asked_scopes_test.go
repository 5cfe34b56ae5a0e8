package identity_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// refreshFor refreshes with the scopes named.
func refreshFor(app *platformtest.App, refreshToken, scope string) *platformtest.Response {
	return app.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}, "scope": {scope}})
}

// leavingOut signs in, asks for the scopes, leaves some out, and gives the tokens.
func leavingOut(t *testing.T, p *platformtest.Platform, app *platformtest.App, asked string, kept ...string) platformtest.Tokens {
	t.Helper()
	b := p.SignUp(t, "M"+rand.Text())
	page := b.Follow(b.Authorize(with(app.Request(), "scope", asked)))
	return app.Redeem(b.Decide(page, "allow", kept...).Redirected(t).Query().Get("code")).Pair(t)
}

func TestRefresh_RFC6749_3_3_AScopeThatTheMemberLeftOutIsAskedForInVainAndRefusesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	tokens := leavingOut(t, p, app, "openid profile read:biomarkers", "profile")
	for _, c := range []struct{ asked, granted string }{
		{"openid profile read:biomarkers", "openid profile"},
		{"openid read:biomarkers", "openid"},
		{"profile", "profile"},
		{"openid profile", "openid profile"},
	} {
		tokens = refreshFor(app, tokens.Refresh, c.asked).Pair(t)
		if tokens.Scope != c.granted {
			t.Errorf("asked for %q, the answer says %q, want %q", c.asked, tokens.Scope, c.granted)
		}
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode == http.StatusOK {
			t.Errorf("asked for %q, the token reads what the member left out", c.asked)
		}
	}
	t.Run("a scope that was never asked for", func(t *testing.T) {
		r := refreshFor(app, tokens.Refresh, "openid email")
		refused(t, r, http.StatusBadRequest, "invalid_scope")
		if text := r.JSON(t)["error_description"].(string); !strings.Contains(text, "email") {
			t.Errorf("it does not name the scope: %s", text)
		}
	})
	t.Run("nothing but what the member left out", func(t *testing.T) {
		r := refreshFor(app, tokens.Refresh, "read:biomarkers")
		refused(t, r, http.StatusBadRequest, "invalid_scope")
		if text := r.JSON(t)["error_description"].(string); strings.Contains(text, "Send the member through authorization again") {
			t.Errorf("authorization changes nothing: consent is remembered as it is: %s", text)
		}
	})
	t.Run("after all that the refresh token works", func(t *testing.T) {
		if again := app.Refresh(tokens.Refresh).Pair(t); again.Scope != "openid profile" {
			t.Errorf("the scope is %q", again.Scope)
		}
	})
}

func TestRefresh_RFC6749_5_1_AScopeThatWasLostSinceRefusesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	b, ada := p.NewBrowser(t), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	page := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
	b.Decide(page, "allow", "profile").Redirected(t)
	if tokens = refreshFor(app, tokens.Refresh, "openid profile read:biomarkers").Pair(t); tokens.Scope != "openid profile" {
		t.Errorf("the member took a scope back: the answer says %q", tokens.Scope)
	}
	if _, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID) }); err != nil {
		t.Fatal(err)
	}
	if tokens = refreshFor(app, tokens.Refresh, "openid profile read:biomarkers").Pair(t); tokens.Scope != "openid" {
		t.Errorf("the app lost a scope: the answer says %q", tokens.Scope)
	}
}

func TestRefresh_AChainFromBeforeTheAskedScopesWereKeptIsAnsweredToo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	tokens := leavingOut(t, p, app, "openid profile read:biomarkers", "profile")
	forget(t, p)
	if tokens = refreshFor(app, tokens.Refresh, "openid profile read:biomarkers").Pair(t); tokens.Scope != "openid profile" {
		t.Errorf("the answer says %q", tokens.Scope)
	}
	refused(t, refreshFor(app, tokens.Refresh, "openid email"), http.StatusBadRequest, "invalid_scope")
	if again := app.Refresh(tokens.Refresh).Pair(t); again.Scope != "openid profile" {
		t.Errorf("without a scope the answer says %q", again.Scope)
	}
}

// forget makes every chain one of before the migration that keeps what was asked.
func forget(t *testing.T, p *platformtest.Platform) {
	t.Helper()
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Database(t, "identity").ExecContext(t.Context(), `UPDATE chains SET asked = ''`); err != nil {
		t.Fatal(err)
	}
	p.Open(t)
}

func TestToken_SMART_OfflineAccessIsEchoedWhereItWasAskedFor(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	tokens := leavingOut(t, p, app, "openid offline_access profile", "profile")
	if tokens.Scope != "openid profile offline_access" {
		t.Errorf("the code gives %q", tokens.Scope)
	}
	for _, c := range []struct{ asked, granted string }{
		{"", "openid profile offline_access"},
		{"openid offline_access", "openid offline_access"},
		{"openid profile", "openid profile"},
		{"", "openid profile offline_access"},
	} {
		if tokens = refreshFor(app, tokens.Refresh, c.asked).Pair(t); tokens.Scope != c.granted {
			t.Errorf("a refresh for %q gives %q, want %q", c.asked, tokens.Scope, c.granted)
		}
	}
	t.Run("alone it asks for nothing", func(t *testing.T) {
		refused(t, refreshFor(app, tokens.Refresh, "offline_access"), http.StatusBadRequest, "invalid_scope")
	})
	t.Run("where it was not asked for, it is not there", func(t *testing.T) {
		plain := leavingOut(t, p, app, "openid profile", "profile")
		if again := refreshFor(app, plain.Refresh, "openid offline_access").Pair(t); slices.Contains(strings.Fields(plain.Scope+" "+again.Scope), "offline_access") {
			t.Errorf("the answers say %q and %q", plain.Scope, again.Scope)
		}
	})
	t.Run("an app without refresh tokens gets none, and the answer says so", func(t *testing.T) {
		without := p.AddApp(t, func(c *loop.Client) { c.Protocol.GrantTypes = []loop.GrantType{loop.GrantAuthorizationCode} })
		if got := leavingOut(t, p, without, "openid offline_access"); got.Scope != "openid" || got.Refresh != "" {
			t.Errorf("got %q and %q", got.Scope, got.Refresh)
		}
	})
}
