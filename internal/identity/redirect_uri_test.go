package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// foreignURIs are strings that an app with the redirect URI Callback did not
// register, by the number of their attack.
var foreignURIs = map[string][]string{
	"Sec001": {"https://app.example.com/cb/", "https://app.example.com/CB", "https://APP.example.com/cb", "HTTPS://app.example.com/cb"},
	"Sec002": {
		"https://app.example.com/cb?x=1", "https://app.example.com/cb?", "https://app.example.com/cb#", "https://app.example.com/cb#code=evil",
		"https://app.example.com/cb?code=evil&state=x&iss=https://evil.example",
	},
	"Sec003": {"https://app.example.com.evil.example/cb", "https://app.example.comevil.example/cb", "https://evil.example/app.example.com/cb"},
	"Sec004": {"https://app.example.com@evil.example/cb", "https://app.example.com:443@evil.example/cb", `https://evil.example\@app.example.com/cb`},
	"Sec005": {"https://a@b@app.example.com/cb", "https://app.example.com%40evil.example/cb"},
	"Sec006": {
		"https://app.example.com/cb/../evil", "https://app.example.com/cb/..;/evil", "https://app.example.com/cb%2f..%2fevil",
		"https://app.example.com/cb/%2e%2e/evil", "https://app.example.com//cb", "https://app.example.com/./cb",
	},
	"Sec007": {"https://app.example.com:443/cb", "https://app.example.com:8443/cb", "https://app.example.com./cb", "http://app.example.com/cb"},
	"Sec008": {"https:/app.example.com/cb", "https:app.example.com/cb", "//app.example.com/cb", "/cb", "", "null"},
	"Sec009": {
		`https://app.example.com\cb`, "https://app.example.com/cb%00", "https://app.example.com/cb\x00", "https://app.example.com/cb%0d%0aSet-Cookie:x=1",
		"https://app.example.com/cb\r\nSet-Cookie:x=1", "https://app.example.com/cb%09", " https://app.example.com/cb", "https://app.example.com/cb ",
	},
	"Sec010": {"https://аpp.example.com/cb", "https://app。example.com/cb", "https://xn--pp-6kc.example.com/cb", "https://app.example.com/%63b"},
	"Sec011": {
		"javascript:alert(1)//app.example.com/cb", "JaVaScRiPt:alert(1)", "java%0ascript:alert(1)", "java\nscript:alert(1)", "data:text/html,x",
		"vbscript:x", "file:///etc/passwd", "blob:https://app.example.com/1", "view-source:https://app.example.com/cb",
	},
}

// leadsNowhere holds an answer to be a page that no browser leaves by itself, and
// that leads to nobody who was named.
func leadsNowhere(t *testing.T, r *platformtest.Response, named string) {
	t.Helper()
	if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" || r.Header.Get("Refresh") != "" ||
		strings.Contains(r.Text, "http-equiv") || strings.Contains(r.Text, "<script") || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%q: status %d, location %q: want a page that leads nowhere", named, r.StatusCode, r.Header.Get("Location"))
	}
	for attribute := range strings.SplitSeq(r.Text, `="`) {
		if target, _, _ := strings.Cut(attribute, `"`); strings.HasPrefix(strings.ToLower(strings.TrimSpace(target)), "javascript:") || strings.Contains(target, "evil.example") {
			t.Errorf("%q: the page leads to %q", named, target)
		}
	}
}

func TestSec001_AForeignRedirectURIIsAPage(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app, keyed := p.AddApp(t, nil), p.AddKeyApp(t, nil)
	other := p.AddApp(t, func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"https://other.example.com/cb"} })
	b := p.NewBrowser(t)
	app.Code(b, ada) // signed in, and allowed: a correct request would be answered at once
	for number, uris := range foreignURIs {
		t.Run(number, func(t *testing.T) {
			for _, uri := range append(uris, "https://other.example.com/cb") {
				request := app.Request()
				request.Set("redirect_uri", uri)
				leadsNowhere(t, b.Authorize(request), uri)
				leadsNowhere(t, b.Follow(b.Post(platformtest.Identity+"/v1/oauth/authorize", request)), uri)
				leadsNowhere(t, b.Authorize(with(request, "response_type", "bogus", "state", "", "scope", "x", "code_challenge", "", "response_mode", "form_post")), uri)
			}
		})
		t.Run(number+" pushed, and in a signed request", func(t *testing.T) {
			for _, uri := range uris {
				request := keyed.Request()
				request.Set("redirect_uri", uri)
				refused(t, keyed.Send("/v1/oauth/par", request, nil), http.StatusBadRequest, "invalid_request")
				signed := keyed.Signed(request)
				leadsNowhere(t, b.Authorize(url.Values{"client_id": signed["client_id"], "request": signed["request"]}), uri)
			}
		})
	}
	t.Run("Sec015 the redirect URI of one app with the client_id of another", func(t *testing.T) {
		leadsNowhere(t, b.Authorize(with(app.Request(), "client_id", string(other.ID))), "another's")
		leadsNowhere(t, b.Authorize(with(app.Request(), "client_id", string(other.ID), "response_type", "bogus", "state", "")), "another's")
	})
	t.Run("the registered one works", func(t *testing.T) {
		if got := b.Authorize(app.Request()).Redirected(t).Query(); !got.Has("code") {
			t.Errorf("got %v", got)
		}
	})
}

func TestSec013_ALoopbackAppIsAnsweredOnLoopbackAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app := p.AddApp(t, func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"http://127.0.0.1/cb"} })
	b := p.NewBrowser(t)
	app.Code(b, ada)
	for _, uri := range []string{
		"http://127.0.0.1:9/cb?x=1", "http://127.0.0.1:99999/cb", "http://127.0.0.1:9@evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://127.1/cb",
		"http://0x7f000001/cb", "http://2130706433/cb", "http://0.0.0.0/cb", "http://[::ffff:127.0.0.1]/cb", "http://localhost:9/cb", "https://127.0.0.1:9/cb",
	} {
		leadsNowhere(t, b.Authorize(with(app.Request(), "redirect_uri", uri)), uri)
	}
	for _, uri := range []string{"http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "http://127.0.0.1:49152/cb", "http://127.0.0.1:65535/cb"} {
		to := b.Authorize(with(app.Request(), "redirect_uri", uri)).Redirected(t)
		if !strings.HasPrefix(to.String(), uri+"?") || !to.Query().Has("code") {
			t.Errorf("%s: the answer goes to %s", uri, to)
		}
	}
}
