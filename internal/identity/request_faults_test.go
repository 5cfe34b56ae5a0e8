package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestAuthorize_AllFaultsOfARequestAreToldAtOnce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	bad := []string{"response_type", "token", "scope", "openid read:everything", "code_challenge", "", "code_challenge_method", "plain", "prompt", "none login", "max_age", "-1", "resource", "https://elsewhere.example"}
	says := []string{"response_type must be code", "The scope read:everything does not exist", "code_challenge is missing", "code_challenge_method must be S256", "prompt none cannot", "max_age must be", "no tokens for the resource"}
	t.Run("by redirect, with the code of the first", func(t *testing.T) {
		t.Parallel()
		got := p.NewBrowser(t).Authorize(with(app.Request(), bad...)).Redirected(t).Query()
		if got.Get("error") != "unsupported_response_type" || !strings.HasPrefix(got.Get("error_description"), "This request has 7 faults. (1) ") {
			t.Errorf("got %v", got)
		}
		for _, text := range says {
			if strings.Count(got.Get("error_description"), text) != 1 {
				t.Errorf("%q is not said once: %s", text, got.Get("error_description"))
			}
		}
	})
	for name, c := range map[string]struct {
		params url.Values
		first  string
	}{
		"on the page of an unknown redirect URI": {with(with(app.Request(), bad...), "redirect_uri", "https://evil.example/cb"), "redirect URI is not registered"},
		"on the page of an unknown client":       {with(with(app.Request(), bad...), "client_id", "client_x"), "No app has this client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := p.NewBrowser(t).Authorize(c.params)
			if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
				t.Fatalf("%d, location %q: want a page that leads nowhere", r.StatusCode, r.Header.Get("Location"))
			}
			for _, text := range append(says, c.first) {
				if !strings.Contains(r.Text, text) {
					t.Errorf("the page does not say %q", text)
				}
			}
		})
	}
	t.Run("a pushed request", func(t *testing.T) {
		t.Parallel()
		text := app.Send("/v1/oauth/par", with(app.Request(), bad...), nil).JSON(t)["error_description"].(string)
		for _, said := range says {
			if !strings.Contains(text, said) {
				t.Errorf("it does not say %q: %s", said, text)
			}
		}
	})
	t.Run("every parameter that came twice", func(t *testing.T) {
		t.Parallel()
		params := app.Request()
		for _, name := range []string{"nonce", "prompt", "x!"} {
			params[name] = []string{"login", "login"}
		}
		got := p.NewBrowser(t).Authorize(params).Redirected(t).Query()
		if got.Get("error") != "invalid_request" || !strings.Contains(got.Get("error_description"), "Sent more than once: nonce, prompt.") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("one fault is one sentence without a number", func(t *testing.T) {
		t.Parallel()
		got := p.NewBrowser(t).Authorize(with(app.Request(), "code_challenge", "", "code_challenge_method", "")).Redirected(t).Query()
		if !strings.HasPrefix(got.Get("error_description"), "The code_challenge is missing. Every request needs PKCE") {
			t.Errorf("got %v", got)
		}
	})
}

func TestAuthorize_RFC9700_2_1_StateIsOptionalWithAChallenge(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	demanding := p.AddApp(t, func(c *loop.Client) { c.Protocol.RequireState = true })
	answer := p.NewBrowser(t).Allow(with(app.Request(), "state", ""), ada).Query()
	if !answer.Has("code") || answer.Has("state") || answer.Get("iss") != platformtest.Identity {
		t.Errorf("without a state: got %v", answer)
	}
	app.Redeem(answer.Get("code")).Pair(t)
	if got := p.NewBrowser(t).Authorize(with(app.Request(), "state", "", "prompt", "none")).Redirected(t).Query(); got.Get("error") != "login_required" || got.Has("state") {
		t.Errorf("an error without a state: got %v", got)
	}
	if got := p.NewBrowser(t).Authorize(with(app.Request(), "state", "", "code_challenge", "")).Redirected(t).Query(); got.Get("error") != "invalid_request" {
		t.Errorf("with neither state nor challenge: got %v", got)
	}
	t.Run("an app can demand it of itself", func(t *testing.T) {
		t.Parallel()
		got := p.NewBrowser(t).Authorize(with(demanding.Request(), "state", "")).Redirected(t).Query()
		if got.Get("error") != "invalid_request" || !strings.Contains(got.Get("error_description"), "state is missing") {
			t.Errorf("got %v", got)
		}
		refused(t, demanding.Send("/v1/oauth/par", with(demanding.Request(), "state", ""), nil), http.StatusBadRequest, "invalid_request")
		if got := p.NewBrowser(t).Allow(demanding.Request(), p.AddMember(t, "Ben")).Query(); !got.Has("code") || !got.Has("state") {
			t.Errorf("with a state: got %v", got)
		}
	})
	t.Run("and an operator sets that", func(t *testing.T) {
		t.Parallel()
		if err := p.Run(t, "client", "update", string(app.ID), "--require-state"); err != nil {
			t.Fatal(err)
		}
		out, err := p.RunWith(t, "", "client", "show", string(app.ID), "--json")
		if err != nil || !strings.Contains(out, `"require_state": true`) {
			t.Errorf("%v: %s", err, out)
		}
	})
}

func TestAuthorize_OIDCCore_5_5_1_AClaimThatTheAppMayNotAskForIsLeftOut(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile) })
	for name, asked := range map[string]string{
		"voluntary":       `{"userinfo":{"email":null,"name":null}}`,
		"essential":       `{"userinfo":{"email":{"essential":true},"name":null}}`,
		"in the ID token": `{"id_token":{"email":{"essential":true}},"userinfo":{"name":null}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ada := p.AddMember(t, "Ada"+strings.ReplaceAll(name, " ", ""))
			b := p.NewBrowser(t)
			page := b.SignIn(b.Follow(b.Authorize(with(app.Request(), "scope", "openid", "claims", asked))), ada)
			page = b.Follow(page)
			if strings.Contains(page.Text, string(ada.Email)) {
				t.Error("the consent page asks for the e-mail address")
			}
			tokens := app.Redeem(b.Decide(page, "allow", "profile").Redirected(t).Query().Get("code")).Pair(t)
			if tokens.Scope != "openid profile" || strings.Contains(p.UserInfo(t, tokens.Access).Text, "email") {
				t.Errorf("the scope is %q, userinfo %s", tokens.Scope, p.UserInfo(t, tokens.Access).Text)
			}
			if _, has := claims(t, tokens.ID)["email"]; has {
				t.Error("the ID token has the address")
			}
		})
	}
}

func TestAuthorize_RFC9101_10_5_AnAppThatSignsItsRequestsMakesNoOthers(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddKeyApp(t, func(c *loop.Client) { c.Protocol.RequireSignedRequestObject = true })
	ada := p.AddMember(t, "Ada")
	t.Run("unsigned", func(t *testing.T) {
		got := p.NewBrowser(t).Authorize(app.Request()).Redirected(t).Query()
		if got.Get("error") != "invalid_request" || !strings.Contains(got.Get("error_description"), "request object") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("pushed unsigned", func(t *testing.T) {
		refused(t, app.Send("/v1/oauth/par", app.Request(), nil), http.StatusBadRequest, "invalid_request")
	})
	t.Run("signed, through sign-in and consent", func(t *testing.T) {
		signed := app.Signed(app.Request())
		signed.Set("scope", "openid profile read:biomarkers") // for the boxes to tick
		if got := p.NewBrowser(t).Allow(signed, ada).Query(); !got.Has("code") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("signed and pushed", func(t *testing.T) {
		handle, _ := app.Send("/v1/oauth/par", app.Signed(app.Request()), nil).JSON(t)["request_uri"].(string)
		request := byHandle(app, handle)
		request.Set("scope", "openid profile read:biomarkers")
		if got := p.NewBrowser(t).Allow(request, ada).Query(); !got.Has("code") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("without keys it can't be asked for", func(t *testing.T) {
		plain := p.AddApp(t, nil)
		if err := p.Run(t, "client", "update", string(plain.ID), "--require-signed-request-object"); err == nil || !strings.Contains(err.Error(), "jwks") {
			t.Errorf("got %v", err)
		}
	})
}
