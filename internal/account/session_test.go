package account_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

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
	b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
	first := session()
	b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
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
	b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
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
	b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
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
	if r := app.Refresh(tokens.Refresh); r.StatusCode != http.StatusBadRequest || r.JSON(t)["error"] != "invalid_grant" {
		t.Errorf("the refresh token lives: %d %s", r.StatusCode, r.Text)
	}
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
