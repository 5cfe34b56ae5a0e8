package account_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

var (
	secretOn   = regexp.MustCompile(`<code id="secret">([A-Z2-7]+)</code>`)
	recoveryOn = regexp.MustCompile(`<li><code>([a-z2-7-]+)</code></li>`)
)

// app is an authenticator app.
type app struct {
	t      *testing.T
	p      *platformtest.Platform
	secret string
}

// code is what the app shows, so many steps from now.
func (a app) code(steps int) string {
	a.t.Helper()
	code, err := hotp.GenerateCode(a.secret, uint64(int(a.p.World.Now().Unix()/30)+steps))
	if err != nil {
		a.t.Fatal(err)
	}
	return code
}

// setUp has a member who is signed in set an app up.
func setUp(t *testing.T, p *platformtest.Platform, b *platformtest.Browser) (app, []string) {
	t.Helper()
	page := b.Get(security + "/code")
	a := app{t, p, secretOn.FindStringSubmatch(page.Text)[1]}
	form := url.Values{"csrf": {page.Field("csrf")}, "factor": {page.Field("factor")}, "code": {"000000"}}
	if r := b.Post(security+"/code", form); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, a.secret) {
		t.Fatalf("with a wrong code: %d %s", r.StatusCode, r.Text)
	}
	form.Set("code", a.code(0))
	done := b.Post(security+"/code", form)
	var codes []string
	for _, found := range recoveryOn.FindAllStringSubmatch(done.Text, -1) {
		codes = append(codes, found[1])
	}
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes are shown: %d %s", len(codes), done.StatusCode, done.Text)
	}
	p.World.Advance(30 * time.Second) // that code was used
	return a, codes
}

// typed sends a code to the page that asks for it.
func typed(b *platformtest.Browser, page *platformtest.Response, code string) *platformtest.Response {
	return b.Post(platformtest.Identity+"/code", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "code": {code}})
}

// askedForCode signs in by password and gives the page that asks for a code.
func askedForCode(t *testing.T, b *platformtest.Browser, from *platformtest.Response, m *loop.Member) *platformtest.Response {
	t.Helper()
	page := b.SignIn(from, m)
	if page.Request.URL.Path != "/code" || page.StatusCode != http.StatusOK {
		t.Fatalf("a right password leads to %s: %d", page.Request.URL, page.StatusCode)
	}
	return page
}

func TestFactor_ASignInAsksForACodeAndAppsReadSo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	client, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	first := p.SignedIn(t, ada)
	a, _ := setUp(t, p, first)
	if list := first.Get(security); list.StatusCode != http.StatusOK || !strings.Contains(list.Text, "10 recovery codes are left") {
		t.Errorf("the page does not show it: %d %s", list.StatusCode, list.Text)
	}
	b := p.NewBrowser(t)
	page := askedForCode(t, b, b.Follow(b.Authorize(client.Request())), ada)
	consent := b.Follow(typed(b, page, a.code(0)))
	tokens := client.Redeem(b.Decide(consent, "allow", "profile").Redirected(t).Query().Get("code")).Pair(t)
	if got := client.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, nil).JSON(t); got["acr"] != "urn:loop:acr:mfa" {
		t.Errorf("the app reads %v", got)
	}
	if count := p.Count(t, "identity", "chains WHERE methods = 'pwd otp mfa'"); count != 1 {
		t.Errorf("%d chains have both methods", count)
	}
}

func TestSec075_APasswordAloneOpensNothingWhereACodeIsNeeded(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	client, ada, grace := p.AddApp(t, nil), p.AddMember(t, "Ada"), p.AddMember(t, "Grace")
	setUp(t, p, p.SignedIn(t, ada))
	b := p.NewBrowser(t)
	askedForCode(t, b, b.Get(platformtest.Identity+"/signin"), ada)
	if to := b.Get(security).Redirected(t); to.Path != "/signin" {
		t.Errorf("the account is open: %s", to)
	}
	request := client.Request()
	request.Set("prompt", "none")
	if got := b.Authorize(request).Redirected(t).Query(); got.Get("error") != "login_required" {
		t.Errorf("an app is answered %v", got)
	}
	other := p.NewBrowser(t) // where somebody else is signed in
	from := other.Follow(other.Authorize(client.Request()))
	other.SignIn(other.Get(platformtest.Identity+"/signin"), grace)
	page := askedForCode(t, other, from, ada)
	if next := other.Get(platformtest.Identity + "/continue?continue=" + page.Field("continue")).Redirected(t); next.Path != "/code" {
		t.Errorf("the request goes on as somebody else: %s", next)
	}
}

