package account_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// resetLink is the link that an operator makes for a member.
func resetLink(t *testing.T, p *platformtest.Platform, m *loop.Member) string {
	t.Helper()
	out, err := p.RunWith(t, "", "user", "reset-password", string(m.ID), "--json")
	var made struct {
		Link string `json:"link"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(out), &made)
	}
	if err != nil {
		t.Fatal(err)
	}
	return made.Link
}

// follow takes up a link in a browser and sets a password by it.
func follow(b *platformtest.Browser, link, password string) *platformtest.Response {
	page := b.Get(link)
	address, query, _ := strings.Cut(link, "?")
	values, _ := url.ParseQuery(query)
	page = b.Post(address, url.Values{"csrf": {page.Field("csrf")}, "link": {values.Get("link")}, "confirm": {"yes"}})
	return b.Post(address, url.Values{"csrf": {page.Field("csrf")}, "link": {values.Get("link")}, "confirmed": {page.Field("confirmed")}, "password": {password}})
}

func TestSec481_AnOperatorsLinkSetsOnePasswordOnceAndVerifiesNoAddress(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t) // which sends no mail
	ada := p.AddMember(t, "Ada")
	before := p.SignedIn(t, ada)
	link := resetLink(t, p, ada)
	b := p.NewBrowser(t)
	if page := b.Get(link); page.StatusCode != http.StatusOK || !strings.Contains(page.Text, "Loop&#39;s support made this link") || page.Field("confirmed") != "" {
		t.Fatalf("the page: %d %s", page.StatusCode, page.Text)
	}
	if r := follow(b, link, newPassword); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("setting a password: %d %s", r.StatusCode, r.Text)
	}
	if r := follow(p.NewBrowser(t), link, "another password"); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "was used") || strings.Contains(r.Text, "/forgot-password") {
		t.Errorf("a second time: %d %s", r.StatusCode, r.Text)
	}
	if r := before.Get(platformtest.Identity + "/account"); r.StatusCode == http.StatusOK {
		t.Error("the session from before goes on")
	}
	if r := signIn(p.NewBrowser(t), string(ada.Email), newPassword); r.StatusCode != http.StatusSeeOther {
		t.Errorf("signing in with it: %d %s", r.StatusCode, r.Text)
	}
	if m, err := p.Accounts.Member(t.Context(), ada.ID); err != nil || m.EmailVerified {
		t.Errorf("the address: %+v, %v", m, err)
	}
	late := resetLink(t, p, ada)
	p.World.Advance(loop.ResetLinkLife + time.Second)
	if r := p.NewBrowser(t).Get(late); r.StatusCode != http.StatusBadRequest {
		t.Errorf("after its time: %d", r.StatusCode)
	}
}

func TestSupport_SessionsAreSeenAndEnded(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	first, second := p.SignedIn(t, ada), p.SignedIn(t, ada)
	out, err := p.RunWith(t, "", "session", "list", "--user", string(ada.ID), "--json")
	var sessions []struct {
		ID   string `json:"session_id"`
		Name string `json:"name"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(out), &sessions)
	}
	if err != nil || len(sessions) != 2 || sessions[0].Name != "Ada" {
		t.Fatalf("%s, %v", out, err)
	}
	signedIn := func() (count int) {
		for _, b := range []*platformtest.Browser{first, second} {
			if b.Get(platformtest.Identity+"/account").StatusCode == http.StatusOK {
				count++
			}
		}
		return count
	}
	for _, c := range []struct {
		args []string
		left int
	}{{[]string{"session", "end", string(ada.ID), sessions[0].ID}, 1}, {[]string{"session", "end", string(ada.ID)}, 0}} {
		if err := p.Run(t, c.args...); err != nil || signedIn() != c.left {
			t.Errorf("%v: %v, %d sessions left, want %d", c.args, err, signedIn(), c.left)
		}
	}
}

func TestSupport_GrantsHaveNames(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, app := p.AddMember(t, "Ada"), p.AddApp(t, nil)
	app.Code(p.NewBrowser(t), ada)
	for _, args := range [][]string{{"grant", "list"}, {"grant", "list", "--user", string(ada.Email)}, {"user", "show", string(ada.ID)}} {
		if out, err := p.RunWith(t, "", args...); err != nil || !strings.Contains(out, "Ada") || !strings.Contains(out, "Morning Labs") {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
	if err := p.Run(t, "client", "delete", string(app.ID)); err != nil {
		t.Fatal(err)
	}
	if out, err := p.RunWith(t, "", "grant", "list", "--all"); err != nil || !strings.Contains(out, "Morning Labs") {
		t.Errorf("of a deleted app: %v %s", err, out)
	}
}
