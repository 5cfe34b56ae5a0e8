package account_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/signin"
)

func TestSec142_OfABurstOfPasswordsNoMoreAreJudgedThanOneAfterTheOther(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	page := b.Get(platformtest.Identity + "/signin")
	var (
		all              sync.WaitGroup
		judged, signedIn atomic.Int64
	)
	for i := range 100 {
		all.Go(func() {
			password := fmt.Sprintf("a guess, number %d", i)
			if i == 99 {
				password = platformtest.Password
			}
			r := b.Post(platformtest.Identity+"/signin", url.Values{"csrf": {page.Field("csrf")}, "email": {"ada@members.example"}, "password": {password}})
			switch r.StatusCode {
			case http.StatusBadRequest:
				judged.Add(1)
			case http.StatusSeeOther:
				signedIn.Add(1)
			case http.StatusTooManyRequests:
			default:
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
		})
	}
	all.Wait()
	// The right one, if it was judged, frees what was tried before it.
	if most := 6 + 6*signedIn.Load(); judged.Load() > most {
		t.Errorf("%d wrong passwords were judged, and %d right ones", judged.Load(), signedIn.Load())
	}
}

func TestSec143_AStrangerKeepsNoMemberOut(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	p.AddMember(t, "Ada")
	own := p.NewBrowserAt(t, "198.51.100.1")
	if r := signIn(own, "ada@members.example", platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", r.StatusCode)
	}
	for range 3 { // an hour's worth of the longest waits would do the same
		for signIn(p.NewBrowserAt(t, "2001:db8::1"), "ada@members.example", "wrong").StatusCode != http.StatusTooManyRequests {
		}
		p.World.Advance(5 * time.Minute)
	}
	signIn(p.NewBrowserAt(t, "2001:db8::2"), "ada@members.example", "wrong")
	if r := signIn(p.NewBrowserAt(t, "2001:db8::3"), "ada@members.example", platformtest.Password); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the stranger's network goes on guessing: %d", r.StatusCode)
	}
	p.World.Advance(time.Minute)
	if r := signIn(p.NewBrowserAt(t, "203.0.113.1"), "ada@members.example", platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Errorf("a new device elsewhere: %d", r.StatusCode)
	}
	for i := range 12 { // from everywhere at once, new devices wait a minute
		signIn(p.NewBrowserAt(t, fmt.Sprintf("192.0.2.%d", i)), "ada@members.example", "wrong")
	}
	if r := signIn(p.NewBrowserAt(t, "203.0.113.2"), "ada@members.example", platformtest.Password); r.StatusCode != http.StatusTooManyRequests {
		t.Errorf("many networks are not slowed down: %d", r.StatusCode)
	}
	if r := signIn(own, "ada@members.example", platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the member's own browser: %d", r.StatusCode)
	}
}

func TestSec144_SignUpsAreCountedBeforeTheyCostAnything(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	hashes := 0
	counting := &countedAccounts{p.SignIns.Accounts, func() { hashes++ }}
	p.SignIns.Accounts = counting
	for i := range 40 { // each from another address of one network, half of them to an account that is there
		b := p.NewBrowserAt(t, fmt.Sprintf("2001:db8::%x", i+1))
		page := b.Get(platformtest.Identity + "/signup")
		email := fmt.Sprintf("bob%d@people.example", i)
		if i%2 == 0 {
			email = string(ada.Email)
		}
		r := b.Post(platformtest.Identity+"/signup", url.Values{"csrf": {page.Field("csrf")}, "name": {"Bob"}, "email": {email}, "password": {"another " + platformtest.Password}})
		if limited := r.StatusCode == http.StatusTooManyRequests; limited != (i >= 20) {
			t.Fatalf("sign-up %d: %d", i+1, r.StatusCode)
		}
	}
	if hashes != 20 {
		t.Errorf("%d of 40 were hashed", hashes)
	}
}

func TestSec145_OneAccountSignsInSoOften(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	signedIn := 0
	for range 80 {
		if signIn(p.NewBrowser(t), string(ada.Email), platformtest.Password).StatusCode == http.StatusSeeOther {
			signedIn++
		}
	}
	if signedIn > 61 || signedIn < 60 {
		t.Errorf("%d of 80 sign-ins at once", signedIn)
	}
	if rows := p.Count(t, "identity", "sessions WHERE member_id = '"+string(ada.ID)+"'"); rows != 50 {
		t.Errorf("%d sessions are kept", rows)
	}
	p.World.Advance(time.Minute)
	if r := signIn(p.NewBrowser(t), string(ada.Email), platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Errorf("a minute later: %d", r.StatusCode)
	}
}

// countedAccounts counts what is kept, after it was hashed.
type countedAccounts struct {
	signin.Accounts
	kept func()
}

// SignUp implements signin.Accounts.
func (c *countedAccounts) SignUp(ctx context.Context, m *loop.Member, passwordHash string) error {
	c.kept()
	return c.Accounts.SignUp(ctx, m, passwordHash)
}