func TestSec074_ACodeWorksOnce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	a, recovery := setUp(t, p, p.SignedIn(t, ada))
	try := func(code string) bool {
		t.Helper()
		b := p.NewBrowser(t)
		r := typed(b, askedForCode(t, b, b.Get(platformtest.Identity+"/signin"), ada), code)
		return r.StatusCode == http.StatusSeeOther
	}
	now, before, ahead := a.code(0), a.code(-1), a.code(1)
	for _, c := range []struct {
		name, code string
		want       bool
	}{
		{"of seven digits", now + "0", false},
		{"in full-width digits", strings.Map(func(r rune) rune { return r - '0' + '０' }, now), false},
		{"of now", now, true},
		{"of now, again", now, false},
		{"of the step before", before, false},
		{"of an app whose clock is ahead", ahead, true},
	} {
		if got := try(c.code); got != c.want {
			t.Errorf("a code %s signs in: %t", c.name, got)
		}
	}
	p.World.Advance(10 * time.Minute) // after so many wrong ones
	if !try(strings.ToUpper(strings.ReplaceAll(recovery[3], "-", " "))) || try(recovery[3]) || !try(recovery[4]) {
		t.Error("a recovery code works never, or more than once")
	}
	if count := p.Count(t, "identity", "recovery_codes"); count != 8 {
		t.Errorf("%d recovery codes are left", count)
	}
}

func TestSec073_GuessesAtCodesAreSlowedDownAcrossSessions(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	a, _ := setUp(t, p, p.SignedIn(t, ada))
	judged := 0
	for range 12 {
		b := p.NewBrowser(t)
		r := typed(b, askedForCode(t, b, b.Get(platformtest.Identity+"/signin"), ada), "000000")
		if r.StatusCode == http.StatusBadRequest {
			judged++
		} else if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" {
			t.Fatalf("a guess is answered %d", r.StatusCode)
		}
	}
	if judged != 6 {
		t.Errorf("%d of 12 guesses were judged", judged)
	}
	p.World.Advance(5 * time.Minute)
	b := p.NewBrowser(t)
	if r := typed(b, askedForCode(t, b, b.Get(platformtest.Identity+"/signin"), ada), a.code(0)); r.StatusCode != http.StatusSeeOther {
		t.Errorf("five minutes later the member is kept out: %d", r.StatusCode)
	}
}

func TestFactor_IsRemovedAndRecoveryCodesAreMadeAnew(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	_, before := setUp(t, p, b)
	csrf := b.Get(security).Field("csrf")
	made := b.Post(security+"/factor", url.Values{"csrf": {csrf}, "act": {"codes"}})
	if found := recoveryOn.FindAllString(made.Text, -1); len(found) != 10 || strings.Contains(made.Text, before[0]) {
		t.Errorf("%d codes are shown", len(found))
	}
	for range 2 {
		if to := b.Post(security+"/factor", url.Values{"csrf": {csrf}, "act": {"remove"}}).Redirected(t); to.Path != "/account/security" {
			t.Errorf("removing leads to %s", to)
		}
	}
	other := p.NewBrowser(t)
	if at := other.SignIn(other.Get(platformtest.Identity+"/signin"), ada); at.Request.URL.Path == "/code" {
		t.Error("a code is still asked for")
	}
	if count := p.Count(t, "identity", "recovery_codes"); count != 0 {
		t.Errorf("%d recovery codes are left", count)
	}
}
