package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// A member's browser is led here by pages of other sites, too.
func TestSec140_ARequestThatIsNoNavigationIsNotCountedAndGetsNoPage(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	address := platformtest.Identity + "/v1/oauth/authorize?" + app.Request().Encode()
	ask := func(address, dest string) *platformtest.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Sec-Fetch-Dest": {dest}, "Sec-Fetch-Site": {"cross-site"}, "Accept": {"text/html"}}
		return b.Do(req)
	}
	for _, dest := range []string{"image", "iframe", "frame", "embed", "object", "script", "style", "empty", "fencedframe"} {
		for range 60 { // more than the minute's limit
			if r := ask(address, dest); r.StatusCode != http.StatusForbidden || strings.Contains(r.Header.Get("Content-Type"), "html") || r.Header.Get("X-RateLimit-Limit") != "" {
				t.Fatalf("%s: %d %v", dest, r.StatusCode, r.Header)
			}
		}
		for _, path := range []string{"/signin", "/signup", "/", "/v1/oauth/logout", "/continue?continue=x", "/consent?continue=x"} {
			if r := ask(platformtest.Identity+path, dest); r.StatusCode != http.StatusForbidden || strings.Contains(r.Header.Get("Content-Type"), "html") {
				t.Errorf("%s as %s: %d", path, dest, r.StatusCode)
			}
		}
	}
	if r := ask(address, "document"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the member's own request: %d %s", r.StatusCode, r.Text)
	}
}

func TestSec141_NoActAnswersHEAD(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	asked := b.Authorize(app.Request()).Redirected(t).String() // to sign-in
	app.Code(b, ada)                                           // from now on, the request needs nothing more
	issued := p.Count(t, "identity", "audit_records WHERE event = 'code.issued'")
	head := func(address string) *platformtest.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return b.Do(req)
	}
	for _, address := range []string{
		platformtest.Identity + "/v1/oauth/authorize?" + app.Request().Encode(), strings.Replace(asked, "/signin", "/continue", 1),
		platformtest.Identity + "/v1/oauth/logout", platformtest.Developers + "/callback?code=x&state=x",
	} {
		if r := head(address); r.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(r.Header.Get("Allow"), "GET") {
			t.Errorf("%.70s: %d", address, r.StatusCode)
		}
	}
	for _, page := range []string{"/consent", "/signin", "/signup", "/choose", "/notice"} {
		if r := head(strings.Replace(asked, "/signin", page, 1)); strings.Contains(r.Header.Get("Location"), "code=") {
			t.Errorf("%s leads to %s", page, r.Header.Get("Location"))
		}
	}
	if now := p.Count(t, "identity", "audit_records WHERE event = 'code.issued'"); now != issued {
		t.Errorf("%d codes were issued", now-issued)
	}
	if r := b.Get(strings.Replace(asked, "/signin", "/continue", 1)); !r.Redirected(t).Query().Has("code") {
		t.Errorf("GET issues none: %s", r.Text)
	}
}

func TestPages_SignInByPopupKeepsItsOpener(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	kept := func(what string, r *platformtest.Response) *platformtest.Response {
		t.Helper()
		if got := r.Header.Get("Cross-Origin-Opener-Policy"); got != "unsafe-none" {
			t.Errorf("%s cuts the popup off: %q", what, got)
		}
		return r
	}
	follow := func(r *platformtest.Response) *platformtest.Response {
		for strings.HasPrefix(r.Header.Get("Location"), "/") {
			r = kept("on the way", b.Get(platformtest.Identity+r.Header.Get("Location")))
		}
		return r
	}
	page := follow(kept("authorize", b.Authorize(app.Request())))
	kept("a refused sign-in", signIn(b, string(ada.Email), "wrong"))
	consent := follow(kept("sign-in", b.Post(platformtest.Identity+"/signin", with(url.Values{}, "csrf", page.Field("csrf"), "continue", page.Field("continue"), "email", string(ada.Email), "password", platformtest.Password))))
	kept("the answer", b.Post(platformtest.Identity+"/consent", with(url.Values{}, "csrf", consent.Field("csrf"), "continue", consent.Field("continue"), "ticket", consent.Field("ticket"), "decision", "allow")))
	kept("an error", b.Authorize(with(app.Request(), "prompt", "none", "response_type", "x")))
	kept("a page of an error", b.Authorize(with(app.Request(), "client_id", "x")))
	kept("sign-out at an app's request", b.Get(logoutAddress))
	if got := b.Get(platformtest.Identity + "/").Header.Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
		t.Errorf("the member's own page: %q", got)
	}
}
