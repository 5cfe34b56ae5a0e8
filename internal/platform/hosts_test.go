package platform_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// hosts are the public hosts.
var hosts = []string{platformtest.Identity, platformtest.Clinical, platformtest.Developers}

// visit is an answer of the platform, and how it came about.
type visit struct {
	what string
	*platformtest.Response
}

// everyKindOfAnswer goes through the platform and gives an answer of each page,
// and of each way in which a request ends.
func everyKindOfAnswer(t *testing.T) []visit {
	t.Helper()
	p := platformtest.New(t)
	var seen []visit
	saw := func(what string, r *platformtest.Response) *platformtest.Response {
		t.Helper()
		seen = append(seen, visit{what, r})
		return r
	}
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	unverified := p.AddApp(t, func(c *loop.Client) { c.Verified = false })
	local := p.AddApp(t, func(c *loop.Client) { c.Type, c.RedirectURIs = loop.Public, []loop.RedirectURI{"http://127.0.0.1/cb"} })
	private := p.AddApp(t, func(c *loop.Client) { c.Type, c.RedirectURIs = loop.Public, []loop.RedirectURI{"com.example.app:/cb"} })
	b := p.NewBrowser(t)
	request := func(app *platformtest.App, more ...string) url.Values {
		r := app.Request()
		for i := 0; i < len(more); i += 2 {
			r.Set(more[i], more[i+1])
		}
		return r
	}

	page := saw("sign-in", b.Follow(saw("authorize", b.Authorize(app.Request()))))
	saw("sign-up", b.Get(platformtest.Identity+"/signup"))
	saw("sign-in, refused", b.Post(platformtest.Identity+"/signin", url.Values{"csrf": {page.Field("csrf")}, "email": {string(ada.Email)}, "password": {"wrong"}}))
	consent := saw("consent", b.SignIn(page, ada))
	saw("consent, forged", b.Post(platformtest.Identity+"/consent", url.Values{"csrf": {"x"}}))
	answer := saw("the answer", b.Decide(consent, "allow", "profile", "read:biomarkers"))
	saw("form_post", b.Authorize(request(app, "response_mode", "form_post")))
	saw("form_post to an app on the device", b.Authorize(request(private, "response_mode", "form_post", "prompt", "none")))
	saw("leaving", p.NewBrowser(t).Authorize(request(unverified, "prompt", "none")))
	p.World.Advance(time.Second)
	saw("choice", b.Follow(b.Authorize(request(app, "prompt", "select_account"))))
	b.Allow(local.Request(), ada)
	saw("continue", b.Follow(b.Authorize(local.Request())))
	saw("home", b.Get(platformtest.Identity+"/"))
	saw("sign-out", b.Get(platformtest.Identity+"/signout"))
	saw("signed out", p.NewBrowser(t).Get(platformtest.Identity+"/signed-out"))
	saw("logout", b.Get(platformtest.Identity+"/v1/oauth/logout"))
	saw("a bad request", b.Authorize(url.Values{}))
	redeemed := saw("tokens", app.Redeem(answer.Redirected(t).Query().Get("code")))
	tokens := redeemed.Pair(t)
	saw("a pushed request", app.Send("/v1/oauth/par", app.Request(), nil))
	saw("introspection", app.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, nil))
	saw("introspection as JWT", app.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, http.Header{"Accept": {"application/token-introspection+jwt"}}))
	saw("userinfo", p.UserInfo(t, tokens.Access))
	saw("results", p.Biomarkers(t, tokens.Access))
	saw("no token", p.Fetch(t, http.MethodGet, biomarkers, nil))
	saw("no client", p.Post(t, platformtest.Identity+"/v1/oauth/token", nil, nil))
	saw("a replay", app.Redeem(answer.Redirected(t).Query().Get("code")))
	saw("revocation", app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Refresh}}, nil))
	next := app.Redeem(app.Code(b, ada)).Pair(t)
	app.Refresh(next.Refresh).Pair(t)
	app.Refresh(next.Refresh)
	again := p.NewBrowser(t)
	saw("notice", again.SignIn(again.Get(platformtest.Identity+"/signin?another=1"), ada))

	dev := p.NewBrowser(t)
	login := dev.Follow(dev.Get(saw("portal, nobody", dev.Get(platformtest.Developers+"/apps")).Redirected(t).String()))
	grace := p.AddMember(t, "Grace")
	saw("portal, answer", dev.Get(dev.SignIn(login, grace).Redirected(t).String()))
	hers := platformtest.Developers + "/apps/" + string(p.AddApp(t, func(c *loop.Client) { c.Owner = grace.ID }).ID)
	saw("portal, an app", dev.Get(hers))
	ask := saw("portal, a question", dev.Get(hers+"/rotate-secret"))
	dev.Post(hers+"/rotate-secret", url.Values{"csrf": {ask.Field("csrf")}})
	saw("portal, a secret", dev.Get(hers+"/secret"))
	for _, path := range []string{"/apps", "/apps/new", "/apps/x", "/docs", "/signed-out", "/callback?code=x"} {
		saw("portal "+path, dev.Get(platformtest.Developers+path))
	}
	for _, host := range hosts {
		saw("not there", p.Fetch(t, http.MethodGet, host+"/nothing", nil))
		saw("not there, in a browser", b.Get(host+"/nothing"))
		saw("a path that climbs", p.Fetch(t, http.MethodGet, host+"/x/%2e%2e/y", nil))
		saw("another method", p.Fetch(t, http.MethodDelete, host+"/docs", nil))
		saw("too long", p.Fetch(t, http.MethodGet, host+"/?"+strings.Repeat("x", 16<<10), nil))
		saw("another host", func() *platformtest.Response {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, host+"/", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = "evil.example"
			return p.NewBrowser(t).Do(r)
		}())
	}
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	saw("our fault, on a page", b.Get(platformtest.Identity+"/"))
	saw("our fault, in the portal", dev.Get(platformtest.Developers+"/apps"))
	saw("our fault, in JSON", app.Refresh(next.Refresh))
	return seen
}

