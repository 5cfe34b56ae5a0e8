package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// onPage fails the test where an answer is not a page that leads nowhere.
func onPage(t *testing.T, r *platformtest.Response, says string) {
	t.Helper()
	if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" || strings.Contains(r.Text, "http-equiv") || strings.Contains(r.Text, "<script") {
		t.Fatalf("status %d, location %q: want a page that leads nowhere", r.StatusCode, r.Header.Get("Location"))
	}
	if !strings.Contains(r.Text, says) {
		t.Errorf("the page does not say %q:\n%s", says, r.Text)
	}
}

// push pushes a request and gives its request_uri.
func push(t *testing.T, app *platformtest.App, request url.Values) string {
	t.Helper()
	r := app.Send("/v1/oauth/par", request, nil)
	handle, _ := r.JSON(t)["request_uri"].(string)
	if r.StatusCode != http.StatusCreated || handle == "" {
		t.Fatalf("pushing: %d %s", r.StatusCode, r.Text)
	}
	return handle
}

// byHandle is what a member's browser carries of a pushed request.
func byHandle(app *platformtest.App, handle string) url.Values {
	return url.Values{"client_id": {string(app.ID)}, "request_uri": {handle}}
}

func TestSec061_AHandleThatIsNotGoodIsAPage(t *testing.T) {
	t.Parallel()
	asked := newReceiver(t)
	p := withReceiver(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	handle := push(t, app, app.Request())
	pair := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	b := p.NewBrowser(t)
	for name, params := range map[string]url.Values{
		"of another client":            byHandle(other, handle),
		"without client_id":            {"request_uri": {handle}},
		"with two client ids":          {"request_uri": {handle}, "client_id": {string(app.ID), string(app.ID)}},
		"made up":                      byHandle(app, "urn:ietf:params:oauth:request_uri:AAAA"),
		"cut short":                    byHandle(app, handle[:len(handle)-1]),
		"one character longer":         byHandle(app, handle+"A"),
		"one character changed":        byHandle(app, flip(handle)),
		"in capitals":                  byHandle(app, "urn:ietf:params:oauth:request_uri:"+strings.ToUpper(handle[len("urn:ietf:params:oauth:request_uri:"):])),
		"Sec029 a code":                byHandle(app, "urn:ietf:params:oauth:request_uri:"+app.Code(p.NewBrowser(t), ada)),
		"Sec029 a refresh token":       byHandle(app, "urn:ietf:params:oauth:request_uri:"+pair.Refresh),
		"of another client and a case": {"request_uri": {handle}, "Client_id": {string(app.ID)}, "client_id": {string(other.ID)}},
	} {
		t.Run(name, func(t *testing.T) { onPage(t, b.Authorize(params), "request_uri is unknown, has expired, was used") })
	}
	for name, address := range map[string]string{
		"an address":                   asked.URL + "/request.jwt",
		"an https address":             "https://app.example.com/request.jwt",
		"a file":                       "file:///etc/passwd",
		"another urn":                  "urn:example:request",
		"the prefix in capitals":       "URN:IETF:PARAMS:OAUTH:REQUEST_URI:" + handle[len("urn:ietf:params:oauth:request_uri:"):],
		"an address with the handle":   asked.URL + "/" + handle,
		"a handle behind a space":      " " + handle,
		"an address of our own server": platformtest.Identity + "/.well-known/jwks.json",
	} {
		t.Run(name+" is never fetched", func(t *testing.T) {
			query := b.Authorize(with(app.Request(), "request_uri", address)).Redirected(t).Query()
			if query.Get("error") != "request_uri_not_supported" || query.Has("code") {
				t.Errorf("got %v", query)
			}
			onPage(t, b.Authorize(byHandle(app, address)), "redirect_uri is missing")
		})
	}
	if len(asked.received()) != 0 {
		t.Error("a request_uri was fetched")
	}
	t.Run("and a good one works", func(t *testing.T) {
		if b.Allow(with(byHandle(app, handle), "scope", "openid profile read:biomarkers"), ada).Query().Get("code") == "" {
			t.Error("no code")
		}
	})
}

// flip changes a character in the middle of a text.
func flip(text string) string {
	i := len(text) - 10
	changed := "A"
	if text[i] == 'A' {
		changed = "B"
	}
	return text[:i] + changed + text[i+1:]
}

func TestSec061_AHandleWorksForOneAuthorization(t *testing.T) {
	t.Parallel()
	const (
		used     = "request_uri is unknown, has expired, was used"
		answered = "You have answered this app’s request already"
	)
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	t.Run("a reload before it is answered works, once it is answered none does", func(t *testing.T) {
		b, handle := p.NewBrowser(t), push(t, app, app.Request())
		b.Follow(b.Authorize(byHandle(app, handle)))
		page := b.SignIn(b.Follow(b.Authorize(byHandle(app, handle))), ada)
		second := b.Follow(b.Authorize(byHandle(app, handle))) // a second tab
		if b.Decide(page, "allow", "profile").Redirected(t).Query().Get("code") == "" {
			t.Fatal("no code")
		}
		onPage(t, b.Authorize(byHandle(app, handle)), used)
		onPage(t, b.Decide(second, "allow", "profile", "read:biomarkers"), answered)
		onPage(t, b.Decide(page, "allow", "profile"), answered) // pressed twice
		grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID)
		if err != nil || grant == nil || grant.Scopes.Has(loop.ScopeReadBiomarkers) {
			t.Errorf("the second tab changed the grant: %+v, %v", grant, err)
		}
	})
	t.Run("a consent that is remembered uses it up too", func(t *testing.T) {
		b := p.NewBrowser(t)
		app.Code(b, ada)
		handle := push(t, app, app.Request())
		if b.Authorize(byHandle(app, handle)).Redirected(t).Query().Get("code") == "" {
			t.Fatal("no code")
		}
		onPage(t, b.Authorize(byHandle(app, handle)), used)
	})
	t.Run("so does a denial", func(t *testing.T) {
		b, handle := p.NewBrowser(t), push(t, app, with(app.Request(), "prompt", "consent"))
		page := b.SignIn(b.Follow(b.Authorize(byHandle(app, handle))), ada)
		if b.Decide(page, "deny").Redirected(t).Query().Get("error") != "access_denied" {
			t.Fatal("not denied")
		}
		onPage(t, b.Authorize(byHandle(app, handle)), used)
	})
	t.Run("twenty browsers at once: one code", func(t *testing.T) {
		handle := push(t, app, app.Request())
		browsers := make([]*platformtest.Browser, 20)
		for i := range browsers {
			browsers[i] = p.NewBrowser(t)
			app.Code(browsers[i], ada)
		}
		var (
			all   sync.WaitGroup
			mu    sync.Mutex
			codes int
		)
		for _, b := range browsers {
			all.Go(func() {
				if to, err := b.Authorize(byHandle(app, handle)).Location(); err == nil && to.Query().Has("code") {
					mu.Lock()
					codes++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if codes != 1 {
			t.Errorf("%d codes came", codes)
		}
	})
	t.Run("sixty seconds later it can't begin, and who has begun goes on", func(t *testing.T) {
		began, late := push(t, app, with(app.Request(), "prompt", "consent")), push(t, app, app.Request())
		b := p.NewBrowser(t)
		page := b.Follow(b.Authorize(byHandle(app, began)))
		p.World.Advance(time.Minute)
		onPage(t, p.NewBrowser(t).Authorize(byHandle(app, late)), used)
		onPage(t, p.NewBrowser(t).Authorize(byHandle(app, began)), used)
		consent := b.SignIn(page, ada)
		if b.Decide(consent, "allow", "profile").Redirected(t).Query().Get("code") == "" {
			t.Error("no code")
		}
	})
}

func TestSec061_OnlyWhatWasPushedCounts(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://app.example.com/other") }), p.AddMember(t, "Ada")
	pushed := with(app.Request(), "scope", "openid", "nonce", "inner")
	params := byHandle(app, push(t, app, pushed))
	for name, values := range with(app.Request(), "scope", "openid profile email read:biomarkers", "nonce", "outer", "state", "outer",
		"redirect_uri", "https://app.example.com/other", "code_challenge", platformtest.Challenge(strings.Repeat("x", 50)), "response_mode", "form_post", "prompt", "none") {
		if name != "client_id" {
			params[name] = values
		}
	}
	params["state"] = []string{"outer", "twice"}
	b := p.NewBrowser(t)
	page := b.SignIn(b.Follow(b.Authorize(params)), ada)
	if strings.Contains(page.Text, `id="scope-`) {
		t.Error("the page asks for what was not pushed")
	}
	answer := b.Decide(page, "allow").Redirected(t)
	if !strings.HasPrefix(answer.String(), platformtest.Callback+"?") || answer.Query().Get("state") != pushed.Get("state") {
		t.Fatalf("the answer goes to %s", answer)
	}
	tokens := app.Redeem(answer.Query().Get("code")).Pair(t)
	if tokens.Scope != "openid" || claims(t, tokens.ID)["nonce"] != "inner" {
		t.Errorf("scope %q, nonce %v", tokens.Scope, claims(t, tokens.ID)["nonce"])
	}
}

func TestSec061_APushIsRefusedAtOnceAndInFull(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other := p.AddApp(t, nil), p.AddApp(t, nil)
	service := p.AddApp(t, func(c *loop.Client) {
		c.RedirectURIs, c.AllowedScopes = nil, nil
		c.Protocol.GrantTypes, c.Protocol.ServiceScopes = []loop.GrantType{loop.GrantClientCredentials}, []string{"orders:read"}
	})
	for name, test := range map[string]struct {
		app    *platformtest.App
		form   url.Values
		status int
		code   string
	}{
		"another client's secret":     {&platformtest.App{Client: app.Client}, with(app.Request(), "client_secret", other.Secret), 401, "invalid_client"},
		"a request_uri within":        {app, with(app.Request(), "request_uri", push(t, app, app.Request())), 400, "invalid_request"},
		"a foreign redirect URI":      {app, with(app.Request(), "redirect_uri", "https://evil.example/cb"), 400, "invalid_request"},
		"no redirect URI":             {app, with(app.Request(), "redirect_uri", ""), 400, "invalid_request"},
		"a scope beyond":              {app, with(app.Request(), "scope", "openid manage:connected_apps"), 400, "invalid_scope"},
		"no challenge":                {app, with(app.Request(), "code_challenge", ""), 400, "invalid_request"},
		"plain":                       {app, with(app.Request(), "code_challenge_method", "plain"), 400, "invalid_request"},
		"another response type":       {app, with(app.Request(), "response_type", "token"), 400, "unsupported_response_type"},
		"a client without the grant":  {service, with(app.Request(), "client_id", string(service.ID)), 400, "invalid_request"},
		"an unsigned request object":  {app, url.Values{"request": {"eyJhbGciOiJub25lIn0.e30."}}, 400, "invalid_request_object"},
		"Sec031 a parameter twice":    {app, url.Values{"scope": {"openid", "profile"}}, 400, "invalid_request"},
		"a hint that is no ID token":  {app, with(app.Request(), "id_token_hint", "x.y.z"), 400, "invalid_request"},
		"a key that is no thumbprint": {app, with(app.Request(), "dpop_jkt", "x"), 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			var r *platformtest.Response
			if test.form.Has("client_secret") {
				r = p.Post(t, platformtest.Identity+"/v1/oauth/par", test.form, nil)
			} else {
				r = test.app.Send("/v1/oauth/par", test.form, nil)
			}
			refused(t, r, test.status, test.code)
			if strings.Contains(r.Text, "urn:ietf") {
				t.Errorf("a handle came: %s", r.Text)
			}
		})
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		if r := p.Fetch(t, method, platformtest.Identity+"/v1/oauth/par", nil); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
}

// What is too long for an address can be pushed by any app: what authenticates at
// the token endpoint authenticates here (RFC 9126 §2).
func TestPush_RFC9126_2_APublicClientPushesByItsID(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	b := p.NewBrowser(t)
	handle := push(t, app, with(app.Request(), "login_hint", strings.Repeat("x", 9000)))
	code := b.Allow(byHandle(app, handle), ada).Query().Get("code")
	app.Redeem(code).Pair(t)
	for name, id := range map[string]string{"an unknown client": "client_01HXY00000000000000000000Z", "a client that has a secret": string(p.AddApp(t, nil).ID)} {
		t.Run(name, func(t *testing.T) {
			form := app.Request()
			form.Set("client_id", id)
			refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/par", form, nil), http.StatusUnauthorized, "invalid_client")
		})
	}
}

func TestSec061_WhatWasPushedIsCheckedAfreshAtEachStep(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	change := func(alter func(*loop.Client)) func(*testing.T, *platformtest.App) {
		return func(t *testing.T, app *platformtest.App) {
			t.Helper()
			if _, err := p.Clients.Update(t.Context(), app.ID, operator, alter); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		change func(*testing.T, *platformtest.App)
		error  string // at the redirect URI; empty: a page
	}{
		"Sec017 the redirect URI was removed": {change(func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"https://app.example.com/new"} }), ""},
		"the client was disabled": {func(t *testing.T, app *platformtest.App) {
			t.Helper()
			if _, err := p.Clients.SetEnabled(t.Context(), app.ID, operator, false); err != nil {
				t.Fatal(err)
			}
		}, ""},
		"Sec056 a scope was taken away": {change(func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID) }), "invalid_scope"},
		"the grant type was taken away": {change(func(c *loop.Client) {
			c.RedirectURIs = nil
			c.Protocol.GrantTypes, c.Protocol.ServiceScopes = []loop.GrantType{loop.GrantClientCredentials}, []string{"orders:read"}
		}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			app := p.AddApp(t, nil)
			fresh, underway := push(t, app, app.Request()), push(t, app, app.Request())
			b := p.NewBrowser(t)
			page := b.SignIn(b.Follow(b.Authorize(byHandle(app, underway))), ada)
			test.change(t, app)
			for _, r := range []*platformtest.Response{p.NewBrowser(t).Authorize(byHandle(app, fresh)), b.Decide(page, "allow", "profile")} {
				if test.error == "" {
					onPage(t, r, "")
				} else if got := r.Redirected(t).Query(); got.Get("error") != test.error || got.Has("code") {
					t.Errorf("got %v", got)
				}
			}
		})
	}
}
