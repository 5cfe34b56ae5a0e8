package account_test

import (
	"archive/zip"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const privacyPage = platformtest.Identity + "/account/privacy"

// leave asks for the deletion of a member's account as its page does.
func leave(t *testing.T, b *platformtest.Browser) *platformtest.Response {
	t.Helper()
	page := b.Get(privacyPage)
	return b.Post(privacyPage, url.Values{"csrf": {page.Field("csrf")}, "act": {"delete"}, "sure": {"yes"}})
}

func TestPrivacy_WhoLeavesIsSignedOutAndStaysBySigningIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	other := p.SignedIn(t, ada.member)
	page := ada.browser.Get(privacyPage)
	if unsure := ada.browser.Post(privacyPage, url.Values{"csrf": {page.Field("csrf")}, "act": {"delete"}}); unsure.StatusCode != http.StatusBadRequest || !strings.Contains(unsure.Text, "Tick the box if you are sure.") {
		t.Errorf("without a tick the answer is %d %s", unsure.StatusCode, unsure.Text)
	}
	left := leave(t, ada.browser)
	if to := left.Redirected(t).Path; to != "/left" {
		t.Fatalf("it leads to %s", to)
	}
	if said := ada.browser.Follow(left); said.StatusCode != http.StatusOK || !strings.Contains(said.Text, "Your account will be deleted") {
		t.Errorf("what is said is %d %s", said.StatusCode, said.Text)
	}
	for name, b := range map[string]*platformtest.Browser{"this": ada.browser, "another": other} {
		if r := b.Get(privacyPage); r.Redirected(t).Path != "/signin" {
			t.Errorf("%s browser is still signed in", name)
		}
	}
	p.World.Advance(member.TimeToComeBack - time.Minute)
	if err := p.EraseLeft(t.Context()); err != nil {
		t.Fatal(err)
	}
	back := p.NewBrowser(t)
	if notice := back.SignIn(back.Get(platformtest.Identity+"/signin"), ada.member); !strings.Contains(notice.Text, "Your account was about to be deleted.") {
		t.Errorf("who comes back reads %d %s", notice.StatusCode, notice.Text)
	}
	p.World.Advance(2 * time.Minute)
	if err := p.EraseLeft(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, err := p.Accounts.Member(t.Context(), ada.member.ID); err != nil || m.Name != "Ada" || !m.ErasedAt.IsZero() || !m.ErasesAt.IsZero() {
		t.Errorf("who came back is %+v, %v", m, err)
	}
}

func TestSec310_AnOldSessionDeletesNoAccount(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	b := p.SignedIn(t, ada)
	page := b.Get(privacyPage)
	p.World.Advance(5*time.Minute + time.Second)
	form := url.Values{"csrf": {page.Field("csrf")}, "act": {"delete"}, "sure": {"yes"}}
	if to := b.Post(privacyPage, form).Redirected(t); to.Path != "/signin" {
		t.Errorf("it leads to %s", to)
	}
	if r := p.NewBrowser(t).Post(privacyPage, form); r.StatusCode != http.StatusForbidden {
		t.Errorf("another browser with the form's token is answered %d", r.StatusCode)
	}
	if m, err := p.Accounts.Member(t.Context(), ada.ID); err != nil || !m.ErasesAt.IsZero() {
		t.Errorf("the member leaves: %+v, %v", m, err)
	}
}

func TestPrivacy_AnErasedMemberHasNothingLeftAndTheAddressIsFree(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	addTSH(t, p, ada.member)
	addPasskey(t, p, ada.member)
	setUp(t, p, ada.browser)
	of := " WHERE member_id = '" + string(ada.member.ID) + "'"
	for _, table := range []string{"passkeys", "second_factors", "recovery_codes"} {
		if p.Count(t, "identity", table+of) == 0 {
			t.Fatalf("there is nothing in %s to erase", table)
		}
	}
	leave(t, ada.browser)
	p.World.Advance(member.TimeToComeBack)
	fresh := p.SignedIn(t, p.AddMember(t, "Ben")) // somebody else stays
	for range 2 {
		if err := p.EraseLeft(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if r := ada.app.Refresh(ada.tokens.Refresh); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the refresh token still works: %d", r.StatusCode)
	}
	for table, room := range map[string]string{"result_chunks": "clinical", "submissions": "clinical", "passkeys": "identity", "second_factors": "identity", "recovery_codes": "identity"} {
		if rows := p.Count(t, room, table+of); rows != 0 {
			t.Errorf("%d rows are left of %s", rows, table)
		}
	}
	m, err := p.Accounts.Member(t.Context(), ada.member.ID)
	if err != nil || m.Name != "" || m.Email != "" || m.Sex != "" || !m.Suspended || m.ErasedAt.IsZero() {
		t.Errorf("what is left of the member is %+v, %v", m, err)
	}
	again := p.NewBrowser(t)
	page := again.Get(platformtest.Identity + "/signin")
	if r := again.SignIn(page, ada.member); !strings.Contains(r.Text, "is not right") {
		t.Errorf("the erased member signs in: %d %s", r.StatusCode, r.Text)
	}
	page = again.Get(platformtest.Identity + "/signup")
	r := again.Post(platformtest.Identity+"/signup", url.Values{
		"csrf": {page.Field("csrf")}, "name": {"Ada"}, "email": {string(ada.member.Email)}, "password": {platformtest.Password},
	})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the address is not free: %d %s", r.StatusCode, r.Text)
	}
	if list := again.Get(appsPage).Text; !strings.Contains(list, "No app is connected.") {
		t.Errorf("the new account has %s", list)
	}
	if list := fresh.Get(appsPage); list.StatusCode != http.StatusOK {
		t.Errorf("another member is answered %d", list.StatusCode)
	}
}

// unzip reads the files of an answer.
func unzip(t *testing.T, r *platformtest.Response) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(strings.NewReader(r.Text), int64(len(r.Text)))
	if err != nil {
		t.Fatalf("%d %s: %v", r.StatusCode, r.Text, err)
	}
	files := make(map[string]string)
	for _, file := range archive.File {
		content, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		files[file.Name] = string(text)
	}
	return files
}

func TestADownloadSaysHowItsMemberSignsIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b, ada := p.NewBrowser(t), p.AddMember(t, "Ada")
	b.SignIn(b.Get(platformtest.Identity+"/signin"), ada)
	if ways := unzip(t, b.Get(privacyPage+"/download"))["ways-to-sign-in.json"]; ways != "[]\n" {
		t.Errorf("with a password alone it says %s", ways)
	}
	addPasskey(t, p, ada)
	setUp(t, p, b)
	var ways []map[string]string
	if err := json.Unmarshal([]byte(unzip(t, b.Get(privacyPage+"/download"))["ways-to-sign-in.json"]), &ways); err != nil || len(ways) != 2 {
		t.Fatalf("it says %v, %v", ways, err)
	}
	if w := ways[0]; w["kind"] != "passkey" || w["name"] != "My phone" || w["created_at"] == "" || w["last_used_at"] != "" {
		t.Errorf("of the passkey it says %v", w)
	}
	if w := ways[1]; w["kind"] != "second factor" || w["created_at"] == "" {
		t.Errorf("of the second factor it says %v", w)
	}
}

func TestSec313_ADownloadHasAllOfItsMemberAndNeedsARecentSignIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, ben := connect(t, p, "Ada", func(c *loop.Client) { c.Name = "Morning Labs" }), connect(t, p, "Ben", func(c *loop.Client) { c.Name = "Evening Labs" })
	addTSH(t, p, ada.member)
	p.Biomarkers(t, ada.tokens.Access)
	p.Biomarkers(t, ben.tokens.Access)
	r := ada.browser.Get(privacyPage + "/download")
	if r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", r.StatusCode, r.Header)
	}
	files := unzip(t, r)
	for name, holds := range map[string]string{
		"account": string(ada.member.Email), "lab-results": "2.41", "apps": "Morning Labs", "who-read-what": "Morning Labs",
	} {
		table, object := files[name+".csv"], files[name+".json"]
		if !strings.Contains(table, holds) || !strings.Contains(object, holds) {
			t.Errorf("%s holds no %q: %s %s", name, holds, table, object)
		}
		var rows []map[string]string
		if err := json.Unmarshal([]byte(object), &rows); err != nil || len(rows) != 1 {
			t.Errorf("%s.json is %s, %v", name, object, err)
		}
		if lines, err := csv.NewReader(strings.NewReader(table)).ReadAll(); err != nil || len(lines) != 2 {
			t.Errorf("%s.csv is %s, %v", name, table, err)
		}
		if strings.Contains(table+object, "Evening Labs") || strings.Contains(table+object, string(ben.member.ID)) {
			t.Errorf("%s holds something of another member: %s", name, table)
		}
	}
	if empty := unzip(t, ben.browser.Get(privacyPage+"/download"))["lab-results.json"]; empty != "[]\n" {
		t.Errorf("no results are written as %q", empty)
	}
	p.World.Advance(5*time.Minute + time.Second)
	if to := ada.browser.Get(privacyPage + "/download").Redirected(t); to.Path != "/signin" {
		t.Errorf("later it leads to %s", to)
	}
	if to := p.NewBrowser(t).Get(privacyPage + "/download").Redirected(t); to.Path != "/signin" {
		t.Errorf("signed out it leads to %s", to)
	}
}
