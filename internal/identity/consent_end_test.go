package identity_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// allowFor allows on a consent page all that is asked, for a term.
func allowFor(b *platformtest.Browser, page *platformtest.Response, term loop.Term, ticked ...string) *platformtest.Response {
	return b.Follow(b.Post(platformtest.Identity+"/consent", url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")},
		"decision": {"allow"}, "scope": ticked, "term": {string(term)},
	}))
}

// allowedFor is an app that a member has just allowed all for a term, with its code.
func allowedFor(t *testing.T, p *platformtest.Platform, term loop.Term) (app *platformtest.App, m *loop.Member, b *platformtest.Browser, code string) {
	t.Helper()
	app, m = p.AddApp(t, nil), p.AddMember(t, rand.Text())
	b, page := consentPage(p, t, app.Request(), m)
	return app, m, b, allowFor(b, page, term, "profile", "read:biomarkers").Redirected(t).Query().Get("code")
}

func liveGrant(t *testing.T, p *platformtest.Platform, app *platformtest.App, m *loop.Member) *loop.Grant {
	t.Helper()
	grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), m.ID, app.ID)
	if err != nil || grant == nil {
		t.Fatalf("the grant is %+v, %v", grant, err)
	}
	return grant
}

func TestConsentEnd_FollowsTheTermThatWasChosen(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for term, want := range map[loop.Term]func(time.Time) time.Time{
		loop.TermDay:     func(at time.Time) time.Time { return at.Add(24 * time.Hour) },
		loop.Term30Days:  func(at time.Time) time.Time { return at.Add(30 * 24 * time.Hour) },
		loop.TermYear:    func(at time.Time) time.Time { return at.AddDate(1, 0, 0) },
		loop.TermOpen:    func(time.Time) time.Time { return time.Time{} },
		loop.TermAsItWas: func(time.Time) time.Time { return time.Time{} },
	} {
		app, m, _, _ := allowedFor(t, p, term)
		if grant := liveGrant(t, p, app, m); !grant.EndsAt.Equal(want(grant.UpdatedAt)) {
			t.Errorf("%s: the grant of %v ends at %v", term, grant.UpdatedAt, grant.EndsAt)
		}
	}
	app, m := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b, page := consentPage(p, t, app.Request(), m)
	if r := allowFor(b, page, "for-ever"); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a term that there is none of is answered %d", r.StatusCode)
	}
	if grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), m.ID, app.ID); grant != nil || err != nil {
		t.Errorf("a term that there is none of allows %+v, %v", grant, err)
	}
}

// introspected is when a token expires, as introspection says it; zero: it is not active.
func introspected(t *testing.T, app *platformtest.App, token string) time.Time {
	t.Helper()
	answer := app.Send("/v1/oauth/introspect", url.Values{"token": {token}}, nil).JSON(t)
	if answer["active"] != true {
		return time.Time{}
	}
	return time.Unix(int64(answer["exp"].(float64)), 0)
}

func TestSec300_NoTokenOutlivesTheEndOfTheConsent(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, m, _, code := allowedFor(t, p, loop.TermDay)
	end := liveGrant(t, p, app, m).EndsAt
	first := app.Redeem(code).Pair(t)
	if at := introspected(t, app, first.Refresh); !at.Equal(end.Truncate(time.Second)) {
		t.Errorf("the refresh token expires at %v, the consent at %v", at, end)
	}

	p.World.Advance(24*time.Hour - time.Minute)
	late := app.Refresh(first.Refresh)
	tokens := late.Pair(t)
	if left := late.JSON(t)["expires_in"].(float64); left > 60 {
		t.Errorf("a minute before the end, an access token lives for %v seconds", left)
	}
	if at := introspected(t, app, tokens.Access); at.After(end) {
		t.Errorf("an access token expires at %v, the consent at %v", at, end)
	}
	if exp := int64(claims(t, tokens.ID)["exp"].(float64)); exp > end.Unix() {
		t.Errorf("an ID token expires at %d, the consent at %d", exp, end.Unix())
	}
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
		t.Errorf("before the end, a read is answered %d", r.StatusCode)
	}
	b := p.SignedIn(t, m)
	lastCode := b.Follow(b.Authorize(app.Request())).Redirected(t).Query().Get("code")

	p.World.Advance(end.Sub(p.World.Now()))
	for what, token := range map[string]string{"access": tokens.Access, "refresh": tokens.Refresh} {
		if at := introspected(t, app, token); !at.IsZero() {
			t.Errorf("at the end, the %s token is active", what)
		}
	}
	for what, r := range map[string]*platformtest.Response{
		"a read": p.Biomarkers(t, tokens.Access), "user information": p.UserInfo(t, tokens.Access),
	} {
		if r.StatusCode != http.StatusUnauthorized {
			t.Errorf("at the end, %s is answered %d", what, r.StatusCode)
		}
	}
	for what, r := range map[string]*platformtest.Response{"a refresh": app.Refresh(tokens.Refresh), "a code": app.Redeem(lastCode)} {
		if r.StatusCode != http.StatusBadRequest || r.JSON(t)["error"] != "invalid_grant" {
			t.Errorf("at the end, %s is answered %d %s", what, r.StatusCode, r.Text)
		}
	}
}

