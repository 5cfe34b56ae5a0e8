package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// in fails the test where a page is not in the language, as what it says and what its
// header says.
func in(t *testing.T, what, language string, r *platformtest.Response) {
	t.Helper()
	if !strings.Contains(r.Text, `<html lang="`+language+`">`) || r.Header.Get("Content-Language") != language {
		t.Errorf("%s is not in %s, but in %q: %.60s", what, language, r.Header.Get("Content-Language"), r.Text)
	}
	if vary := strings.Join(r.Header.Values("Vary"), ","); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
		t.Errorf("%s: Vary is %q", what, vary)
	}
}

// choose presses a language in a page's footer.
func choose(b *platformtest.Browser, page *platformtest.Response, language string) *platformtest.Response {
	return b.Post(platformtest.Identity+"/language", url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "here": {page.Field("here")}, "language": {language},
	})
}

func TestPages_AreInTheLanguageOfTheirReader(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	b := p.NewBrowser(t)
	in(t, "a page for nobody in particular", "en", b.Get(platformtest.Identity+"/signin"))
	b.Language = "de-CH,de;q=0.9,en;q=0.5"
	in(t, "Accept-Language", "de", b.Get(platformtest.Identity+"/signin"))
	request := ada.app.Request()
	request.Set("ui_locales", "fr en de")
	in(t, "ui_locales before Accept-Language", "en", b.Follow(b.Authorize(request)))
	ada.browser.Language = "de"
	in(t, "the account before Accept-Language", "en", ada.browser.Get(appsPage))
	request.Set("ui_locales", "de")
	request.Set("prompt", "consent")
	in(t, "ui_locales before the account", "de", ada.browser.Follow(ada.browser.Authorize(request)))
}

func TestLanguage_IsChosenInTheFooterAndKept(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	page := ada.browser.Get(ada.grant)
	r := choose(ada.browser, page, "de")
	if to := r.Redirected(t); platformtest.Identity+to.Path != ada.grant {
		t.Fatalf("it leads to %s", to)
	}
	for _, address := range []string{ada.grant, appsPage, activityPage} {
		in(t, address, "de", ada.browser.Get(address))
	}
	if list := ada.browser.Get(appsPage).Text; !strings.Contains(list, "Ihre Apps") || !strings.Contains(list, "Ihre Laborwerte sehen") || !strings.Contains(list, "nichts in den letzten 12 Wochen") {
		t.Errorf("the list of apps is not in German: %s", list)
	}
	if m, err := p.Accounts.Member(t.Context(), ada.member.ID); err != nil || m.Locale != "de" {
		t.Errorf("the account has %v, %v", m, err)
	}
	elsewhere := p.SignedIn(t, ada.member)
	in(t, "another browser of the member's", "de", elsewhere.Get(appsPage))

	visitor := p.NewBrowser(t)
	choose(visitor, visitor.Get(platformtest.Identity+"/signin"), "de")
	in(t, "a browser without an account", "de", visitor.Get(platformtest.Identity+"/signup"))
}

func TestLanguage_OnTheWayToAnAppGoesBeforeWhatTheAppAsksFor(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	request := app.Request()
	request.Set("ui_locales", "en")
	page := b.Follow(b.Authorize(request))
	page = b.Follow(choose(b, page, "de"))
	in(t, "the page that it was chosen on", "de", page)
	consent := b.SignIn(page, ada)
	in(t, "the step after", "de", consent)
	if code := b.Decide(consent, "allow").Redirected(t).Query().Get("code"); code == "" {
		t.Error("the request does not come to its end")
	}
}

func TestSec290_ChoosingALanguageLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	page := b.Get(platformtest.Identity + "/signin")
	form := url.Values{"csrf": {page.Field("csrf")}, "language": {"de"}}
	for _, target := range []string{
		"", "//evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example/", "https:evil.example", "javascript:alert(1)", "/\t/evil.example", "/a/../..//evil.example",
		"//evil.example/%2e%2e", "evil.example", "/./evil", "/%5cevil.example/..", "http:///evil.example", "/" + strings.Repeat("a", 13<<10), "\n/x",
	} {
		form.Set("here", target)
		if to := b.Post(platformtest.Identity+"/language", form).Header.Get("Location"); to != "/" {
			t.Errorf("%.40q leads to %.60q", target, to)
		}
	}
	form.Set("here", "/account/activity?client=x%26y")
	if to := b.Post(platformtest.Identity+"/language", form).Header.Get("Location"); to != "/account/activity?client=x%26y" {
		t.Errorf("a page of this host leads to %q", to)
	}
	for name, c := range map[string]struct {
		form   url.Values
		status int
	}{
		"a language that there is not": {url.Values{"csrf": form["csrf"], "language": {"<script>"}}, http.StatusBadRequest},
		"no language":                  {url.Values{"csrf": form["csrf"]}, http.StatusBadRequest},
		"another site's form":          {url.Values{"language": {"de"}}, http.StatusForbidden},
	} {
		fresh := p.NewBrowser(t)
		if name != "another site's form" {
			c.form.Set("csrf", fresh.Get(platformtest.Identity+"/signin").Field("csrf"))
		}
		if r := fresh.Post(platformtest.Identity+"/language", c.form); r.StatusCode != c.status {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		in(t, "after "+name, "en", fresh.Get(platformtest.Identity+"/signin"))
	}
}
