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

const adasNew loop.Email = "ada@new.example"

// askForAddress sends the form that changes an address.
func askForAddress(b *platformtest.Browser, email loop.Email) *platformtest.Response {
	page := b.Get(platformtest.Identity + "/account/email")
	return b.Post(platformtest.Identity+"/account/email", url.Values{"csrf": {page.Field("csrf")}, "email": {string(email)}})
}

func TestAddress_ChangesWhenTheNewOneIsConfirmedAndBothHearOfIt(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada := m.AddMember(t, "Ada")
	b := m.SignedIn(t, ada)
	if r := b.Follow(askForAddress(b, adasNew)); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "on its way") {
		t.Fatalf("asking: %d %s", r.StatusCode, r.Text)
	}
	forgotten := m.NewBrowser(t)
	m.forgot(t, forgotten, string(ada.Email))
	link := m.linkTo(t, adasNew)
	if got := m.server.Received(ada.Email); len(got) != 2 || !strings.Contains(got[0].Text+got[1].Text, string(adasNew)) {
		t.Errorf("the present address received %v", got)
	}
	var reset string
	for _, got := range m.server.Received(ada.Email) {
		if links := linkInMail.FindAllString(got.Text, -1); strings.Contains(got.Text, "/set-password") {
			reset = links[0]
		}
	}
	if r := signIn(m.NewBrowser(t), string(adasNew), platformtest.Password); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the new address counts before it is confirmed: %d", r.StatusCode)
	}
	m.server.Empty()
	if r := b.Follow(confirm(b, link, "")); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, "is confirmed") {
		t.Fatalf("confirming: %d %s", r.StatusCode, r.Text)
	}
	m.deliver(t)
	for _, address := range []loop.Email{ada.Email, adasNew} {
		if got := m.server.Only(address); !strings.Contains(got.Subject, "has changed") {
			t.Errorf("%s received %s", address, got.Subject)
		}
	}
	for address, want := range map[loop.Email]int{ada.Email: http.StatusBadRequest, adasNew: http.StatusSeeOther} {
		if r := signIn(m.NewBrowser(t), string(address), platformtest.Password); r.StatusCode != want {
			t.Errorf("sign-in as %s: %d", address, r.StatusCode)
		}
	}
	if got, err := m.Accounts.Member(t.Context(), ada.ID); err != nil || got.Email != adasNew || !got.EmailVerified {
		t.Errorf("the member is %+v, %v", got, err)
	}
	if r := setPassword(forgotten, reset, newPassword); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a link that went to the address before sets a password: %d", r.StatusCode)
	}
	if r := confirm(b, link, ""); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the link once more: %d", r.StatusCode)
	}
}

func TestAddress_ThatNobodyConfirmedYetIsConfirmedByALink(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada := m.AddMember(t, "Ada")
	b := m.SignedIn(t, ada)
	askForAddress(b, ada.Email)
	if r := b.Follow(confirm(b, m.linkTo(t, ada.Email), "")); r.StatusCode != http.StatusOK {
		t.Fatalf("confirming: %d %s", r.StatusCode, r.Text)
	}
	if got, err := m.Accounts.Member(t.Context(), ada.ID); err != nil || !got.EmailVerified {
		t.Errorf("the member is %+v, %v", got, err)
	}
	if r := askForAddress(b, ada.Email); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "already") {
		t.Errorf("once more: %d", r.StatusCode)
	}
}

func TestSec259_Address_NobodyConfirmsAnAddressForTheAccountOfSomebodyElse(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	eve, ada := m.AddMember(t, "Eve"), m.AddMember(t, "Ada")
	hers := m.SignedIn(t, eve)
	askForAddress(hers, "victim@people.example")
	link := m.linkTo(t, "victim@people.example")
	for name, b := range map[string]*platformtest.Browser{"a stranger's browser": m.NewBrowser(t), "another member's": m.SignedIn(t, ada)} {
		if r := confirm(b, link, ""); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, `id="elsewhere"`) {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Text)
		}
	}
	if got, err := m.Accounts.Member(t.Context(), eve.ID); err != nil || got.Email != eve.Email {
		t.Errorf("the member is %+v, %v", got, err)
	}
	if r := confirm(m.SignedIn(t, eve), link, ""); r.StatusCode != http.StatusSeeOther {
		t.Errorf("another browser that she is signed in with: %d", r.StatusCode)
	}
}

func TestSec260_Address_ThatHasAnAccountIsAnsweredAlikeAndNotTaken(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	eve, ada := m.AddMember(t, "Eve"), m.AddMember(t, "Ada")
	b := m.SignedIn(t, eve)
	free, taken := askForAddress(b, "free@people.example"), askForAddress(b, ada.Email)
	if free.StatusCode != http.StatusSeeOther || free.StatusCode != taken.StatusCode || free.Redirected(t).String() != taken.Redirected(t).String() {
		t.Errorf("the answers are %d and %d", free.StatusCode, taken.StatusCode)
	}
	m.deliver(t)
	if got := m.server.Only(ada.Email); strings.Contains(got.Text, "lph_ml_") || !strings.Contains(got.Subject, "another Loop account") {
		t.Errorf("the letter is %s\n%s", got.Subject, got.Text)
	}
}

func TestAddress_NeedsARecentSignIn(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada := m.AddMember(t, "Ada")
	b := m.SignedIn(t, ada)
	page := b.Get(platformtest.Identity + "/account/email")
	m.World.Advance(loop.RecentSignIn + time.Second)
	r := b.Post(platformtest.Identity+"/account/email", url.Values{"csrf": {page.Field("csrf")}, "email": {string(adasNew)}})
	if !strings.HasPrefix(r.Redirected(t).Path, "/signin") {
		t.Errorf("it leads to %s", r.Redirected(t))
	}
	m.deliver(t)
	if got := m.server.Received(adasNew); len(got) > 0 {
		t.Errorf("a mail went out: %v", got)
	}
}