func isPage(r *platformtest.Response) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") && !strings.HasPrefix(r.Text, "<a href=") // of a redirect
}

func TestSec087_Sec088_Sec096_Sec097_HeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	answers := everyKindOfAnswer(t)
	statuses := map[int]bool{}
	for _, r := range answers {
		statuses[r.StatusCode] = true
		for header, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": openerPolicy(r),
			"Strict-Transport-Security": "max-age=63072000; includeSubDomains",
		} {
			if got := r.Header.Values(header); len(got) != 1 || got[0] != want {
				t.Errorf("%s (%d): %s is %q", r.what, r.StatusCode, header, got)
			}
		}
		if id := r.Header.Get("X-Request-Id"); !strings.HasPrefix(id, "req_") {
			t.Errorf("%s (%d): X-Request-Id is %q", r.what, r.StatusCode, id)
		}
		if kept := r.Header.Get("Cache-Control"); kept != "no-store" && !publicPage(r) {
			t.Errorf("%s (%d): Cache-Control is %q", r.what, r.StatusCode, kept)
		}
		checkPolicy(t, r)
		if kind := r.Header.Get("Content-Type"); r.Text != "" && !isPage(r.Response) && r.StatusCode != http.StatusSeeOther &&
			!slices.Contains([]string{"application/json", "application/token-introspection+jwt"}, kind) {
			t.Errorf("%s (%d): Content-Type is %q", r.what, r.StatusCode, kind)
		}
	}
	for _, status := range []int{200, 201, 303, 400, 401, 403, 404, 405, 414, 503} {
		if !statuses[status] {
			t.Errorf("no answer has the status %d", status)
		}
	}
}

// openerPolicy is what an answer has to say: on the way to an app and back, a popup
// stays its opener's.
func openerPolicy(r visit) string {
	travels := []string{"/v1/oauth/authorize", "/v1/oauth/logout", "/consent", "/signin", "/signup", "/choose", "/notice", "/signout", "/signed-out"}
	if asked := r.Request.URL; asked.Scheme+"://"+asked.Host == platformtest.Identity && slices.Contains(travels, asked.Path) && r.StatusCode < 500 {
		return "unsafe-none"
	}
	return "same-origin"
}

