package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// with gives a request with some parameters changed; an empty value removes one.
func with(request url.Values, changes ...string) url.Values {
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			request.Del(changes[i])
			continue
		}
		request.Set(changes[i], changes[i+1])
	}
	return request
}

func TestAuthorize_RFC6749_4_1_2_1_UntrustedRequestsEndInAPage(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	disabled := p.AddApp(t, nil)
	if _, err := p.Clients.SetEnabled(t.Context(), disabled.ID, operator, false); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		params url.Values
		says   string
	}{
		"Sec015 no client_id":           {with(app.Request(), "client_id", ""), "client_id is missing"},
		"Sec015 an unknown client":      {with(app.Request(), "client_id", "client_01HXY00000000000000000000Z"), "No app has this client_id"},
		"Sec015 a client_id of no form": {with(app.Request(), "client_id", "x' OR 1=1"), "No app has this client_id"},
		"Sec015 a disabled client":      {disabled.Request(), "disabled"},
		"Sec015 with every other fault": {with(app.Request(), "client_id", "client_x", "response_type", "bogus", "state", "", "scope", "x", "code_challenge", ""), "No app has this client_id"},
		"Sec008 no redirect URI":        {with(app.Request(), "redirect_uri", ""), "redirect_uri is missing"},
		"Sec001 one character more":     {with(app.Request(), "redirect_uri", platformtest.Callback+"/"), "not registered"},
		"Sec003 a foreign host":         {with(app.Request(), "redirect_uri", "https://app.example.com.evil.example/cb"), "not registered"},
		"Sec012 two redirect URIs":      {url.Values{"client_id": {string(app.ID)}, "redirect_uri": {platformtest.Callback, "https://evil.example"}}, "more than once"},
		"Sec031 two client ids":         {url.Values{"client_id": {string(app.ID), string(app.ID)}, "redirect_uri": {platformtest.Callback}}, "more than once"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := p.NewBrowser(t).Authorize(c.params)
			if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" || strings.Contains(r.Text, "http-equiv") {
				t.Fatalf("status %d, location %q: want a page that leads nowhere", r.StatusCode, r.Header.Get("Location"))
			}
			if !strings.Contains(r.Text, c.says) || !strings.Contains(r.Text, "For the app’s developer") {
				t.Errorf("the page does not say %q:\n%s", c.says, r.Text)
			}
		})
	}
	t.Run("Sec012 one redirect URI in the query and one in the body", func(t *testing.T) {
		t.Parallel()
		b := p.NewBrowser(t)
		r := b.Follow(b.Post(platformtest.Identity+"/v1/oauth/authorize?redirect_uri=https://evil.example", app.Request()))
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "more than once") {
			t.Errorf("status %d", r.StatusCode)
		}
	})
	t.Run("127.0.0.1 where localhost is registered is said by name", func(t *testing.T) {
		t.Parallel()
		local := p.AddApp(t, func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"http://localhost:5000/callback"} })
		r := p.NewBrowser(t).Authorize(with(local.Request(), "redirect_uri", "http://127.0.0.1:5000/callback"))
		for _, said := range []string{"http://127.0.0.1:5000/callback", "http://localhost:5000/callback", "two different hosts"} {
			if !strings.Contains(r.Text, said) {
				t.Errorf("the page does not say %q", said)
			}
		}
	})
}

