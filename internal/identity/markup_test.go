package identity_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// hostileTexts are texts that become something else where they are not escaped.
var hostileTexts = []string{
	`"><svg onload=alert(1)>`, `{{7*7}}`, `javascript:alert(1)`, `'><img src=x onerror=alert(1)>`, `</title><script>alert(1)</script>`, `<!--`, `${7*7}`, `&#x3c;script&#x3e;`,
	"`onfocus=alert(1)`", `</textarea><base href=//evil.example>`, `x" autofocus onfocus="alert(1)`,
}

// onlyText fails the test where a page holds what none of ours does, or a link
// that a browser would run.
func onlyText(t *testing.T, what string, r *platformtest.Response) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(r.Text))
	if err != nil {
		t.Fatal(err)
	}
	for node := range doc.Descendants() {
		if node.Type == html.CommentNode {
			t.Errorf("%s: a comment", what)
		}
		if node.Type != html.ElementNode {
			continue
		}
		switch node.Data {
		case "img", "iframe", "object", "base", "textarea", "style":
			t.Errorf("%s: <%s>", what, node.Data)
		}
		for _, attr := range node.Attr {
			value := strings.ToLower(attr.Val)
			if strings.HasPrefix(attr.Key, "on") || attr.Key == "autofocus" || node.Data == "script" && attr.Key == "src" && !strings.HasPrefix(value, "/static/") ||
				(attr.Key == "href" || attr.Key == "action" || attr.Key == "src") && (strings.HasPrefix(value, "javascript:") || strings.HasPrefix(value, "data:") || strings.HasPrefix(value, "//")) {
				t.Errorf("%s: <%s %s=%q>", what, node.Data, attr.Key, attr.Val)
			}
		}
		if node.Data == "script" && node.FirstChild != nil {
			t.Errorf("%s: a script of its own", what)
		}
	}
}

