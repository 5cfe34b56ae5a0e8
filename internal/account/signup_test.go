package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

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