func TestAuthorize_FaultsTravelToTheClient(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	narrow := p.AddApp(t, func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID) })
	strict := p.AddApp(t, func(c *loop.Client) { c.RequireNonce = true })
	for name, c := range map[string]struct {
		params url.Values
		code   string
	}{
		"oidcc-response-type-missing":                     {with(app.Request(), "response_type", ""), "invalid_request"},
		"RFC 6749 §3.1.1 another response_type":           {with(app.Request(), "response_type", "token"), "unsupported_response_type"},
		"an unknown scope":                                {with(app.Request(), "scope", "openid read:everything"), "invalid_scope"},
		"no scope":                                        {with(app.Request(), "scope", ""), "invalid_scope"},
		"offline_access alone asks for nothing":           {with(app.Request(), "scope", "offline_access"), "invalid_scope"},
		"a scope beyond the registration":                 {narrow.Request(), "invalid_scope"},
		"claims that are no JSON":                         {with(app.Request(), "claims", "{"), "invalid_request"},
		"Sec021 RFC 7636 §4.4.1 no challenge":             {with(app.Request(), "code_challenge", ""), "invalid_request"},
		"Sec021 method plain":                             {with(app.Request(), "code_challenge_method", "plain"), "invalid_request"},
		"Sec021 method missing":                           {with(app.Request(), "code_challenge_method", ""), "invalid_request"},
		"Sec021 a challenge of 42 characters":             {with(app.Request(), "code_challenge", strings.Repeat("A", 42)), "invalid_request"},
		"Sec021 a challenge with padding":                 {with(app.Request(), "code_challenge", platformtest.Challenge("x")+"="), "invalid_request"},
		"a nonce that the client requires":                {strict.Request(), "invalid_request"},
		"Sec035 prompt none with login":                   {with(app.Request(), "prompt", "none login"), "invalid_request"},
		"Sec035 an unknown prompt":                        {with(app.Request(), "prompt", "create"), "invalid_request"},
		"Sec035 max_age below zero":                       {with(app.Request(), "max_age", "-1"), "invalid_request"},
		"Sec035 max_age beyond a machine word":            {with(app.Request(), "max_age", "99999999999999999999"), "invalid_request"},
		"Sec036 a hint that is no ID token":               {with(app.Request(), "id_token_hint", "x.y.z"), "invalid_request"},
		"Sec018 response_mode fragment":                   {with(app.Request(), "response_mode", "fragment"), "invalid_request"},
		"Sec018 response_mode form_post.jwt":              {with(app.Request(), "response_mode", "form_post.jwt"), "invalid_request"},
		"Sec018 response_mode query.jwt":                  {with(app.Request(), "response_mode", "query.jwt"), "invalid_request"},
		"Sec018 response_mode jwt":                        {with(app.Request(), "response_mode", "jwt"), "invalid_request"},
		"Sec018 response_mode web_message":                {with(app.Request(), "response_mode", "web_message"), "invalid_request"},
		"Sec018 response_mode bogus":                      {with(app.Request(), "response_mode", "bogus"), "invalid_request"},
		"Sec018 two response modes in one":                {with(app.Request(), "response_mode", "query form_post"), "invalid_request"},
		"Sec018 response_mode in capitals":                {with(app.Request(), "response_mode", "FORM_POST"), "invalid_request"},
		"oidcc-unsigned-request-object":                   {with(app.Request(), "request", "eyJhbGciOiJub25lIn0.e30."), "invalid_request_object"},
		"RFC 9101 §10.2 a request that nobody can verify": {with(app.Request(), "request", platformtest.NewKey(t).Sign("JWT", nil)), "request_not_supported"},
		"oidcc-request-uri-unsigned":                      {with(app.Request(), "request_uri", "https://evil.example/x"), "request_uri_not_supported"},
		"Sec031 a parameter twice":                        {url.Values{"nonce": {"a", "b"}}, "invalid_request"},
		"oidcc-prompt-none-not-logged-in":                 {with(app.Request(), "prompt", "none", "state", strings.Repeat("s", 128)), "login_required"},
		"Sec034 prompt=none asks for no sign-in":          {with(app.Request(), "prompt", "none"), "login_required"},
		"OIDC Core §3.1.2.1 max_age with prompt=none":     {with(app.Request(), "prompt", "none", "max_age", "1"), "login_required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			params := c.params
			if params.Get("client_id") == "" {
				for key, values := range app.Request() {
					if _, set := params[key]; !set {
						params[key] = values
					}
				}
			}
			answer := p.NewBrowser(t).Authorize(params).Redirected(t)
			query := answer.Query()
			if !strings.HasPrefix(answer.String(), platformtest.Callback+"?") || query.Get("error") != c.code {
				t.Fatalf("got %s, want %s at the redirect URI", answer, c.code)
			}
			if query.Get("state") != params.Get("state") || query.Get("iss") != platformtest.Identity || query.Has("code") {
				t.Errorf("state or iss is missing, or a code is there: %s", answer)
			}
			for name := range query {
				if !strings.Contains("error error_description error_uri state iss", name) {
					t.Errorf("an error carries %s", name)
				}
			}
			if text := query.Get("error_description"); text == "" || strings.IndexFunc(text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) >= 0 {
				t.Errorf("RFC 6749 §4.1.2.1: the description is %q", text)
			}
		})
	}
}