func TestSec301_AConsentThatIsOverIsAskedForAgainAndBringsNothingBack(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, m, _, code := allowedFor(t, p, loop.TermDay)
	before, old := app.Redeem(code).Pair(t), liveGrant(t, p, app, m)
	p.World.Advance(24 * time.Hour)
	b := p.SignedIn(t, m)
	if r := b.Authorize(with(app.Request(), "prompt", "none")); r.StatusCode == http.StatusSeeOther && r.Redirected(t).Query().Get("error") != "consent_required" {
		t.Errorf("without a page it is answered %s", r.Header.Get("Location"))
	}
	page := b.Follow(b.Authorize(app.Request()))
	if !strings.Contains(page.Text, `id="allow"`) {
		t.Fatalf("nothing is asked: %d %s", page.StatusCode, page.Text)
	}
	again := app.Redeem(allowFor(b, page, loop.TermAsItWas, "profile").Redirected(t).Query().Get("code")).Pair(t)
	fresh := liveGrant(t, p, app, m)
	if fresh.ID == old.ID || !fresh.EndsAt.IsZero() {
		t.Errorf("what is allowed now is %+v", fresh)
	}
	if again.Scope != "openid profile" {
		t.Errorf("the new tokens have %q", again.Scope)
	}
	for what, r := range map[string]*platformtest.Response{"a refresh token": app.Refresh(before.Refresh), "a code": app.Redeem(code)} {
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s from before works again: %d", what, r.StatusCode)
		}
	}
	if r := p.UserInfo(t, again.Access); r.StatusCode != http.StatusOK {
		t.Errorf("what was allowed now is answered %d", r.StatusCode)
	}
}

func TestConsentEnd_BroughtForwardEndsTheTokensThatWouldOutliveIt(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, m, b, code := allowedFor(t, p, loop.TermYear)
	before := app.Redeem(code).Pair(t)
	longer := func() *platformtest.Response { return b.Follow(b.Authorize(with(app.Request(), "prompt", "consent"))) }

	kept := liveGrant(t, p, app, m).EndsAt
	p.World.Advance(time.Minute)
	allowFor(b, longer(), loop.TermAsItWas, "profile", "read:biomarkers")
	if at := liveGrant(t, p, app, m).EndsAt; !at.Equal(kept) {
		t.Errorf("an end that stays has become %v", at)
	}
	if r := p.Biomarkers(t, before.Access); r.StatusCode != http.StatusOK {
		t.Errorf("with the same end a token is answered %d", r.StatusCode)
	}
	allowFor(b, longer(), loop.TermDay, "profile", "read:biomarkers")
	if r := p.Biomarkers(t, before.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("with an earlier end a token from before is answered %d", r.StatusCode)
	}
	held := app.Redeem(allowFor(b, longer(), loop.TermOpen, "profile", "read:biomarkers").Redirected(t).Query().Get("code")).Pair(t)
	if !liveGrant(t, p, app, m).EndsAt.IsZero() {
		t.Error("an open term has an end")
	}
	p.World.Advance(25 * time.Hour)
	if r := app.Refresh(held.Refresh); r.StatusCode != http.StatusOK {
		t.Errorf("without an end, a refresh is answered %d %s", r.StatusCode, r.Text)
	}
}

func TestConsentEnd_IsRecordedOnceItHasCome(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, m, _, _ := allowedFor(t, p, loop.TermDay)
	untouched, other, _, _ := allowedFor(t, p, loop.TermYear)
	p.World.Advance(24 * time.Hour)
	for range 2 { // a second time there is nothing to do
		if err := p.OAuth.EndOver(t.Context(), p.World.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), m.ID, app.ID); grant != nil || err != nil {
		t.Errorf("the grant is %+v, %v", grant, err)
	}
	if grant := liveGrant(t, p, untouched, other); grant.EndsAt.IsZero() {
		t.Error("another grant has lost its end")
	}
	ended := p.Count(t, "identity", "audit_records WHERE event = 'grant.revoked' AND member_id = '"+string(m.ID)+"'")
	if ended != 1 {
		t.Errorf("%d records say that it ended", ended)
	}
}

func TestConsent_AsksForTheTermAndSaysWhatIsDifferent(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, m, b, _ := allowedFor(t, p, loop.TermDay)
	again := b.Follow(b.Authorize(with(with(app.Request(), "scope", "openid profile"), "prompt", "consent"))).Text
	for _, said := range []string{`<option value="as-it-was" selected>`, `<option value="30-days">`, "It asks no longer for: See your lab results"} {
		if !strings.Contains(again, said) {
			t.Errorf("the second page does not say %q: %s", said, again)
		}
	}
	p.World.Advance(24 * time.Hour)
	b = p.SignedIn(t, m)
	over := b.Follow(b.Authorize(app.Request())).Text
	if !strings.Contains(over, "You allowed this app before, until") || strings.Contains(over, "as-it-was") {
		t.Errorf("once it is over, the page says %s", over)
	}
}

func TestConsent_TellsARealMemberTheTruthAboutAnAppInDevelopment(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.Mode, c.Verified, c.BAA = loop.Development, false, nil })
	for _, test := range []bool{true, false} {
		m, err := p.Accounts.Create(t.Context(), member.Account{Name: "Ada", Email: rand.Text() + "@members.example", Password: platformtest.Password, Locale: "en", Test: test})
		if err != nil {
			t.Fatal(err)
		}
		b := p.SignedIn(t, m)
		page := b.Follow(b.Authorize(with(app.Request(), "scope", "openid profile"))).Text
		if strings.Contains(page, "synthetic data only") != test || strings.Contains(page, "Your account is a real one") == test {
			t.Errorf("a test member (%v) reads %s", test, page)
		}
		if back := strings.Contains(page, `<button class="primary" id="deny"`); back == test {
			t.Errorf("for a test member (%v), the plain choice is to go back: %v", test, back)
		}
		if warning, buttons := strings.Index(page, "note warn"), strings.Index(page, `id="allow"`); warning < 0 || warning > buttons {
			t.Error("the warning stands below the buttons")
		}
		if !strings.Contains(page, "It names no privacy policy") {
			t.Error("a missing privacy policy is not said")
		}
	}
}