func TestSec089_WhatStrangersWriteStaysText(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	plain := p.AddApp(t, nil)
	for i, text := range hostileTexts {
		t.Run(text, func(t *testing.T) {
			m, err := p.Accounts.Create(t.Context(), member.Account{
				Name: text, Email: fmt.Sprintf("member%d@members.example", i), Password: platformtest.Password, Test: true,
			})
			if err != nil { // a name that nobody may have
				m = p.AddMember(t, fmt.Sprintf("Plain%d", i))
			}
			named := plain
			app := p.AddApp(t, func(c *loop.Client) {
				c.Verified, c.HomePage, c.PolicyPage = false, "https://app.example.com/%22%3E%3Csvg%20onload=alert(1)%3E", "https://app.example.com/"
				if name := []rune(text); len(name) <= 60 {
					c.Name = text
				}
			})
			if app.Name == text {
				named = app
			}
			b := p.NewBrowser(t)
			request := with(named.Request(), "login_hint", text, "ui_locales", text, "claims_locales", text, "display", text, "state", text)
			signIn := b.Follow(b.Authorize(request))
			onlyText(t, "sign-in "+text, signIn)
			onlyText(t, "sign-in, refused "+text, b.Post(platformtest.Identity+"/signin", url.Values{
				"csrf": {signIn.Field("csrf")}, "continue": {signIn.Field("continue")}, "email": {text}, "password": {text},
			}))
			onlyText(t, "sign-up, refused "+text, b.Post(platformtest.Identity+"/signup", url.Values{
				"csrf": {signIn.Field("csrf")}, "continue": {signIn.Field("continue")}, "name": {text}, "email": {text}, "password": {text},
			}))
			onlyText(t, "leaving "+text, p.NewBrowser(t).Authorize(with(app.Request(), "prompt", "none", "state", text)))
			consent := b.SignIn(signIn, m)
			onlyText(t, "consent "+text, consent)
			if !strings.Contains(html.UnescapeString(consent.Text), named.Name+"?") {
				t.Error("the consent page does not name the app as it is")
			}
			onlyText(t, "an answer that is none "+text, b.Decide(consent, text, text))
			if got := b.Decide(consent, "allow", "profile").Redirected(t).Query(); got.Get("state") != text || !got.Has("code") {
				t.Errorf("the state came back as %q", got.Get("state"))
			}
			onlyText(t, "home "+text, b.Get(platformtest.Identity+"/"))
			onlyText(t, "sign-out "+text, b.Get(logoutAddress+"?"+url.Values{"client_id": {string(named.ID)}, "state": {text}}.Encode()))
			post := b.Authorize(with(named.Request(), "response_mode", "form_post", "state", text))
			onlyText(t, "form_post "+text, post)
			if post.Field("state") != text || post.Header.Get("Cache-Control") != "no-store" || !strings.Contains(post.Text, `id="continue"`) {
				t.Errorf("Sec090 form_post gives the state as %q", post.Field("state"))
			}
			for name, params := range map[string]url.Values{
				"redirect_uri": with(named.Request(), "redirect_uri", "https://app.example.com/"+text), "redirect_uri, all of it": with(named.Request(), "redirect_uri", text),
				"client_id": with(named.Request(), "client_id", text), "request_uri": {"client_id": {text}, "request_uri": {"urn:ietf:params:oauth:request_uri:" + text}},
				"a name": {text: {text}}, "continue": {"continue": {text}},
			} {
				onlyText(t, name+" "+text, p.NewBrowser(t).Authorize(params))
				onlyText(t, name+" at sign-in "+text, p.NewBrowser(t).Get(platformtest.Identity+"/signin?"+params.Encode()))
				onlyText(t, name+" at logout "+text, p.NewBrowser(t).Get(logoutAddress+"?"+params.Encode()))
			}
			strange := p.Fetch(t, http.MethodGet, platformtest.Identity+"/"+url.PathEscape(text), http.Header{
				"Accept": {"text/html"}, "User-Agent": {text}, "X-Request-Id": {text}, "Referer": {text}, "Accept-Language": {text}, "Cookie": {"__Host-loop_browser=" + text},
			})
			onlyText(t, "a path and headers "+text, strange)
			if strings.Contains(strange.Text, text) || strings.Contains(strange.Header.Get("X-Request-Id"), text) {
				t.Error("the page repeats it")
			}
			for _, name := range []string{"error", "error_description", "error_uri", "message"} {
				if r := b.Get(platformtest.Identity + "/signin?" + url.Values{name: {text}}.Encode()); strings.Contains(r.Text, text) {
					t.Errorf("%s is repeated", name)
				}
			}
			if r := plain.Token(url.Values{"grant_type": {text}, "refresh_token": {text}, "scope": {text}, text: {text}}); strings.Contains(r.Text, "svg") || strings.Contains(r.Text, "script>") {
				t.Errorf("an error repeats it: %s", r.Text)
			}
		})
	}
}

// noNewLine fails the test where a header of an answer has a line break in it, or
// one that was smuggled in.
func noNewLine(t *testing.T, what string, r *platformtest.Response) {
	t.Helper()
	for name, values := range r.Header {
		for _, value := range values {
			if strings.ContainsAny(name+value, "\r\n\x00") || strings.EqualFold(name, "X-Injected") || strings.ContainsAny(value, "\u560a\u560d") {
				t.Errorf("%s: %s is %q", what, name, value)
			}
		}
	}
	if r.StatusCode >= 500 {
		t.Errorf("%s: %d", what, r.StatusCode)
	}
}

