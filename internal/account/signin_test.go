package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func signIn(b *platformtest.Browser, email, password string) *platformtest.Response {
	page := b.Get(platformtest.Identity + "/signin?another=1")
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