// scripted are the pages with a script: buttons to copy what they show, passkeys, and
// passwords that can be shown.
var scripted = []string{"portal /docs", "portal, an app", "portal, a secret", "sign-in", "sign-in, refused", "sign-up"}

// publicPage reports whether an answer is the same for everybody.
func publicPage(r visit) bool { return r.what == "portal /docs" }

// checkPolicy holds an answer against its own Content-Security-Policy.
func checkPolicy(t *testing.T, r visit) {
	t.Helper()
	sent := r.Header.Values("Content-Security-Policy")
	if len(sent) != 1 {
		t.Errorf("%s (%d): %d policies", r.what, r.StatusCode, len(sent))
		return
	}
	policy := map[string]string{}
	for directive := range strings.SplitSeq(sent[0], ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), " ")
		policy[name] = value
	}
	for name, want := range map[string]string{"default-src": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'"} {
		if policy[name] != want {
			t.Errorf("%s (%d): %s is %q", r.what, r.StatusCode, name, policy[name])
		}
	}
	if strings.Contains(sent[0], "unsafe") || strings.Contains(sent[0], "*") || strings.Contains(sent[0], "data:") || strings.Contains(sent[0], "http:") {
		t.Errorf("%s (%d): the policy is %s", r.what, r.StatusCode, sent[0])
	}
	if !isPage(r.Response) {
		return
	}
	forms, script := 0, false
	doc, err := html.Parse(strings.NewReader(r.Text))
	if err != nil {
		t.Fatal(err)
	}
	for node := range doc.Descendants() {
		attrs := map[string]string{}
		for _, a := range node.Attr {
			attrs[a.Key] = a.Val
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("%s: <%s> has %s", r.what, node.Data, a.Key)
			}
		}
		switch node.Data {
		case "form":
			forms++
		case "script":
			script = true
			if !strings.HasPrefix(attrs["src"], "/static/") || node.FirstChild != nil {
				t.Errorf("%s: a script from %q", r.what, attrs["src"])
			}
		case "style", "iframe", "object", "embed", "base":
			if node.Type == html.ElementNode {
				t.Errorf("%s: <%s>", r.what, node.Data)
			}
		case "img", "link":
			if address := attrs["src"] + attrs["href"]; !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
				t.Errorf("%s: <%s> from %s", r.what, node.Data, address)
			}
		}
	}
	posted := strings.HasPrefix(r.what, "form_post")
	if script != (policy["script-src"] == "'self'") || script != (posted || slices.Contains(scripted, r.what)) {
		t.Errorf("%s: a script is there %v, its policy is %q", r.what, script, policy["script-src"])
	}
	allowed, limited := policy["form-action"]
	switch {
	case posted:
		if limited {
			t.Errorf("%s: form-action is %q, which would stop the app's own redirect", r.what, allowed)
		}
	case forms == 0:
		if allowed != "'none'" && allowed != ownForms(r) {
			t.Errorf("%s: without a form, form-action is %q", r.what, allowed)
		}
	case limited && allowed != ownForms(r):
		t.Errorf("%s: a form that may not be sent: %q", r.what, allowed)
	}
}

// ownForms is where a page's own forms may lead: to its host, and from the portal to
// identity, where their sender has to sign in first.
func ownForms(r visit) string {
	if r.Request.URL.Host == "developers.platform.test" && !strings.HasPrefix(r.Request.URL.Path, "/docs") {
		return "'self' " + platformtest.Identity
	}
	return "'self'"
}

