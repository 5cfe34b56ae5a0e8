package account_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestMail_WhileTheServerIsDownTheActStandsAndTheMailArrivesLater(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada := m.AddMember(t, "Ada")
	m.server.Stop()
	b := m.NewBrowser(t)
	m.forgot(t, b, string(ada.Email))
	m.deliver(t)
	if r := b.Get(platformtest.Identity + "/forgot-password/sent"); !strings.Contains(r.Text, `id="late"`) {
		t.Errorf("nobody says that mail is late: %s", r.Text)
	}
	m.server.Start()
	m.deliver(t) // it is not due again yet
	if got := m.server.Received(ada.Email); len(got) > 0 {
		t.Errorf("%d mails went out before their time", len(got))
	}
	m.World.Advance(11 * time.Second)
	if r := setPassword(b, m.linkTo(t, ada.Email), newPassword); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the link of the late mail: %d", r.StatusCode)
	}
	if r := b.Get(platformtest.Identity + "/forgot-password/sent"); strings.Contains(r.Text, `id="late"`) {
		t.Error("mail is still said to be late")
	}
}

func TestMail_OfAProcessThatEndedBeforeItWentOutIsSentOnceByTheNext(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	ada := m.AddMember(t, "Ada")
	b := m.NewBrowser(t)
	m.forgot(t, b, string(ada.Email))
	m.Restart(t)
	for range 3 {
		m.deliver(t)
	}
	if r := setPassword(b, m.linkTo(t, ada.Email), newPassword); r.StatusCode != http.StatusSeeOther {
		t.Errorf("its link: %d", r.StatusCode)
	}
}

func TestMail_MembersHearOfAppsThatWereConnectedAndCutOff(t *testing.T) {
	t.Parallel()
	m := newMailing(t)
	app, ada := m.AddApp(t, nil), m.AddMember(t, "Ada")
	b := m.SignedIn(t, ada)
	first := app.Redeem(app.Code(b, ada)).Pair(t)
	app.Code(b, ada) // it is allowed already
	m.deliver(t)
	if got := m.server.Only(ada.Email); !strings.Contains(got.Subject, "“Morning Labs” can now read") || !strings.Contains(got.Text, "If it was not you") {
		t.Errorf("the notice is %s\n%s", got.Subject, got.Text)
	}
	second := app.Refresh(first.Refresh).Pair(t)
	m.World.Advance(time.Hour)
	app.Refresh(second.Refresh)
	if r := app.Refresh(first.Refresh); r.StatusCode != http.StatusBadRequest {
		t.Fatalf("a token that came twice: %d", r.StatusCode)
	}
	m.deliver(t)
	if !m.hasMail(ada.Email, "“Morning Labs” was disconnected") {
		t.Error("the member does not hear that the app was cut off")
	}
}

func TestMail_WhereNoneIsSentNothingThatNeedsOneIsOffered(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	for _, path := range []string{"/forgot-password", "/forgot-password/sent", "/confirm-sign-up", "/confirm-address", "/account/email", "/signup/sent"} {
		if r := b.Get(platformtest.Identity + path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	for _, path := range []string{"/signin?another=1", "/account/password", "/account/security"} {
		if r := b.Get(platformtest.Identity + path); r.StatusCode != http.StatusOK || strings.Contains(r.Text, "/forgot-password") || strings.Contains(r.Text, "/account/email") {
			t.Errorf("%s: %d, and leads to what takes mail", path, r.StatusCode)
		}
	}
}
