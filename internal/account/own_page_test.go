package account_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSignIn_LeadsBackToThePageThatWasAskedFor(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	for _, page := range []string{"/account", "/account/apps", "/account/activity"} {
		b := p.NewBrowser(t)
		if at := b.SignIn(b.Follow(b.Get(platformtest.Identity+page)), ada); at.StatusCode != http.StatusOK || at.Request.URL.Path != page {
			t.Errorf("from %s, sign-in leads to %s: %d", page, at.Request.URL, at.StatusCode)
		}
	}
}

func TestSec270_ARecentSignInIsAskedForAgainAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	home := platformtest.Identity + "/?continue=" + url.QueryEscape("recent:/account/apps")
	if to := b.Get(home).Redirected(t); to.Path != "/account/apps" {
		t.Errorf("right after the sign-in, it leads to %s", to)
	}
	p.World.Advance(5*time.Minute + time.Second)
	page := b.Follow(b.Get(home))
	if page.Request.URL.Path != "/signin" || page.StatusCode != http.StatusOK {
		t.Fatalf("five minutes later, it leads to %s: %d", page.Request.URL, page.StatusCode)
	}
	if at := b.SignIn(page, ada); at.StatusCode != http.StatusOK || at.Request.URL.Path != "/account/apps" {
		t.Errorf("the new sign-in leads to %s: %d", at.Request.URL, at.StatusCode)
	}
}

func TestSec093_SignInLeadsToPagesOfTheAccountAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.SignedIn(t, p.AddMember(t, "Ada"))
	for _, to := range []string{
		"//evil.example", `/\evil.example`, "/\t/evil.example", "/..//evil.example", "/account//evil.example", `/account\evil.example`,
		"/account/../signout", "/account?x=//evil", "/account/apps#x", "/accounting", "/signout", "recent://evil.example", "recent:https://evil.example", "/account/%2e%2e/x",
	} {
		if r := b.Get(platformtest.Identity + "/?continue=" + url.QueryEscape(to)); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
			t.Errorf("%q is answered %d %s", to, r.StatusCode, r.Header.Get("Location"))
		}
	}
}
