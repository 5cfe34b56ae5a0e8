package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func signIn(b *platformtest.Browser, email, password string) *platformtest.Response {
	page := b.Get(platformtest.Identity + "/signin")
	return b.Post(platformtest.Identity+"/signin", url.Values{"csrf": {page.Field("csrf")}, "email": {email}, "password": {password}})
}

func TestSec069_KnownAndUnknownAddressesAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	p.AddMember(t, "Ada")
	known := signIn(p.NewBrowser(t), "ada@members.example", "not the password")
	unknown := signIn(p.NewBrowser(t), "bob@members.example", "not the password")
	text := func(r *platformtest.Response) string {
		_, said, _ := strings.Cut(r.Text, `role="alert"`)
		said, _, _ = strings.Cut(said, "</p>")
		return said
	}
	if known.StatusCode != unknown.StatusCode || text(known) != text(unknown) || text(known) == "" {
		t.Errorf("known: %d %q, unknown: %d %q", known.StatusCode, text(known), unknown.StatusCode, text(unknown))
	}
}

func TestSec070_TriesAreSlowedDownAndNobodyIsLockedOut(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	var last *platformtest.Response
	for range 20 {
		last = signIn(b, "ADA@members.example", "guess")
	}
	if last.StatusCode != http.StatusTooManyRequests || last.Header.Get("Retry-After") == "" {
		t.Fatalf("after 20 guesses: %d", last.StatusCode)
	}
	p.World.Advance(5 * time.Minute)
	if r := signIn(b, "ada@members.example", platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Errorf("five minutes later the owner is still kept out: %d", r.StatusCode)
	}
}

func TestSignUp_RefusesWhatItMustAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	p.AddMember(t, "Ada")
	for name, c := range map[string]struct{ name, email, password, says string }{
		"Sec084 a password of seven":         {"Bob", "bob@people.example", "1234567", "at least 8"},
		"Sec084 a password of 257":           {"Bob", "bob@people.example", strings.Repeat("a b", 100), "longer than 256"},
		"Sec084 a common password":           {"Bob", "bob@people.example", "Password123", "first that anybody would try"},
		"Sec084 the address itself":          {"Bob", "bob@people.example", "bob@people.example", "first that anybody would try"},
		"Sec082 no address":                  {"Bob", "bob", platformtest.Password, "one e-mail address"},
		"Sec082 a line break in the address": {"Bob", "bob@people.example\r\nBcc: x@y.example", platformtest.Password, "one e-mail address"},
		"no name":                            {" ", "bob@people.example", platformtest.Password, "Enter your name"},
		"an address with an account":         {"Bob", "Ada@Members.example", platformtest.Password, "cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := p.NewBrowser(t)
			page := b.Get(platformtest.Identity + "/signup")
			r := b.Post(platformtest.Identity+"/signup", url.Values{"csrf": {page.Field("csrf")}, "name": {c.name}, "email": {c.email}, "password": {c.password}})
			if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, c.says) {
				t.Errorf("status %d, without %q", r.StatusCode, c.says)
			}
			if r.Field("email") != strings.ReplaceAll(c.email, "\r\n", "\n") { // as HTML reads it
				t.Errorf("the address typed is gone: %q", r.Field("email"))
			}
			if strings.Contains(r.Text, c.password) && c.password != c.email {
				t.Error("the password comes back")
			}
		})
	}
}

func TestSignUp_IsLimitedPerAddress(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	for i := range 21 {
		page := b.Get(platformtest.Identity + "/signup")
		r := b.Post(platformtest.Identity+"/signup", url.Values{
			"csrf": {page.Field("csrf")}, "name": {"Bob"}, "email": {"bob" + string(rune('a'+i)) + "@people.example"}, "password": {platformtest.Password},
		})
		if limited := r.StatusCode == http.StatusTooManyRequests; limited != (i == 20) {
			t.Fatalf("sign-up %d: %d", i+1, r.StatusCode)
		}
	}
}

