package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSignUp_RefusesWhatItMustAndKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	p.AddMember(t, "Ada")
	for name, c := range map[string]struct{ name, email, password, says string }{
		"Sec084 a password of seven":         {"Bob", "bob@people.example", "1234567", "at least 8"},
		"Sec084 a password of 129":           {"Bob", "bob@people.example", strings.Repeat("a b", 43), "longer than 128"},
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
			page := b.Get(platformtest.Identity + "/signup?another=1")
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
		page := b.Get(platformtest.Identity + "/signup?another=1")
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
	request := app.Request()
	request.Set("scope", "openid email")
	page := b.Follow(b.Authorize(request))
	tokens := app.Redeem(b.Decide(page, "allow", "email").Redirected(t).Query().Get("code")).Pair(t)
	if got := p.UserInfo(t, tokens.Access).JSON(t); got["email_verified"] != false || got["email"] != "bob@people.example" {
		t.Errorf("userinfo says %v", got)
	}
}

func TestSignUp_ShowsAllFaultsAtOnceBesideTheirFields(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	b.Language = "de"
	page := b.Get(platformtest.Identity + "/signup")
	r := b.Post(platformtest.Identity+"/signup", url.Values{"csrf": {page.Field("csrf")}, "name": {" "}, "email": {"bob at home"}, "password": {"kurz"}})
	for _, said := range []string{"3 Felder müssen berichtigt werden.", `id="name-fault">Geben Sie Ihren Namen ein`, `id="email-fault">Geben Sie eine E‑Mail-Adresse ein`, `id="password-fault">Wählen Sie ein Passwort mit mindestens 8 Zeichen.`, `value="bob at home"`} {
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, said) {
			t.Errorf("status %d, without %q", r.StatusCode, said)
		}
	}
	if strings.Contains(r.Text, "kurz") {
		t.Error("the password comes back")
	}
	page = b.Get(platformtest.Identity + "/signup")
	r = b.Post(platformtest.Identity+"/signup", url.Values{"csrf": {page.Field("csrf")}, "name": {"Bob"}, "email": {"bob@people.example"}, "password": {platformtest.Password}})
	in(t, "the account, in the language of the page that it was made on", "de", b.Get(r.Redirected(t).String()))
}

func TestSignIn_NamesTheAppsHostAndWhetherItIsVerified(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for verified, says := range map[bool]string{true: "✓ Verified · app.example.com", false: "Not verified by Loop · app.example.com"} {
		app := p.AddApp(t, func(c *loop.Client) { c.Verified = verified })
		b := p.NewBrowser(t)
		if page := b.Follow(b.Authorize(app.Request())); !strings.Contains(page.Text, says) || strings.Index(page.Text, says) > strings.Index(page.Text, `type="password"`) {
			t.Errorf("before the password, the page does not say %q", says)
		}
	}
}
