package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const authorize = platformtest.Identity + "/v1/oauth/authorize"

// paste sends an authorization request to the debugger.
func paste(b *platformtest.Browser, text string) *platformtest.Response {
	return b.Post(developers+"/debugger", form(b.Get(developers+"/debugger"), url.Values{"url": {text}}))
}

var failedCheck = regexp.MustCompile(`<tr class="refused"><th scope="row"><code>([^<]+)</code>`)

func failedChecks(page string) string {
	var names []string
	for _, found := range failedCheck.FindAllStringSubmatch(page, -1) {
		names = append(names, found[1])
	}
	return strings.Join(names, " ")
}

func TestDebugger_EachCheckIsTheServersOwn(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, func(c *loop.Client) { c.Mode, c.Protocol.RequireState = loop.Development, true })
	good := d.app.Request()
	for _, c := range []struct {
		name   string
		params url.Values
		failed string
	}{
		{"a good request", good, ""},
		{"no state", with(good, "state", ""), "state"},
		{"plain", with(good, "code_challenge_method", "plain"), "code_challenge_method"},
		{"no challenge", with(with(good, "code_challenge", ""), "code_challenge_method", ""), "code_challenge"},
		{"another redirect URI", with(good, "redirect_uri", "https://app.example.com/other"), "redirect_uri"},
		{"a scope that there is not", with(good, "scope", "openid read:everything"), "scope"},
		{"a token in place of a code", with(good, "response_type", "token"), "response_type"},
		{"sent twice", url.Values{"prompt": {"login", "login"}}, "duplicates"},
		{"a pushed request that never was", with(good, "request_uri", "urn:example:x"), "request, request_uri"},
		{"several", with(with(good, "max_age", "soon"), "prompt", "none login"), "prompt max_age"},
		{"a hint of nobody", with(good, "id_token_hint", "x.y.z"), "id_token_hint"},
		{"another resource", with(good, "resource", "https://api.example.com"), "resource"},
	} {
		t.Run(c.name, func(t *testing.T) {
			params := c.params
			if !params.Has("client_id") {
				params = url.Values{}
				for name, values := range good {
					params[name] = values
				}
				params["prompt"] = c.params["prompt"]
			}
			page := paste(d.portal, authorize+"?"+params.Encode())
			if got := failedChecks(page.Text); page.StatusCode != http.StatusOK || got != c.failed {
				t.Errorf("%d: the checks %q fail, not %q", page.StatusCode, got, c.failed)
			}
			// The server says the same of the request when it comes.
			answer := d.NewBrowser(t).Authorize(params)
			refused := strings.Contains(answer.Header.Get("Location"), "error=") || answer.StatusCode == http.StatusBadRequest || strings.Contains(answer.Text, "You are leaving Loop")
			if refused != (c.failed != "") {
				t.Errorf("the server answers %d %s", answer.StatusCode, answer.Header.Get("Location"))
			}
			for _, row := range regexp.MustCompile(`(?s)<tr[^>]*><th scope="row"><code>[^<]+</code></th><td>.*?</td>\s*<td>(.)`).FindAllStringSubmatch(page.Text, -1) {
				if row[1] == "<" {
					t.Error("a check says nothing of what it demands")
				}
			}
		})
	}
}

func TestDebugger_SaysWhatWasPastedWhereItIsNoRequest(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, nil)
	query := d.app.Request().Encode()
	for text, want := range map[string]string{
		"hello":                                        "it has no parameters",
		"https://evil.example/?" + query:               "Authorization requests are sent to",
		authorize + "/?" + query:                       "Authorization requests are sent to",
		authorize + "?" + query + "&state=%":           "not well-formed",
		authorize + "?" + strings.Repeat("a=b&", 4000): "longer than",
		authorize + "?" + query:                        "It is good",
		query:                                          "It is good",
		"?" + query:                                    "It is good",
		authorize + "?" + query + "#fragment":          "It is good",
	} {
		if page := paste(d.portal, text); page.StatusCode != http.StatusOK || !strings.Contains(page.Text, want) {
			t.Errorf("%.60s: %d, without %q", text, page.StatusCode, want)
		}
	}
	if page := paste(d.portal, authorize+"?client_id=<script>alert(1)</script>&redirect_uri=\"><img>"); strings.Contains(page.Text, "<script>alert") || strings.Contains(page.Text, "<img>") {
		t.Error("what was pasted is markup of the page")
	}
}

// Of another's app the debugger says what the server tells anybody who sends the request.
func TestSec430_TheDebuggerExplainsAnothersAppNoFurtherThanTheServer(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, func(c *loop.Client) { c.Mode, c.Name = loop.Development, "Secret project" })
	outsider := developerOf(t, d.Platform, d.ada)
	for name, params := range map[string]url.Values{
		"good": d.app.Request(), "another redirect URI": with(d.app.Request(), "redirect_uri", "http://localhost:5000/other"),
		"another scope": with(d.app.Request(), "scope", "openid manage:connected_apps"), "nobody's": with(d.app.Request(), "client_id", string(loop.NewClientID(d.World))),
	} {
		page := paste(outsider, authorize+"?"+params.Encode())
		if page.StatusCode != http.StatusOK || strings.Contains(page.Text, "<table") || strings.Contains(page.Text, "Secret project") || strings.Contains(page.Text, `id="mended"`) {
			t.Errorf("%s: an outsider sees %d %s", name, page.StatusCode, page.Text)
		}
		registered := string(d.app.RedirectURIs[0])
		if shown := strings.ReplaceAll(page.Text, url.QueryEscape(registered), ""); params.Get("redirect_uri") != registered && strings.Contains(shown, registered) {
			t.Errorf("%s: an outsider sees the redirect URI", name)
		}
	}
	if r := d.NewBrowser(t).Get(developers + "/debugger"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("who is signed out sees %d", r.StatusCode)
	}
	if r := d.portal.Post(developers+"/debugger", url.Values{"url": {"x"}, "csrf": {"x"}}); r.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site is answered with %d", r.StatusCode)
	}
}

// A pushed request is not used up by looking at it, and nothing is recorded.
func TestSec431_TheDebuggerActsOnNothing(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, nil)
	pushed, _ := d.app.Send("/v1/oauth/par", d.app.Request(), nil).JSON(t)["request_uri"].(string)
	request := url.Values{"client_id": {string(d.app.ID)}, "request_uri": {pushed}}
	records := d.Count(t, "identity", "audit_records")
	for range 2 {
		if page := paste(d.portal, authorize+"?"+request.Encode()); !strings.Contains(page.Text, "It is good") {
			t.Fatalf("a pushed request is judged %s", page.Text)
		}
	}
	if got := d.Count(t, "identity", "audit_records"); got != records {
		t.Errorf("looking at a request left %d records", got-records)
	}
	b := d.NewBrowser(t)
	if code := b.Allow(request, d.ada).Query().Get("code"); code == "" {
		t.Error("the request was used up")
	}
}
