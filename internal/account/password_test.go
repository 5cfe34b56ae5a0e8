package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// changePassword sends the form that changes a password.
func changePassword(b *platformtest.Browser, old, password string) *platformtest.Response {
	page := b.Get(platformtest.Identity + "/account/password")
	return b.Post(platformtest.Identity+"/account/password", url.Values{"csrf": {page.Field("csrf")}, "old": {old}, "password": {password}})
}

func TestPassword_IsChangedByTheOldOneOrARecentSignIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old    string
		recent bool
		want   int
	}{
		"the old one":                        {platformtest.Password, false, http.StatusSeeOther},
		"a recent sign-in":                   {"", true, http.StatusSeeOther},
		"neither":                            {"", false, http.StatusBadRequest},
		"a wrong one":                        {"wrong", false, http.StatusBadRequest},
		"a wrong one after a recent sign-in": {"wrong", true, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMailing(t)
			ada := m.AddMember(t, "Ada")
			b, other := m.SignedIn(t, ada), m.SignedIn(t, ada)
			if !c.recent {
				m.World.Advance(loop.RecentSignIn + time.Second)
			}
			r := changePassword(b, c.old, newPassword)
			if r.StatusCode != c.want {
				t.Fatalf("%d %s", r.StatusCode, r.Text)
			}
			changed := c.want == http.StatusSeeOther
			if r := b.Get(platformtest.Identity + "/account"); r.StatusCode != http.StatusOK {
				t.Errorf("this session: %d", r.StatusCode)
			}
			if r := other.Get(platformtest.Identity + "/account"); (r.StatusCode == http.StatusOK) == changed {
				t.Errorf("the other session: %d", r.StatusCode)
			}
			if r := signIn(m.NewBrowser(t), string(ada.Email), newPassword); (r.StatusCode == http.StatusSeeOther) != changed {
				t.Errorf("sign-in with the new one: %d", r.StatusCode)
			}
			m.deliver(t)
			if m.hasMail(ada.Email, "password has changed") != changed {
				t.Error("the member hears of a change that was none, or of none that was")
			}
		})
	}
}

func TestPassword_WhatMayNotBeChosenIsSaidBesideItsField(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	for password, says := range map[string]string{
		"1234567": "at least 8", strings.Repeat("abc", 43): "longer than 128", "Password123": "first that anybody", string(ada.Email): "first that anybody", "with\a bell": "cannot be typed",
	} {
		r := changePassword(b, "", password)
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, says) || strings.Contains(r.Text, password) && password != string(ada.Email) {
			t.Errorf("%q: %d, without %q", password, r.StatusCode, says)
		}
	}
	if r := changePassword(b, "", strings.Repeat("ab c", 32)); r.StatusCode != http.StatusSeeOther {
		t.Errorf("128 characters: %d", r.StatusCode)
	}
}

func TestSec261_Password_GuessesAtTheOldOneCountAsTriesToSignIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	p.World.Advance(loop.RecentSignIn + time.Second)
	limited := false
	for range 20 {
		limited = limited || changePassword(b, "a guess", newPassword).StatusCode == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("twenty guesses in a row were judged")
	}
}