func TestSec030_StateComesBackAsItWasOrNotAtAll(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	for name, state := range map[string]string{"too long": strings.Repeat("s", 2049), "a line break": "a\r\nb", "not ASCII": "ş"} {
		t.Run(name+" is invalid_request without state", func(t *testing.T) {
			t.Parallel()
			query := p.NewBrowser(t).Authorize(with(app.Request(), "state", state)).Redirected(t).Query()
			if query.Get("error") != "invalid_request" || query.Has("state") {
				t.Errorf("got %v", query)
			}
		})
	}
	t.Run("sent twice: no state comes back", func(t *testing.T) {
		t.Parallel()
		params := app.Request()
		params.Add("state", "another")
		query := p.NewBrowser(t).Authorize(params).Redirected(t).Query()
		if query.Get("error") != "invalid_request" || query.Has("state") {
			t.Errorf("got %v", query)
		}
	})
	for _, state := range []string{`"><script>`, "&code=evil", "%41%zz", strings.Repeat("s", 2048), " a b "} {
		params := with(app.Request(), "prompt", "none")
		params.Set("state", state)
		if got := p.NewBrowser(t).Authorize(params).Redirected(t).Query().Get("state"); got != state {
			t.Errorf("%q came back as %q", state, got)
		}
	}
}