func TestSec091_NoLineBreakReachesAHeader(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	leaving := addLeaving(t, p, goodbye)
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	hint := leaving.Redeem(leaving.Code(b, ada)).Pair(t).ID
	for _, injected := range []string{"\r\nX-Injected: yes", "\nX-Injected: yes", "\rX-Injected: yes", "\u560a\u560dX-Injected: yes", "%0d%0aX-Injected: yes", "\x00X-Injected: yes", "\u2028X-Injected: yes", "\x0b\x0c\x1b[31m"} {
		for _, name := range []string{
			"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "ui_locales",
			"acr_values", "id_token_hint", "claims", "response_mode", "resource", "request", "request_uri", "dpop_jkt",
		} {
			params := app.Request()
			params.Set(name, params.Get(name)+injected)
			noNewLine(t, "authorize: "+name, b.Authorize(params))
			noNewLine(t, "authorize by POST: "+name, b.Post(platformtest.Identity+"/v1/oauth/authorize", params))
			noNewLine(t, "par: "+name, app.Send("/v1/oauth/par", params, nil))
		}
		for _, name := range []string{"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type", "resource", "token", "token_type_hint"} {
			for _, path := range []string{"/v1/oauth/token", "/v1/oauth/introspect", "/v1/oauth/revoke"} {
				form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "token": {"x"}, "client_id": {string(app.ID)}, "client_secret": {app.Secret}}
				form.Set(name, form.Get(name)+injected)
				noNewLine(t, path+": "+name, p.Post(t, platformtest.Identity+path, form, nil))
			}
		}
		for _, name := range []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id", "logout_hint", "ui_locales"} {
			params := with(url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {goodbye}, "state": {"s"}}, name, "")
			params.Set(name, map[string]string{"id_token_hint": hint, "post_logout_redirect_uri": goodbye}[name]+injected)
			noNewLine(t, "logout: "+name, p.NewBrowser(t).Get(logoutAddress+"?"+params.Encode()))
		}
		page := b.Get(platformtest.Identity + "/signin")
		for _, path := range []string{"/signin", "/signup", "/consent", "/choose", "/signout", "/notice"} {
			for _, name := range []string{"csrf", "continue", "email", "password", "name", "decision", "ticket", "logout", "member"} {
				form := url.Values{"csrf": {page.Field("csrf")}, "email": {"x@people.example"}}
				form.Set(name, form.Get(name)+injected)
				noNewLine(t, path+": "+name, p.Post(t, platformtest.Identity+path, form, http.Header{"Cookie": {"__Host-loop_browser=x"}, "Sec-Fetch-Site": {"same-origin"}}))
			}
		}
		for _, path := range []string{"/", "/signin/", "/v1/oauth/authorize/", "//evil.example/"} {
			noNewLine(t, path, p.Fetch(t, http.MethodGet, platformtest.Identity+path+url.PathEscape(injected), nil))
		}
	}
	t.Run("Sec122 nor the log", func(t *testing.T) {
		for line := range strings.SplitSeq(strings.TrimSpace(p.Log.String()), "\n") {
			if !strings.HasPrefix(line, "time=") || strings.ContainsAny(line, "\r\x1b\x00") {
				t.Errorf("the log has a line %q", line)
			}
		}
	})
}

func TestSec093_SigningInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	for _, target := range []string{
		"//evil.example", `/\evil.example`, `\\evil.example`, "/%09/evil.example", "/\t/evil.example", "https:evil.example", "https://evil.example", "/..//evil.example", "javascript:alert(1)",
		"/" + strings.Repeat("a", 8<<10), "///evil.example", "/%2f%2fevil.example", "/.evil.example", "evil.example", "http:evil.example", "data:text/html,x", "//evil.example/%2e%2e", "/signin?continue=//evil.example",
	} {
		b := p.NewBrowser(t)
		onPage(t, b.Get(platformtest.Identity+"/signin?"+url.Values{"continue": {target}}.Encode()), "")
		params := url.Values{}
		for _, name := range []string{"return_to", "next", "return", "redirect", "redirect_uri", "url", "state", "RelayState"} {
			if len(target) < 1<<10 || name == "next" {
				params.Set(name, target)
			}
		}
		form := with(url.Values{"email": {string(ada.Email)}, "password": {platformtest.Password}}, "csrf", b.Get(platformtest.Identity+"/signin").Field("csrf"))
		maps.Copy(form, params)
		if to := b.Post(platformtest.Identity+"/signin?"+params.Encode(), form).Header.Get("Location"); to != "/" {
			t.Errorf("%.40s leads to %s", target, to)
		}
		form.Set("continue", target)
		onPage(t, b.Post(platformtest.Identity+"/signin", form), "")
		r := p.NewBrowser(t).Get(platformtest.Identity + "/" + strings.TrimLeft(strings.ReplaceAll(target, "\t", "%09"), "/") + "/")
		if r.Header.Get("Location") != "" {
			t.Errorf("a slash at the end of %.40s leads to %s", target, r.Header.Get("Location"))
		}
	}
	for _, path := range []string{"//evil.example/", "//evil.example/..", "/%5cevil.example/", "/signin/", "/signin//", "/./signin", "/x/../signin", "//signin", "/static/"} {
		r := p.NewBrowser(t).Get(platformtest.Identity + path)
		if r.StatusCode != http.StatusNotFound || r.Header.Get("Location") != "" {
			t.Errorf("%s: %d, leads to %q", path, r.StatusCode, r.Header.Get("Location"))
		}
	}
}
