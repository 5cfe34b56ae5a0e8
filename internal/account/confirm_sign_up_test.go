package account_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// signUp fills in the sign-up page and gives the answer.
func (m *mailing) signUp(b *platformtest.Browser, email, password string) *platformtest.Response {
	page := b.Get(platformtest.Identity + "/signup?another=1")
	return b.Post(platformtest.Identity+"/signup", url.Values{"csrf": {page.Field("csrf")}, "name": {"Bob"}, "email": {email}, "password": {password}})
}

// confirm sends the form behind a link, as a person does who looks at the page first.
func confirm(b *platformtest.Browser, link, password string) *platformtest.Response {
	page := b.Get(link)
	at, token, _ := strings.Cut(link, "?link=")
	return b.Post(at, url.Values{"csrf": {page.Field("csrf")}, "link": {token}, "password": {password}})
}

const bob loop.Email = "bob@people.example"

func TestSignUp_ByMailMakesAVerifiedAccountWhenTheAddressIsConfirmed(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	b := m.NewBrowser(t)
	if r := b.Follow(m.signUp(b, string(bob), newPassword)); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "Look at your mail") {
		t.Fatalf("signing up: %d %s", r.StatusCode, r.Text)
	}
	if r := signIn(m.NewBrowser(t), string(bob), newPassword); r.StatusCode != http.StatusBadRequest {
		t.Errorf("there is an account before its address is confirmed: %d", r.StatusCode)
	}
	link := m.linkTo(t, bob)
	if r := b.Get(platformtest.Identity + "/account"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("somebody is signed in: %d", r.StatusCode)
	}
	b.Get(link)
	if r := b.Follow(confirm(b, link, "")); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "Bob") {
		t.Fatalf("confirming: %d %s", r.StatusCode, r.Text)
	}
	app := m.AddApp(t, nil)
	request := app.Request()
	request.Set("scope", "openid email")
	page := b.Follow(b.Authorize(request))
	tokens := app.Redeem(b.Decide(page, "allow", "email").Redirected(t).Query().Get("code")).Pair(t)
	if got := m.UserInfo(t, tokens.Access).JSON(t); got["email_verified"] != true || got["email"] != string(bob) {
		t.Errorf("userinfo says %v", got)
	}
	if r := confirm(b, link, ""); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "was used") {
		t.Errorf("the link once more: %d", r.StatusCode)
	}
}

func TestSignUp_ByMailLeadsBackToTheApp(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	app, b := m.AddApp(t, nil), m.NewBrowser(t)
	page := b.Get(platformtest.Identity + "/signup?another=1&continue=" + b.Follow(b.Authorize(app.Request())).Field("continue"))
	b.Post(platformtest.Identity+"/signup", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "name": {"Bob"}, "email": {string(bob)}, "password": {newPassword}})
	r := b.Follow(confirm(b, m.linkTo(t, bob), ""))
	if !strings.Contains(r.Text, app.Name) {
		t.Errorf("it leads to %d %s", r.StatusCode, r.Text)
	}
}

func TestSec257_SignUp_NobodyConfirmsAnAccountWhosePasswordSomebodyElseChose(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	stranger, owner := m.NewBrowser(t), m.NewBrowser(t)
	m.signUp(stranger, string(bob), newPassword)
	link := m.linkTo(t, bob)
	page := owner.Get(link)
	if !strings.Contains(page.Text, `id="elsewhere"`) || !strings.Contains(page.Text, `id="password"`) {
		t.Fatalf("the owner of the address is not asked for the password: %s", page.Text)
	}
	for _, typed := range []string{"", "what the owner would have chosen"} {
		if r := confirm(owner, link, typed); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %d", typed, r.StatusCode)
		}
	}
	if r := signIn(stranger, string(bob), newPassword); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the stranger signs in: %d", r.StatusCode)
	}
	if r := confirm(owner, link, newPassword); r.StatusCode != http.StatusSeeOther {
		t.Errorf("who signed up and knows the password, in another browser: %d %s", r.StatusCode, r.Text)
	}
}

func TestSec258_SignUp_AnAddressWithAnAccountIsAnsweredAlike(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada := m.AddMember(t, "Ada")
	answers := map[string]string{}
	hidden := regexp.MustCompile(`name="csrf" value="[^"]*"`)
	for _, email := range []string{string(ada.Email), string(bob)} {
		b := m.NewBrowser(t)
		r := m.signUp(b, email, newPassword)
		answers[email] = r.Redirected(t).String() + hidden.ReplaceAllString(b.Follow(r).Text, "")
	}
	if answers[string(ada.Email)] != answers[string(bob)] {
		t.Errorf("the answers differ: %q", answers)
	}
	m.deliver(t)
	got := m.server.Only(ada.Email)
	if !strings.Contains(got.Subject, "already") || strings.Contains(got.Text, "lph_ml_") {
		t.Errorf("the letter is %s\n%s", got.Subject, got.Text)
	}
	if r := signIn(m.NewBrowser(t), string(ada.Email), platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Errorf("her password: %d", r.StatusCode)
	}
}

func TestSignUp_OfTwoWhoConfirmOneAddressTheSecondIsTold(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	first, second := m.NewBrowser(t), m.NewBrowser(t)
	m.signUp(first, string(bob), newPassword)
	one := m.linkTo(t, bob)
	m.server.Empty()
	m.signUp(second, string(bob), "another good password")
	two := m.linkTo(t, bob)
	if r := confirm(first, one, ""); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the first: %d", r.StatusCode)
	}
	if r := confirm(second, two, ""); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "cannot be used") {
		t.Errorf("the second: %d %s", r.StatusCode, r.Text)
	}
	if r := signIn(m.NewBrowser(t), string(bob), newPassword); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the first signs in: %d", r.StatusCode)
	}
}

func TestSignUp_ByMailRefusesWhatItMustAndSendsNothing(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	for name, c := range map[string]struct{ email, password, says string }{
		"a common password":           {string(bob), "Password123", "first that anybody would try"},
		"a password of 129":           {string(bob), strings.Repeat("abc", 43), "longer than 128"},
		"no address":                  {"bob", newPassword, "one e-mail address"},
		"a line break in the address": {"bob@people.example\r\nBcc: eve@evil.example", newPassword, "one e-mail address"},
		"letters beyond ASCII":        {"böb@people.example", newPassword, "before the @"},
	} {
		if r := m.signUp(m.NewBrowser(t), c.email, c.password); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, c.says) {
			t.Errorf("%s: %d, without %q", name, r.StatusCode, c.says)
		}
	}
	m.deliver(t)
	if got := m.server.Received(bob); len(got) > 0 {
		t.Errorf("mails went out: %v", got)
	}
}
