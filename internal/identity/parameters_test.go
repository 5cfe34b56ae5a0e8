package identity_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// A parameter that came without a value is treated as if it had not come.
func TestAuthorize_RFC6749_3_1_AParameterWithoutAValueIsNotThere(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	for _, name := range []string{
		"request", "request_uri", "response_mode", "nonce", "prompt", "max_age", "login_hint", "ui_locales", "acr_values",
		"id_token_hint", "claims", "resource", "dpop_jkt", "display",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request := app.Request()
			request.Set(name, "")
			if answer := p.NewBrowser(t).Allow(request, ada).Query(); answer.Get("code") == "" {
				t.Errorf("got %v, want a code", answer)
			}
		})
	}
	t.Run("but twice is twice", func(t *testing.T) {
		t.Parallel()
		request := app.Request()
		request["redirect_uri"] = []string{platformtest.Callback, ""}
		if r := p.NewBrowser(t).Authorize(request); r.StatusCode != http.StatusBadRequest {
			t.Errorf("Sec012: status %d", r.StatusCode)
		}
	})
}

func TestToken_RFC6749_3_2_AParameterWithoutAValueIsNotThere(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	public := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	keyed := p.AddKeyApp(t, nil)

	t.Run("scope and resource at a refresh", func(t *testing.T) {
		t.Parallel()
		tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
		again := app.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "scope": {""}, "resource": {""}}).Pair(t)
		if again.Scope != tokens.Scope {
			t.Errorf("the scope is %q, want %q as before", again.Scope, tokens.Scope)
		}
	})
	t.Run("the secret of a client that has none", func(t *testing.T) {
		t.Parallel()
		public.Token(url.Values{
			"grant_type": {"authorization_code"}, "code": {public.Code(p.NewBrowser(t), ada)}, "client_secret": {""},
			"redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
		}).Pair(t)
	})
	t.Run("the secret of a client that proves itself with a key", func(t *testing.T) {
		t.Parallel()
		keyed.Token(url.Values{
			"grant_type": {"authorization_code"}, "code": {keyed.Code(p.NewBrowser(t), ada)}, "client_secret": {""},
			"redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
		}).Pair(t)
	})
	t.Run("client_id in the form, and Basic in the header", func(t *testing.T) {
		t.Parallel()
		form := url.Values{
			"grant_type": {"authorization_code"}, "code": {app.Code(p.NewBrowser(t), ada)}, "client_id": {""}, "client_secret": {""},
			"redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
		}
		p.Post(t, platformtest.Identity+"/v1/oauth/token", form, basic(string(app.ID), app.Secret)).Pair(t)
	})
	t.Run("an assertion, and a request within a push", func(t *testing.T) {
		t.Parallel()
		form := app.Request()
		form["request"], form["request_uri"], form["client_assertion"] = []string{""}, []string{""}, []string{""}
		if r := app.Send("/v1/oauth/par", form, nil); r.StatusCode != http.StatusCreated {
			t.Errorf("PAR: status %d: %s", r.StatusCode, r.Text)
		}
	})
}
