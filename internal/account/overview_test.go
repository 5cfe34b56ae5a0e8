package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestOverview_LeadsToEveryPartOfTheAccount(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	for _, address := range []string{platformtest.Identity + "/", platformtest.Identity + "/account"} {
		page := ada.browser.Get(address)
		for _, said := range []string{"1 app may see data of yours.", `href="/account/apps"`, `href="/account/activity"`, `href="/account/security"`, `href="/account/privacy"`, "ada@members.example"} {
			if page.StatusCode != http.StatusOK || !strings.Contains(page.Text, said) {
				t.Errorf("%s (%d) does not say %q", address, page.StatusCode, said)
			}
		}
	}
}

func TestOverview_OffersAPasskeyToWhoHasNone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	const offer = `id="offer-passkey"`
	if page := b.Get(platformtest.Identity + "/account"); !strings.Contains(page.Text, offer) {
		t.Errorf("without a passkey, none is offered: %d %s", page.StatusCode, page.Text)
	}
	addPasskey(t, p, ada)
	if page := b.Get(platformtest.Identity + "/account"); page.StatusCode != http.StatusOK || strings.Contains(page.Text, offer) {
		t.Errorf("with a passkey, another one is offered: %d", page.StatusCode)
	}
}

func TestHelpAndPrivacy_AreForEverybody(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	b.Language = "de"
	for path, says := range map[string]string{"/help": "Eine App fragt nach meinen Daten", "/privacy": "Was Loop aufbewahrt"} {
		r := b.Get(platformtest.Identity + path)
		in(t, path, "de", r)
		if r.StatusCode != http.StatusOK || !strings.Contains(r.Text, says) {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

func TestChangePassword_LeadsToWhereItIsDone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.SignedIn(t, p.AddMember(t, "Ada"))
	page := b.Follow(b.Get(platformtest.Identity + "/.well-known/change-password"))
	if page.StatusCode != http.StatusOK || page.Request.URL.Path != "/account/password" {
		t.Errorf("it leads to %s: %d", page.Request.URL, page.StatusCode)
	}
	if r := b.Get(platformtest.Identity + "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"); r.StatusCode != http.StatusNotFound {
		t.Errorf("what is not there answers %d", r.StatusCode)
	}
}

func TestSignOut_IsAskedForAndCanBeLeftAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	if page := b.Get(platformtest.Identity + "/account").Text; !strings.Contains(page, `id="sign-out" href="/signout"`) {
		t.Fatal("the account has no way to sign out")
	}
	page := b.Get(platformtest.Identity + "/signout")
	if !strings.Contains(page.Text, `id="stay" href="/"`) {
		t.Fatalf("it can't be left alone: %s", page.Text)
	}
	if r := b.Get(platformtest.Identity + "/"); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "Ada") {
		t.Errorf("the member is signed out before they said so: %d", r.StatusCode)
	}
	b.Post(platformtest.Identity+"/signout", url.Values{"csrf": {page.Field("csrf")}})
	if to := b.Get(platformtest.Identity + "/account").Redirected(t); to.Path != "/signin" {
		t.Errorf("after it, the account leads to %s", to)
	}
}

func TestErrors_LeadOnAndSayHowLong(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	b.Language = "de"
	for address, status := range map[string]int{"/nothing/here": http.StatusNotFound, "/consent": http.StatusBadRequest, "/logout": http.StatusMethodNotAllowed} {
		r := b.Get(platformtest.Identity + address)
		in(t, address, "de", r)
		if r.StatusCode != status || !strings.Contains(r.Text, `id="lead-on" href="/"`) {
			t.Errorf("%s: %d, %s", address, r.StatusCode, r.Text)
		}
	}
	for i := range 7 {
		page := b.Get(platformtest.Identity + "/signin")
		r := b.Post(platformtest.Identity+"/signin", url.Values{"csrf": {page.Field("csrf")}, "email": {"nobody@members.example"}, "password": {"x"}})
		says := "Die E‑Mail-Adresse oder das Passwort stimmt nicht."
		if i == 6 {
			says = "Es waren zu viele Anmeldungen. Warten Sie 1 Sekunde und versuchen Sie es dann noch einmal."
		}
		if !strings.Contains(r.Text, says) {
			t.Errorf("try %d is answered %d, without %q", i+1, r.StatusCode, says)
		}
	}
}
