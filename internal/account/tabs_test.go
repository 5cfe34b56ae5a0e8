package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// freshTabs has a browser without cookies ask for pages at once: none of the
// requests brings a cookie, and the browser keeps those of every answer.
func freshTabs(t *testing.T, p *platformtest.Platform, addresses ...string) (cookies string, tabs []*platformtest.Response) {
	t.Helper()
	var kept []string
	for _, address := range addresses {
		tab := p.Fetch(t, http.MethodGet, address, http.Header{"Accept": {"text/html"}})
		for _, c := range tab.Cookies() {
			kept = append(kept, c.Name+"="+c.Value)
		}
		tabs = append(tabs, tab)
	}
	return strings.Join(kept, "; "), tabs
}

func TestTabs_AllOfAFreshBrowserWork(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	authorize := func() string { return platformtest.Identity + "/v1/oauth/authorize?" + app.Request().Encode() }
	cookies, tabs := freshTabs(t, p, authorize(), authorize(), authorize(), platformtest.Identity+"/signin", platformtest.Identity+"/signup")
	for i, tab := range tabs[:3] {
		page := p.Fetch(t, http.MethodGet, tab.Redirected(t).String(), http.Header{"Cookie": {cookies}})
		if page.StatusCode != http.StatusOK || page.Field("continue") == "" {
			t.Fatalf("tab %d: %d %s", i+1, page.StatusCode, page.Text)
		}
		r := p.Post(t, platformtest.Identity+"/signin", url.Values{
			"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "email": {string(ada.Email)}, "password": {platformtest.Password},
		}, http.Header{"Cookie": {cookies}})
		if to := r.Redirected(t); to.Path != "/continue" {
			t.Errorf("tab %d leads to %s", i+1, to)
		}
	}
	r := p.Post(t, platformtest.Identity+"/signin", url.Values{"csrf": {tabs[3].Field("csrf")}, "email": {string(ada.Email)}, "password": {platformtest.Password}}, http.Header{"Cookie": {cookies}})
	if r.StatusCode != http.StatusSeeOther {
		t.Errorf("the sign-in page: %d %s", r.StatusCode, r.Text)
	}
	r = p.Post(t, platformtest.Identity+"/signup", url.Values{
		"csrf": {tabs[4].Field("csrf")}, "name": {"Bob"}, "email": {"bob@people.example"}, "password": {platformtest.Password},
	}, http.Header{"Cookie": {cookies}})
	if r.StatusCode != http.StatusSeeOther {
		t.Errorf("the sign-up page: %d %s", r.StatusCode, r.Text)
	}
	t.Run("and nothing of one that was not this browser's", func(t *testing.T) {
		_, others := freshTabs(t, p, platformtest.Identity+"/signin", authorize())
		page := p.Fetch(t, http.MethodGet, others[1].Redirected(t).String(), http.Header{"Cookie": {cookies}, "Accept": {"text/html"}})
		if page.StatusCode != http.StatusBadRequest {
			t.Errorf("another browser's request goes on: %d", page.StatusCode)
		}
		r := p.Post(t, platformtest.Identity+"/signin", url.Values{"csrf": {others[0].Field("csrf")}, "email": {string(ada.Email)}, "password": {platformtest.Password}}, http.Header{"Cookie": {cookies}})
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("another browser's form is taken: %d", r.StatusCode)
		}
	})
}

func TestTabs_ABrowserKeepsEightCookiesAndTheNewest(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	var all []string
	for range 10 {
		kept, _ := freshTabs(t, p, platformtest.Identity+"/signin")
		all = append(all, kept)
		p.World.Advance(time.Millisecond)
	}
	cookies := strings.Join(all, "; ")
	r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/signin", http.Header{"Cookie": {cookies}})
	var ended int
	for _, c := range r.Cookies() {
		if c.MaxAge >= 0 {
			t.Errorf("another cookie is set: %s", c)
		}
		ended++
		if at := strings.Index(cookies, c.Name); at < 0 {
			t.Errorf("%s is none of the browser's", c.Name)
		}
	}
	if ended != 2 {
		t.Errorf("%d of ten cookies end, want 2", ended)
	}
	newest := cookies[strings.LastIndex(cookies, "; ")+2:]
	name, _, _ := strings.Cut(newest, "=")
	if strings.Contains(strings.Join(r.Header.Values("Set-Cookie"), " "), name) {
		t.Error("the newest ends")
	}
}

func TestTabs_WhoSignedInInOneIsNotAskedInAnother(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	one, other := b.Authorize(app.Request()).Redirected(t).String(), b.Follow(b.Authorize(app.Request()))
	up := strings.Replace(one, "/signin", "/signup", 1)
	b.SignIn(other, ada)
	for _, address := range []string{one, up} {
		if page := b.Follow(b.Get(address)); !strings.Contains(page.Text, `id="allow"`) {
			t.Errorf("%.60s: %d %s", address, page.StatusCode, page.Text)
		}
	}
	for _, address := range []string{"/signin", "/signup"} {
		if to := b.Get(platformtest.Identity + address).Redirected(t); to.Path != "/" {
			t.Errorf("%s leads to %s", address, to)
		}
	}
	t.Run("but where the request asks for it, or the member wants to", func(t *testing.T) {
		p.World.Advance(time.Second)
		again := app.Request()
		again.Set("prompt", "login")
		for _, page := range []*platformtest.Response{b.Follow(b.Authorize(again)), b.Get(one + "&another=1")} {
			if !strings.Contains(page.Text, `id="sign-in"`) {
				t.Errorf("%d %s", page.StatusCode, page.Text)
			}
		}
	})
}
