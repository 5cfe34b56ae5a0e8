package account_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

const security = platformtest.Identity + "/account/security"

var (
	removals = regexp.MustCompile(`action="(/account/security/passkey/[^"]+)"`)
	sessions = regexp.MustCompile(`name="session" value="([^"]+)"`)
)

func TestSecurity_AMemberAddsAndRemovesAPasskey(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	ada := p.AddMember(t, "Ada")
	b.SignIn(b.Get(platformtest.Identity+"/signin"), ada)
	passkey := platformtest.NewAuthenticator(t)
	form := b.Get(security + "/passkey")
	add := func(name, answer string) *platformtest.Response {
		return b.Post(security+"/passkey", url.Values{"csrf": {form.Field("csrf")}, "name": {name}, "passkey": {answer}})
	}
	if r := add("   ", passkey.Create(options(t, form))); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "Name the passkey") {
		t.Errorf("without a name: %d %s", r.StatusCode, r.Text)
	}
	if r := add("Ada’s <phone>", passkey.Create(options(t, form))); r.Redirected(t).Path != "/account/security" {
		t.Fatalf("it leads to %s", r.Redirected(t))
	}
	list := b.Get(security)
	if !strings.Contains(list.Text, `href="/account/password"`) {
		t.Errorf("the page does not lead to the password: %s", list.Text)
	}
	if !strings.Contains(list.Text, "Ada’s &lt;phone&gt;") || !strings.Contains(list.Text, "Never used") {
		t.Errorf("the list does not show it: %s", list.Text)
	}
	other := p.NewBrowser(t)
	page := other.Get(platformtest.Identity + "/signin")
	if r := byPasskey(other, page, passkey.Get(options(t, page))); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("it does not sign in: %d", r.StatusCode)
	}
	at := removals.FindStringSubmatch(list.Text)
	for range 2 { // a form that is sent twice leads on
		if to := b.Post(platformtest.Identity+at[1], url.Values{"csrf": {list.Field("csrf")}}).Redirected(t); to.Path != "/account/security" {
			t.Errorf("removing leads to %s", to)
		}
	}
	third := p.NewBrowser(t)
	page = third.Get(platformtest.Identity + "/signin")
	refusedPasskey(t, third, byPasskey(third, page, passkey.Get(options(t, page))))
	for event, want := range map[string]int64{"passkey.added": 1, "passkey.removed": 1} {
		if count := p.Count(t, "identity", "audit_records WHERE event = '"+event+"'"); count != want {
			t.Errorf("%s is on record %d times", event, count)
		}
	}
}

func TestSec270_PasskeysChangeAfterARecentSignInAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	passkey := addPasskey(t, p, ada)
	b := p.SignedIn(t, ada)
	list, form := b.Get(security), b.Get(security+"/passkey")
	at := platformtest.Identity + removals.FindStringSubmatch(list.Text)[1]
	p.World.Advance(5*time.Minute + time.Second)
	for name, r := range map[string]*platformtest.Response{
		"the form":     b.Get(security + "/passkey"),
		"adding one":   b.Post(security+"/passkey", url.Values{"csrf": {form.Field("csrf")}, "name": {"x"}, "passkey": {platformtest.NewAuthenticator(t).Create(options(t, form))}}),
		"removing one": b.Post(at, url.Values{"csrf": {list.Field("csrf")}}),
	} {
		if to := r.Redirected(t); to.Path != "/signin" {
			t.Errorf("%s leads to %s", name, to)
		}
	}
	if count := p.Count(t, "identity", "passkeys"); count != 1 {
		t.Errorf("%d passkeys are there", count)
	}
	again := b.Follow(b.Get(security + "/passkey"))
	if r := b.Follow(byPasskey(b, again, passkey.Get(options(t, again)))); r.Request.URL.Path != "/account/security/passkey" {
		t.Errorf("the new sign-in leads to %s", r.Request.URL)
	}
}

func TestSec277_AnotherMembersPasskeysAndSessionsStay(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, grace := p.AddMember(t, "Ada"), p.AddMember(t, "Grace")
	addPasskey(t, p, ada)
	a, g := p.SignedIn(t, ada), p.SignedIn(t, grace)
	adas, graces := a.Get(security), g.Get(security)
	if strings.Contains(graces.Text, "My phone") || len(sessions.FindAllString(graces.Text, -1)) != 1 {
		t.Error("one sees what is another's")
	}
	g.Post(platformtest.Identity+removals.FindStringSubmatch(adas.Text)[1], url.Values{"csrf": {graces.Field("csrf")}})
	g.Post(security+"/sessions", url.Values{"csrf": {graces.Field("csrf")}, "act": {"one"}, "session": {sessions.FindStringSubmatch(adas.Text)[1]}})
	if count := p.Count(t, "identity", "passkeys"); count != 1 {
		t.Error("the passkey is gone")
	}
	if r := a.Get(security); r.StatusCode != http.StatusOK {
		t.Errorf("the session is gone: %d", r.StatusCode)
	}
}

func TestSecurity_AMemberEndsOneSessionOrAllOthers(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	here, phone, third := p.SignedIn(t, ada), p.SignedIn(t, ada), p.SignedIn(t, ada)
	list := here.Get(security)
	if found := sessions.FindAllString(list.Text, -1); len(found) != 3 || strings.Count(list.Text, "This browser") != 1 {
		t.Fatalf("%d sessions are listed: %s", len(found), list.Text)
	}
	live := func(b *platformtest.Browser) bool { return b.Get(security).StatusCode == http.StatusOK }
	here.Post(security+"/sessions", url.Values{"csrf": {list.Field("csrf")}, "act": {"others"}})
	if !live(here) || live(phone) || live(third) {
		t.Errorf("live are %t, %t and %t, want the first alone", live(here), live(phone), live(third))
	}
	phone.SignIn(phone.Get(platformtest.Identity+"/signin"), ada)
	for _, found := range sessions.FindAllStringSubmatch(here.Get(security).Text, -1) {
		if id := found[1]; !strings.Contains(list.Text, id) { // the new one
			here.Post(security+"/sessions", url.Values{"csrf": {list.Field("csrf")}, "act": {"one"}, "session": {id}})
		}
	}
	if !live(here) || live(phone) {
		t.Errorf("live are %t and %t, want the first alone", live(here), live(phone))
	}
}
