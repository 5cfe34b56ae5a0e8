package identity_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
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
	t.Run("a token in the form of userinfo, and one in the header", func(t *testing.T) {
		t.Parallel()
		tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ben"))).Pair(t)
		bearer := http.Header{"Authorization": {"Bearer " + tokens.Access}}
		if r := p.Post(t, platformtest.Identity+"/v1/oauth/userinfo", url.Values{"access_token": {""}}, bearer); r.StatusCode != http.StatusOK {
			t.Errorf("status %d: %s", r.StatusCode, r.Text)
		}
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

// What comes twice could be checked once and used the other time.
func TestSec031_AParameterThatComesTwiceIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	app.Code(b, ada) // from here on a correct request is answered with a code
	authorize := platformtest.Identity + "/v1/oauth/authorize"
	full := func() url.Values {
		return with(app.Request(), "nonce", "n", "prompt", "consent", "max_age", "9000", "login_hint", "x", "ui_locales", "en", "acr_values", "x", "claims", "{}",
			"response_mode", "query", "dpop_jkt", platformtest.NewKey(t).Thumbprint(), "unknown", "x")
	}
	for _, name := range slices.Sorted(maps.Keys(full())) {
		for how, second := range map[string]string{"the same": full().Get(name), "another": "another", "an empty one": ""} {
			twice := full()
			twice.Set(name, full().Get(name))
			twice.Add(name, second)
			alone := url.Values{name: {twice[name][1]}}.Encode()
			once := maps.Clone(twice)
			once[name] = twice[name][:1]
			for where, r := range map[string]*platformtest.Response{
				"in the address": b.Get(authorize + "?" + twice.Encode()),
				"in the body":    b.Follow(b.Post(authorize, twice)),
				"split":          b.Follow(b.Post(authorize+"?"+alone, once)),
			} {
				t.Run(name+", "+how+", "+where, func(t *testing.T) {
					if name == "client_id" || name == "redirect_uri" {
						onPage(t, r, "more than once")
						return
					}
					got := r.Redirected(t).Query()
					if got.Get("error") != "invalid_request" || got.Has("code") || got.Has("state") != (name != "state") {
						t.Errorf("got %v", got)
					}
				})
			}
		}
	}
	t.Run("resource may", func(t *testing.T) {
		request := app.Request()
		request["resource"] = []string{platformtest.Clinical, platformtest.Identity}
		if got := b.Authorize(request).Redirected(t).Query(); !got.Has("code") {
			t.Errorf("got %v", got)
		}
	})
}

func TestSec032_AScopeIsWhollyRightOrTheRequestIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile) }), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	b.Allow(with(app.Request(), "scope", "openid profile"), ada)
	for name, c := range map[string]struct{ scope, says string }{
		"an unknown one":         {"openid read:everything", "The scope read:everything does not exist"},
		"one beyond the app's":   {"openid read:biomarkers", "read:biomarkers"},
		"the platform's own":     {"openid admin:clients", "does not exist"},
		"a wildcard":             {"openid admin:*", "does not exist"},
		"another case":           {"OpenID profile", "does not exist"},
		"a tab between":          {"openid\tprofile", "does not exist"},
		"two spaces between":     {"openid  profile", "does not exist"},
		"a space before":         {" openid", "does not exist"},
		"a space behind":         {"openid ", "does not exist"},
		"a comma between":        {"openid,profile", "does not exist"},
		"a zero-width space":     {"open\u200bid profile", "does not exist"},
		"a full-width letter":    {"ｏpenid profile", "does not exist"},
		"three hundred":          {strings.TrimSpace(strings.Repeat("openid ", 300)), "longer than"},
		"two hundred, all other": {strings.TrimSpace(strings.Repeat("x:y ", 200)), "The scope x:y does not exist"},
	} {
		t.Run(name, func(t *testing.T) {
			got := b.Authorize(with(app.Request(), "scope", c.scope)).Redirected(t).Query()
			if got.Get("error") != "invalid_scope" || got.Has("code") || !strings.Contains(got.Get("error_description"), c.says) {
				t.Errorf("got %v", got)
			}
			if strings.Contains(got.Get("error_description"), "admin:*") {
				t.Errorf("it repeats what no scope is made of: %s", got.Get("error_description"))
			}
		})
	}
}

func TestSec033_Sec034_NothingIsGivenInSilenceThatNobodyAllowed(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	unsigned := p.AddApp(t, func(c *loop.Client) { c.BAA = nil }) // in production, verified, without an agreement
	b := p.SignedIn(t, ada)
	real := p.SignUp(t, "Real")
	for name, c := range map[string]struct {
		browser *platformtest.Browser
		request url.Values
		code    string
	}{
		"Sec033 health data without an agreement":                 {real, unsigned.Request(), "invalid_scope"},
		"Sec033 health data without an agreement, in silence":     {real, with(unsigned.Request(), "prompt", "none"), "invalid_scope"},
		"Sec034 nobody is signed in":                              {p.NewBrowser(t), with(app.Request(), "prompt", "none"), "login_required"},
		"Sec034 nothing was allowed":                              {b, with(app.Request(), "prompt", "none"), "consent_required"},
		"Sec034 nothing was allowed, for openid alone":            {b, with(app.Request(), "prompt", "none", "scope", "openid"), "consent_required"},
		"Sec034 nothing was allowed, in a frame and by form_post": {b, with(app.Request(), "prompt", "none", "response_mode", "form_post"), "consent_required"},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.browser.Authorize(c.request)
			got, page := r.Field("error"), r.StatusCode == http.StatusOK
			if c.request.Get("response_mode") == "" {
				got, page = r.Redirected(t).Query().Get("error"), false
			}
			if got != c.code || strings.Contains(r.Text, `id="sign-in"`) || strings.Contains(r.Text, `id="allow"`) || page && r.Field("code") != "" {
				t.Errorf("status %d, error %q, want %s: %s", r.StatusCode, got, c.code, r.Text)
			}
		})
	}
	t.Run("Sec034 a scope that was never shown", func(t *testing.T) {
		b.Allow(with(app.Request(), "scope", "openid profile"), ada)
		for scope, want := range map[string]string{"openid profile": "", "openid profile email": "consent_required", "openid email": "consent_required"} {
			if got := b.Authorize(with(app.Request(), "prompt", "none", "scope", scope)).Redirected(t).Query(); got.Get("error") != want || got.Has("code") != (want == "") {
				t.Errorf("%s: got %v", scope, got)
			}
		}
	})
}

func TestSec035_ANumberIsANumberAndNoneWrapsAround(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	app.Code(b, ada)
	for _, age := range []string{
		"-1", "+1", "1.0", "1e9", "0x10", "1_000", " 1", "1 ", "٣", "NaN", "1000000000", "2147483648", "4294967296", "4294967297", "9223372036854775808", "18446744073709551617",
		"99999999999999999999", strings.Repeat("9", 2000),
	} {
		if got := b.Authorize(with(app.Request(), "max_age", age)).Redirected(t).Query(); got.Get("error") != "invalid_request" || got.Has("code") {
			t.Errorf("max_age=%.30s: got %v", age, got)
		}
	}
	for _, prompt := range []string{"none login", "login none", "none none", "None", "create", "login,consent", "login  consent", " none", "none\t"} {
		if got := b.Authorize(with(app.Request(), "prompt", prompt)).Redirected(t).Query(); got.Get("error") != "invalid_request" || got.Has("code") {
			t.Errorf("prompt=%q: got %v", prompt, got)
		}
	}
}