func TestSec095_NoOtherOriginReadsAnAnswer(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	public := []string{
		platformtest.Identity + "/.well-known/openid-configuration", platformtest.Identity + "/.well-known/oauth-authorization-server",
		platformtest.Identity + "/.well-known/jwks.json", platformtest.Clinical + "/.well-known/oauth-protected-resource",
	}
	private := []string{
		platformtest.Identity + "/v1/oauth/token", platformtest.Identity + "/v1/oauth/par", platformtest.Identity + "/v1/oauth/introspect",
		platformtest.Identity + "/v1/oauth/revoke", userInfo, platformtest.Identity + "/v1/oauth/authorize", platformtest.Identity + "/v1/oauth/logout",
		platformtest.Identity + "/consent", platformtest.Identity + "/signin", platformtest.Identity + "/", biomarkers,
		platformtest.Developers + "/apps", platformtest.Developers + "/docs", platformtest.Developers + "/callback", platformtest.Identity + "/nothing",
	}
	for _, origin := range []string{
		"https://evil.example", "null", "https://app.example.com", "https://app.example.com.evil.example", "http://app.example.com", "https://identity.platform.test.evil.example",
		platformtest.Developers, "file://", "*",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
			header := http.Header{"Origin": {origin}, "Authorization": {"Bearer " + tokens.Access}, "Cookie": {"x=y"}, "Content-Type": {"application/x-www-form-urlencoded"}}
			if method == http.MethodOptions {
				header = http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"authorization, dpop"}}
			}
			for _, address := range append(slices.Clone(private), public...) {
				r := p.Fetch(t, method, address, header)
				shared := slices.Contains(public, address) && method != http.MethodPost // whoever asks may read it, and ask first
				open := shared && method == http.MethodGet
				for name := range r.Header {
					anybody := shared && name != "Access-Control-Allow-Credentials" && r.Header.Get("Access-Control-Allow-Origin") == "*"
					if strings.HasPrefix(name, "Access-Control-") && !anybody {
						t.Errorf("%s %s from %s: %s is %q", method, address, origin, name, r.Header.Get(name))
					}
				}
				if open && (r.Header.Get("Access-Control-Allow-Origin") != "*" || r.StatusCode != http.StatusOK) {
					t.Errorf("%s from %s: %d, nobody may read it", address, origin, r.StatusCode)
				}
				if origin != "*" && strings.Contains(r.Text, origin) && strings.Contains(origin, "evil") {
					t.Errorf("%s repeats the origin", address)
				}
			}
		}
	}
}

func TestSec096_NoPrivatePageUnderAPublicName(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Adalgisa") // long enough that no random text holds it
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	for _, path := range []string{
		"/account/x.css", "/account.css", "/account;.css", "/account%2f..%2flogo.png", "/account%00.css", "/account%3f.css", "/account/%2e%2e/x.css", "/account%0a.css",
		"/consent/x.js", "/x.css", "/signin/x.css", "/signout;x.css", "/v1/oauth/userinfo/x.css", "/v1/oauth/userinfo.json", "/v1/oauth/userinfo%2fx.css",
		"/v1/biomarkers/me/x.css", "/v1/biomarkers/me;x.css", "/v1/biomarkers/me%2ecss", "/v1/biomarkers%2fme", "/apps/x.css", "/apps;x.js", "/static/../account", "/static/..%2faccount",
		"/static/", "/static", "/static/none.css",
	} {
		for _, host := range hosts {
			r := p.Fetch(t, http.MethodGet, host+path, http.Header{"Authorization": {"Bearer " + tokens.Access}, "Accept": {"text/html"}})
			own := b.Get(host + path)
			for _, r := range []*platformtest.Response{r, own} {
				named := path == "/apps/x.css" && host == platformtest.Developers // an app that is not there: sign in first
				if r.StatusCode != http.StatusNotFound && !named || strings.Contains(r.Text, ada.Name) || strings.Contains(r.Text, "bmk_") {
					t.Errorf("%s%s: %d", host, path, r.StatusCode)
				}
				if kept := r.Header.Get("Cache-Control"); kept != "no-store" {
					t.Errorf("%s%s: Cache-Control is %q", host, path, kept)
				}
			}
		}
	}
	t.Run("no header that a cache does not know changes an answer", func(t *testing.T) {
		for _, host := range hosts {
			for _, path := range []string{"/", "/.well-known/openid-configuration", "/docs", "/nothing"} {
				r := p.Fetch(t, http.MethodGet, host+path, http.Header{
					"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Prefix": {"/evil.example"}, "X-Forwarded-Proto": {"evil.example"}, "X-Original-Url": {"/evil.example"},
					"X-Host": {"evil.example"}, "X-Request-Id": {"evil.example"}, "Forwarded": {"host=evil.example"}, "User-Agent": {"evil.example"}, "Referer": {"https://evil.example"},
				})
				if strings.Contains(r.Text, "evil.example") || strings.Contains(headerText(r.Header), "evil.example") {
					t.Errorf("%s%s repeats it", host, path)
				}
			}
		}
	})
}

