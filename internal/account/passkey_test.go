package account_test

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// options are what a page's form asks a browser for a passkey by.
func options(t *testing.T, page *platformtest.Response) string {
	t.Helper()
	_, rest, ok := strings.Cut(page.Text, `data-options="`)
	text, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("the page asks for no passkey: %d %s", page.StatusCode, page.Text)
	}
	return html.UnescapeString(text)
}

// addPasskey has a member who is signed in add a passkey.
func addPasskey(t *testing.T, p *platformtest.Platform, m *loop.Member) *platformtest.Authenticator {
	t.Helper()
	made, err := p.SignIns.NewPasskey(t.Context(), m, "a browser")
	if err != nil {
		t.Fatal(err)
	}
	a := platformtest.NewAuthenticator(t)
	if err := p.SignIns.AddPasskey(t.Context(), m, "My phone", a.Create(string(made)), []string{"a browser"}); err != nil {
		t.Fatal(err)
	}
	return a
}

// byPasskey signs in by what a passkey answers to a page.
func byPasskey(b *platformtest.Browser, page *platformtest.Response, answer string) *platformtest.Response {
	return b.Post(platformtest.Identity+"/signin", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "passkey": {answer}})
}

func TestPasskey_SignsInAndAppsReadSo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	passkey := addPasskey(t, p, ada)
	b := p.NewBrowser(t)
	page := b.Follow(b.Authorize(app.Request()))
	consent := b.Follow(byPasskey(b, page, passkey.Get(options(t, page))))
	tokens := app.Redeem(b.Decide(consent, "allow", "profile").Redirected(t).Query().Get("code")).Pair(t)
	introspected := app.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, nil).JSON(t)
	if introspected["sub"] != string(ada.ID) || introspected["acr"] != "urn:loop:acr:passkey" {
		t.Errorf("the app reads %v", introspected)
	}
	if count := p.Count(t, "identity", "audit_records WHERE event = 'member.signed_in' AND detail LIKE '%swk user mfa%'"); count != 1 {
		t.Errorf("%d sign-ins by passkey are on record", count)
	}
}

// Whatever is wrong with a passkey is refused, counted, and changes
// nothing.
func TestSec271_Sec272_Sec273_APasskeyThatIsNotRightSignsNobodyIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, grace := p.AddMember(t, "Ada"), p.AddMember(t, "Grace")
	good := addPasskey(t, p, ada)
	for name, c := range map[string]struct {
		wrong  func(*platformtest.Authenticator)
		reason string
	}{
		"Sec271 another origin":             {func(a *platformtest.Authenticator) { a.Origin = "https://evil.example" }, "passkey not verified"},
		"Sec271 the origin without TLS":     {func(a *platformtest.Authenticator) { a.Origin = strings.Replace(a.Origin, "https", "http", 1) }, "passkey not verified"},
		"Sec271 the origin at another port": {func(a *platformtest.Authenticator) { a.Origin += ":8443" }, "passkey not verified"},
		"Sec271 a host below ours":          {func(a *platformtest.Authenticator) { a.Origin = strings.Replace(a.Origin, "://", "://x.", 1) }, "passkey not verified"},
		"Sec271 within another site's page": {func(a *platformtest.Authenticator) { a.CrossOrigin = true }, "passkey not verified"},
		"Sec271 for another host":           {func(a *platformtest.Authenticator) { a.Host = "evil.example" }, "passkey not verified"},
		"Sec272 nobody there":               {func(a *platformtest.Authenticator) { a.Flags &^= platformtest.UserPresent }, "passkey not verified"},
		"Sec272 its user not verified":      {func(a *platformtest.Authenticator) { a.Flags &^= platformtest.UserVerified }, "passkey not verified"},
		"Sec272 an answer for another use":  {func(a *platformtest.Authenticator) { a.Type = "webauthn.create" }, "passkey not verified"},
		"Sec273 another member's handle":    {func(a *platformtest.Authenticator) { a.User = []byte(grace.ID) }, "passkey not verified"},
		"Sec273 nobody's handle":            {func(a *platformtest.Authenticator) { a.User = []byte("user_none") }, ""},
		"Sec273 a passkey of nobody":        {func(a *platformtest.Authenticator) { a.ID = []byte("another passkey") }, "passkey not verified"},
	} {
		t.Run(name, func(t *testing.T) {
			b, bad := p.NewBrowser(t), *good
			c.wrong(&bad)
			page := b.Get(platformtest.Identity + "/signin")
			refusedPasskey(t, b, byPasskey(b, page, bad.Get(options(t, page))))
			if c.reason != "" && p.Count(t, "identity", "audit_tallies WHERE event = 'sign_in.refused' AND reason = '"+c.reason+"'") == 0 {
				t.Errorf("it is not on record as %q", c.reason)
			}
		})
	}
	if count := p.Count(t, "identity", "sessions"); count != 0 {
		t.Errorf("%d sessions began", count)
	}
	if count := p.Count(t, "identity", "passkeys WHERE used_at <> 0"); count != 0 {
		t.Error("the passkey counts as used")
	}
}

// refusedPasskey checks that a page refuses a passkey, and that nobody is signed in.
func refusedPasskey(t *testing.T, b *platformtest.Browser, r *platformtest.Response) {
	t.Helper()
	if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, `role="alert"`) {
		t.Errorf("it is answered %d %s", r.StatusCode, r.Text)
	}
	if home := b.Get(platformtest.Identity + "/"); home.StatusCode != http.StatusSeeOther {
		t.Errorf("somebody is signed in: %d", home.StatusCode)
	}
}