func TestSec083_AnAddressIsNotVerifiedByItself(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	b := p.SignUp(t, "Bob")
	page := b.Follow(b.Authorize(with(app.Request(), "scope", "openid email")))
	tokens := app.Redeem(b.Decide(page, "allow", "email").Redirected(t).Query().Get("code")).Pair(t)
	if got := p.UserInfo(t, tokens.Access).JSON(t); got["email_verified"] != false || got["email"] != "bob@people.example" {
		t.Errorf("userinfo says %v", got)
	}
}

func TestSec064_EachSignInHasANewSession(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	session := func() string {
		for _, c := range b.Cookies(platformtest.Identity) {
			if c.Name == "__Host-loop_session" {
				return c.Value
			}
		}
		return ""
	}
	b.SignIn(b.Get(platformtest.Identity+"/signin"), ada)
	first := session()
	b.SignIn(b.Get(platformtest.Identity+"/signin"), ada)
	if first == "" || session() == first {
		t.Fatal("a sign-in kept the session")
	}
	stolen := p.NewBrowser(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformtest.Identity+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", "__Host-loop_session="+first)
	if r := stolen.Do(req); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the old session lives: %d", r.StatusCode)
	}
}

func TestSession_EndsWhenIdleAndAtTheLatest(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	b.SignIn(b.Get(platformtest.Identity+"/signin"), ada)
	signedIn := func() bool { return b.Get(platformtest.Identity+"/").StatusCode == http.StatusOK }
	for range 59 { // 29½ days, never idle for long
		p.World.Advance(12*time.Hour - time.Minute)
		if !signedIn() {
			t.Fatal("a session in use ended")
		}
	}
	p.World.Advance(12*time.Hour - time.Minute)
	p.World.Advance(time.Hour)
	if signedIn() {
		t.Error("a session lives beyond 30 days")
	}
	b.SignIn(b.Get(platformtest.Identity+"/signin"), ada)
	p.World.Advance(12 * time.Hour)
	if signedIn() {
		t.Error("a session lives after 12 hours idle")
	}
}

func TestSec065_ASuspendedMemberIsSignedOutEverywhere(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	if err := p.Suspend(t, ada); err != nil {
		t.Fatal(err)
	}
	if r := b.Get(platformtest.Identity + "/"); r.StatusCode == http.StatusOK {
		t.Error("the session lives")
	}
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("the access token lives: %d", r.StatusCode)
	}
	refused(t, app.Refresh(tokens.Refresh), 400, "invalid_grant")
	if r := signIn(p.NewBrowser(t), "ada@members.example", platformtest.Password); r.StatusCode != http.StatusBadRequest {
		t.Errorf("sign-in: %d", r.StatusCode)
	}
	if err := p.Run(t, "user", "resume", string(ada.ID)); err != nil {
		t.Fatal(err)
	}
	if r := signIn(p.NewBrowser(t), "ada@members.example", platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Errorf("after resuming: %d", r.StatusCode)
	}
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("an old access token lives again: %d", r.StatusCode)
	}
}

func TestSec087_Sec088_Sec097_PagesCarryTheirHeaders(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	for _, path := range []string{"/signin", "/signup", "/", "/consent", "/nothing", "/signin/", "/v1/oauth/authorize", "/signin?continue=x"} {
		r := b.Get(platformtest.Identity + path)
		for header, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "frame-ancestors 'none'", "Strict-Transport-Security": "max-age=", "X-Request-Id": "req_",
		} {
			if got := r.Header.Get(header); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		if policy := r.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "base-uri 'none'") {
			t.Errorf("%s: the policy is %s", path, policy)
		}
		for _, cookie := range r.Cookies() {
			if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
				t.Errorf("Sec068 %s sets %s", path, cookie)
			}
		}
	}
}

func TestSec080_AForeignHostIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformtest.Identity+"/.well-known/openid-configuration", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	if r := p.NewBrowser(t).Do(req); r.StatusCode != http.StatusBadRequest || strings.Contains(r.Text, "evil.example") {
		t.Errorf("%d %s", r.StatusCode, r.Text)
	}
	req.Host = ""
	req.Header.Set("X-Forwarded-Host", "evil.example")
	if r := p.NewBrowser(t).Do(req); r.JSON(t)["issuer"] != platformtest.Identity {
		t.Errorf("the issuer is %v", r.JSON(t)["issuer"])
	}
}