func headerText(h http.Header) string {
	var text strings.Builder
	_ = h.Write(&text)
	return text.String()
}

func TestSec097_AMethodIsWhatItSaysItIs(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	send := func(method, address string, header http.Header, form url.Values) *platformtest.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(r.Header, header)
		if form != nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return b.Do(r)
	}
	t.Run("an override has no effect", func(t *testing.T) {
		for _, header := range []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"} {
			asPost := http.Header{header: {"POST"}}
			for address, form := range map[string]url.Values{
				platformtest.Identity + "/v1/oauth/token":  {"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "client_id": {string(app.ID)}, "client_secret": {app.Secret}},
				platformtest.Identity + "/v1/oauth/revoke": {"token": {tokens.Access}, "client_id": {string(app.ID)}, "client_secret": {app.Secret}},
			} {
				if r := send(http.MethodGet, address+"?"+form.Encode()+"&_method=POST", asPost, nil); r.StatusCode != http.StatusMethodNotAllowed {
					t.Errorf("%s by GET: %d", address, r.StatusCode)
				}
			}
			if r := send(http.MethodGet, platformtest.Identity+"/signout?_method=POST", asPost, nil); r.StatusCode != http.StatusOK || b.Get(platformtest.Identity+"/").StatusCode != http.StatusOK {
				t.Errorf("signing out by GET: %d", r.StatusCode)
			}
			read := http.Header{header: {"DELETE"}, "Authorization": {"Bearer " + tokens.Access}}
			if r := send(http.MethodGet, biomarkers+"?_method=DELETE", read, nil); r.StatusCode >= 500 || r.StatusCode == http.StatusNoContent {
				t.Errorf("deleting by GET: %d", r.StatusCode)
			}
		}
	})
	t.Run("HEAD and TRACE change nothing", func(t *testing.T) {
		for _, address := range []string{
			platformtest.Identity + "/v1/oauth/token", platformtest.Identity + "/v1/oauth/par", platformtest.Identity + "/v1/oauth/introspect", platformtest.Identity + "/v1/oauth/revoke",
			platformtest.Identity + "/v1/oauth/authorize?" + app.Request().Encode(), platformtest.Identity + "/v1/oauth/logout?" + url.Values{"id_token_hint": {tokens.ID}}.Encode(),
		} {
			if r := send(http.MethodHead, address, nil, nil); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") == "" {
				t.Errorf("HEAD %s: %d, Allow %q", address, r.StatusCode, r.Header.Get("Allow"))
			}
		}
		for _, host := range hosts {
			for _, method := range []string{http.MethodTrace, "TRACK", http.MethodConnect, "DEBUG", "get", "PROPFIND"} {
				r := send(method, host+"/", http.Header{"X-Secret": {"do-not-repeat"}}, nil)
				if r.StatusCode != http.StatusMethodNotAllowed && r.StatusCode != http.StatusNotFound || strings.Contains(r.Text, "do-not-repeat") {
					t.Errorf("%s %s: %d %s", method, host, r.StatusCode, r.Text)
				}
			}
		}
		if p.UserInfo(t, tokens.Access).StatusCode != http.StatusOK || b.Get(platformtest.Identity+"/").StatusCode != http.StatusOK {
			t.Error("something ended")
		}
	})
}

// endless is a body that goes on for ever, and counts what was taken of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	e.read += len(p)
	return len(p), nil
}