func TestSec274_AChallengeWorksOnceInItsOwnBrowserForTenMinutes(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	passkey := addPasskey(t, p, ada)
	b, other := p.NewBrowser(t), p.NewBrowser(t)
	page, others := b.Get(platformtest.Identity+"/signin"), other.Get(platformtest.Identity+"/signin")
	answer := passkey.Get(options(t, page))
	t.Run("in another browser", func(t *testing.T) { refusedPasskey(t, other, byPasskey(other, others, answer)) })
	if r := byPasskey(b, page, answer); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the right passkey: %d %s", r.StatusCode, r.Text)
	}
	b.Post(platformtest.Identity+"/signout", url.Values{"csrf": {page.Field("csrf")}})
	t.Run("again", func(t *testing.T) { refusedPasskey(t, b, byPasskey(b, page, answer)) })
	t.Run("that was made to add a passkey", func(t *testing.T) {
		made, err := p.SignIns.NewPasskey(t.Context(), ada, b.Cookies(platformtest.Identity)[0].Value)
		if err != nil {
			t.Fatal(err)
		}
		refusedPasskey(t, b, byPasskey(b, page, passkey.Get(string(made))))
	})
	t.Run("that nobody made", func(t *testing.T) {
		refusedPasskey(t, b, byPasskey(b, page, passkey.Get(`{"challenge": "AAAAAAAAAAAAAAAAAAAAAA"}`)))
	})
	t.Run("when its page is too old", func(t *testing.T) {
		page := b.Get(platformtest.Identity + "/signin")
		answer := passkey.Get(options(t, page))
		p.World.Advance(10*time.Minute + time.Second)
		refusedPasskey(t, b, byPasskey(b, page, answer))
	})
}

func TestSec275_ACounterThatRunsBackIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	passkey := addPasskey(t, p, p.AddMember(t, "Ada"))
	signIn := func(b *platformtest.Browser, counter uint32) *platformtest.Response {
		passkey.Counter = counter
		page := b.Get(platformtest.Identity + "/signin")
		return byPasskey(b, page, passkey.Get(options(t, page)))
	}
	for _, counter := range []uint32{0, 0, 7, 8} { // synced passkeys don't count
		if r := signIn(p.NewBrowser(t), counter); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("with the counter at %d: %d %s", counter, r.StatusCode, r.Text)
		}
	}
	for _, counter := range []uint32{8, 7, 0} {
		b := p.NewBrowser(t)
		refusedPasskey(t, b, signIn(b, counter))
	}
	if p.Count(t, "identity", "audit_tallies WHERE reason = 'passkey''s counter ran back'") == 0 {
		t.Error("it is not on record")
	}
	if count := p.Count(t, "identity", "passkeys WHERE counter = 8"); count != 1 {
		t.Error("the stored counter changed")
	}
}

func TestSec072_ASuspendedMembersPasskeyIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	passkey := addPasskey(t, p, ada)
	if err := p.Suspend(t, ada); err != nil {
		t.Fatal(err)
	}
	b := p.NewBrowser(t)
	page := b.Get(platformtest.Identity + "/signin")
	refusedPasskey(t, b, byPasskey(b, page, passkey.Get(options(t, page))))
}

func TestSec276_APasskeyThatIsNotRightIsNotAdded(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, grace := p.AddMember(t, "Ada"), p.AddMember(t, "Grace")
	known := addPasskey(t, p, grace)
	made := func(m *loop.Member) string {
		options, err := p.SignIns.NewPasskey(t.Context(), m, "a browser")
		if err != nil {
			t.Fatal(err)
		}
		return string(options)
	}
	used := made(ada)
	if err := p.SignIns.AddPasskey(t.Context(), ada, "One", platformtest.NewAuthenticator(t).Create(used), []string{"a browser"}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options string
		wrong   func(*platformtest.Authenticator)
		browser string
	}{
		"another origin":                {made(ada), func(a *platformtest.Authenticator) { a.Origin = "https://evil.example" }, "a browser"},
		"for another host":              {made(ada), func(a *platformtest.Authenticator) { a.Host = "evil.example" }, "a browser"},
		"its user not verified":         {made(ada), func(a *platformtest.Authenticator) { a.Flags &^= platformtest.UserVerified }, "a browser"},
		"nobody there":                  {made(ada), func(a *platformtest.Authenticator) { a.Flags &^= platformtest.UserPresent }, "a browser"},
		"an answer for another use":     {made(ada), func(a *platformtest.Authenticator) { a.Type = "webauthn.get" }, "a browser"},
		"another member's options":      {made(grace), func(*platformtest.Authenticator) {}, "a browser"},
		"options of another browser":    {made(ada), func(*platformtest.Authenticator) {}, "another browser"},
		"options that were used before": {used, func(*platformtest.Authenticator) {}, "a browser"},
		"another member's passkey":      {made(ada), func(a *platformtest.Authenticator) { a.ID = known.ID }, "a browser"},
	} {
		a := platformtest.NewAuthenticator(t)
		c.wrong(a)
		err := p.SignIns.AddPasskey(t.Context(), ada, "Two", a.Create(c.options), []string{c.browser})
		if fault, ok := errors.AsType[*loop.Error](err); !ok || fault.Code != loop.ValidationError {
			t.Errorf("%s: %v", name, err)
		}
	}
	if count := p.Count(t, "identity", "passkeys"); count != 2 {
		t.Errorf("%d passkeys are there", count)
	}
	if count := p.Count(t, "identity", "audit_tallies WHERE event = 'passkey.refused'"); count < 4 {
		t.Errorf("%d kinds of refusals are on record", count)
	}
}