func TestAuthorize_RFC9700_4_11_2_LeavingPage(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	unverified := p.AddApp(t, func(c *loop.Client) { c.Verified = false })
	local := p.AddApp(t, func(c *loop.Client) {
		c.Verified, c.RedirectURIs = false, []loop.RedirectURI{"http://localhost:5000/callback"}
	})
	t.Run("an error for an unverified app does not leave by itself", func(t *testing.T) {
		t.Parallel()
		r := p.NewBrowser(t).Authorize(with(unverified.Request(), "prompt", "none"))
		if r.StatusCode != http.StatusOK || r.Header.Get("Location") != "" || !strings.Contains(r.Text, "You are leaving Loop for <bdi>app.example.com</bdi>") {
			t.Errorf("status %d:\n%s", r.StatusCode, r.Text)
		}
	})
	t.Run("a host in another script is named in both forms", func(t *testing.T) {
		t.Parallel()
		abroad := p.AddApp(t, func(c *loop.Client) {
			c.Verified, c.RedirectURIs = false, []loop.RedirectURI{"https://xn--bcher-kva.example/cb"}
		})
		r := p.NewBrowser(t).Authorize(with(abroad.Request(), "prompt", "none"))
		if !strings.Contains(r.Text, "You are leaving Loop for <bdi>bücher.example (xn--bcher-kva.example)</bdi>") {
			t.Errorf("status %d:\n%s", r.StatusCode, r.Text)
		}
	})
	t.Run("loopback goes straight back", func(t *testing.T) {
		t.Parallel()
		if got := p.NewBrowser(t).Authorize(with(local.Request(), "prompt", "none")).Redirected(t); got.Query().Get("error") != "login_required" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("after the member has acted, it goes back", func(t *testing.T) {
		t.Parallel()
		m, b := p.AddMember(t, "Leaver"), p.NewBrowser(t)
		page := b.SignIn(b.Follow(b.Authorize(unverified.Request())), m)
		if got := b.Decide(page, "deny").Redirected(t); got.Query().Get("error") != "access_denied" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAuthorize_PromptAndMaxAge(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	first := app.Redeem(app.Code(b, ada)).Pair(t)
	before := claims(t, first.ID)
	p.World.Advance(2 * time.Second)

	t.Run("oidcc-prompt-none-logged-in: silent, same sub and auth_time", func(t *testing.T) {
		code := b.Authorize(with(app.Request(), "prompt", "none")).Redirected(t).Query().Get("code")
		after := claims(t, app.Redeem(code).Pair(t).ID)
		if after["sub"] != before["sub"] || after["auth_time"] != before["auth_time"] {
			t.Errorf("got %v, before %v", after, before)
		}
	})
	t.Run("oidcc-id-token-hint: an expired ID token is a valid hint", func(t *testing.T) {
		p.World.Advance(10 * time.Minute)
		got := b.Authorize(with(app.Request(), "prompt", "none", "id_token_hint", first.ID)).Redirected(t).Query()
		if got.Get("code") == "" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a hint for another member is login_required", func(t *testing.T) {
		other := p.NewBrowser(t)
		bob := p.AddMember(t, "Bob")
		app.Code(other, bob)
		got := other.Authorize(with(app.Request(), "prompt", "none", "id_token_hint", first.ID)).Redirected(t).Query()
		if got.Get("error") != "login_required" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("oidcc-max-age-10000: no new sign-in", func(t *testing.T) {
		if got := b.Authorize(with(app.Request(), "max_age", "10000")).Redirected(t).Query(); got.Get("code") == "" {
			t.Errorf("got %v", got)
		}
	})
	for name, change := range map[string][]string{"oidcc-prompt-login": {"prompt", "login"}, "oidcc-max-age-1": {"max_age", "1"}} {
		t.Run(name+": a new sign-in, a later auth_time", func(t *testing.T) {
			p.World.Advance(2 * time.Second)
			page := b.Follow(b.Authorize(with(app.Request(), change...)))
			if !strings.Contains(page.Text, `id="sign-in"`) {
				t.Fatalf("no sign-in page: %d", page.StatusCode)
			}
			code := b.SignIn(page, ada).Redirected(t).Query().Get("code")
			after := claims(t, app.Redeem(code).Pair(t).ID)
			if after["auth_time"].(float64) <= before["auth_time"].(float64) {
				t.Errorf("auth_time %v is not later than %v", after["auth_time"], before["auth_time"])
			}
		})
	}
	t.Run("prompt=consent shows the page though all is remembered", func(t *testing.T) {
		page := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
		if !strings.Contains(page.Text, `id="allow"`) {
			t.Fatalf("no consent page: %d", page.StatusCode)
		}
		if got := b.Decide(page, "allow", "profile", "read:biomarkers").Redirected(t).Query(); got.Get("code") == "" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("prompt=select_account asks, and goes on", func(t *testing.T) {
		p.World.Advance(time.Second)
		page := b.Follow(b.Authorize(with(app.Request(), "prompt", "select_account")))
		if !strings.Contains(page.Text, `id="continue-as"`) {
			t.Fatalf("no choice: %d %s", page.StatusCode, page.Text)
		}
		r := b.Follow(b.Post(platformtest.Identity+"/choose", url.Values{
			"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "member": {page.Field("member")},
		}))
		if r.Redirected(t).Query().Get("code") == "" {
			t.Error("no code")
		}
	})
}

func TestAuthorize_OIDCFormPost(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	app.Code(b, ada)
	r := b.Authorize(with(app.Request(), "response_mode", "form_post", "state", `"><b>`))
	if r.StatusCode != http.StatusOK || r.Field("code") == "" || r.Field("state") != `"><b>` || r.Field("iss") != platformtest.Identity {
		t.Fatalf("success does not arrive by POST: %d %s", r.StatusCode, r.Text)
	}
	// form-action would hold for the app's own redirect after the post, too.
	if policy := r.Header.Get("Content-Security-Policy"); strings.Contains(policy, "form-action") || strings.Contains(policy, "unsafe") {
		t.Errorf("Sec090: the policy is %s", policy)
	}
	failed := p.NewBrowser(t).Authorize(with(app.Request(), "response_mode", "form_post", "prompt", "none"))
	if failed.Field("error") != "login_required" {
		t.Errorf("an error does not arrive by POST: %s", failed.Text)
	}
}

func TestAuthorize_oidcc_ensure_post_request_succeeds(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	b := p.NewBrowser(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, platformtest.Identity+"/v1/oauth/authorize", strings.NewReader(app.Request().Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "https://app.example.com")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if r := b.Follow(b.Do(req)); !strings.Contains(r.Text, `id="sign-in"`) {
		t.Errorf("a cross-site POST does not lead to sign-in: %d %s", r.StatusCode, r.Text)
	}
}

func TestAuthorize_LoginHintFillsTheForm(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	b := p.NewBrowser(t)
	for hint, want := range map[string]string{"ada@members.example": "ada@members.example", `"><script>alert(1)</script>`: ""} {
		page := b.Follow(b.Authorize(with(app.Request(), "login_hint", hint)))
		if got := page.Field("email"); got != want {
			t.Errorf("%q: the form shows %q", hint, got)
		}
	}
}

func TestAuthorize_PHIWaitsForAnAgreement(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.Mode, c.BAA = loop.Development, nil })
	real := p.SignUp(t, "Real")
	t.Run("Sec033 a real member, an app in development", func(t *testing.T) {
		got := real.Authorize(with(app.Request(), "prompt", "none")).Text
		if !strings.Contains(got, "invalid_scope") {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a test member is let through", func(t *testing.T) {
		if code := app.Code(p.NewBrowser(t), p.AddMember(t, "Ada")); code == "" {
			t.Error("no code")
		}
	})
}