func TestSec115_WhatIsTooLargeIsRefusedBeforeItIsRead(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	b := p.NewBrowser(t)
	post := func(address string, body io.Reader) *platformtest.Response {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return b.Do(r)
	}
	t.Run("bodies", func(t *testing.T) {
		for _, path := range []string{
			"/v1/oauth/token", "/v1/oauth/par", "/v1/oauth/introspect", "/v1/oauth/revoke", "/v1/oauth/authorize", "/v1/oauth/logout", "/v1/oauth/userinfo",
			"/signin", "/signup", "/consent", "/choose", "/notice", "/signout",
		} {
			if r := post(platformtest.Identity+path, strings.NewReader(strings.Repeat("a", 64<<10)+"=")); r.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s with 64 KiB and a byte: %d", path, r.StatusCode)
			}
			without := &endless{}
			if r := post(platformtest.Identity+path, without); r.StatusCode != http.StatusRequestEntityTooLarge || without.read > 1<<20 {
				t.Errorf("%s without end: %d, %d bytes were read", path, r.StatusCode, without.read)
			}
		}
		exact := url.Values{"client_id": {string(app.ID)}, "client_secret": {app.Secret}, "grant_type": {"refresh_token"}}
		padded := exact.Encode() + "&x=" + strings.Repeat("a", 64<<10-len(exact.Encode())-3)
		if r := post(platformtest.Identity+"/v1/oauth/token", strings.NewReader(padded)); r.JSON(t)["error"] != "invalid_request" || r.StatusCode != http.StatusBadRequest {
			t.Errorf("64 KiB: %d %s", r.StatusCode, r.Text)
		}
	})
	t.Run("parameters", func(t *testing.T) {
		many := strings.Repeat("x=y&", 1000)
		if r := post(platformtest.Identity+"/v1/oauth/token", strings.NewReader(many)); r.StatusCode != http.StatusBadRequest || r.JSON(t)["error"] != "invalid_request" {
			t.Errorf("in a form: %d %s", r.StatusCode, r.Text)
		}
		if r := b.Get(platformtest.Identity + "/v1/oauth/authorize?" + many); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
			t.Errorf("in an address: %d", r.StatusCode)
		}
	})
	for _, host := range hosts {
		t.Run("addresses and headers of "+host, func(t *testing.T) {
			for _, address := range []string{host + "/" + strings.Repeat("a", 16<<10), host + "/?" + strings.Repeat("a", 16<<10), host + "/" + strings.Repeat("a/", 8<<10)} {
				if r := p.Fetch(t, http.MethodGet, address, nil); r.StatusCode != http.StatusRequestURITooLong || r.JSON(t)["error"] != "uri_too_long" {
					t.Errorf("an address of 16 KiB: %d", r.StatusCode)
				}
			}
			many := http.Header{}
			for range 1000 {
				many.Add("X-Many", "x")
			}
			names := http.Header{}
			for i := range 1000 {
				names.Set("X-Name-"+strings.Repeat("n", i%50)+string(rune('a'+i%26))+string(rune('a'+i/26%26)), "x")
			}
			for name, header := range map[string]http.Header{
				"a header of 64 KiB": {"X-Large": {strings.Repeat("a", 64<<10)}}, "a name of 64 KiB": {"X-" + strings.Repeat("A", 64<<10): {"x"}},
				"1,000 headers of one name": many, "a cookie of 64 KiB": {"Cookie": {"x=" + strings.Repeat("a", 64<<10)}}, "1,000 headers": names,
				"a token of 64 KiB": {"Authorization": {"Bearer " + strings.Repeat("a", 64<<10)}}, "a proof of 64 KiB": {"Dpop": {strings.Repeat("a", 64<<10)}},
			} {
				if r := p.Fetch(t, http.MethodGet, host+"/", header); r.StatusCode != http.StatusRequestHeaderFieldsTooLarge || r.JSON(t)["error"] != "headers_too_large" {
					t.Errorf("%s: %d", name, r.StatusCode)
				}
			}
		})
	}
}
