package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// comesThroughTheirApp signs a member up who is no test member, and leads them through
// an app in development that is theirs, or somebody else's.
func comesThroughTheirApp(t *testing.T, p *platformtest.Platform, own bool) (*platformtest.Browser, *loop.Member, *platformtest.App, *platformtest.Response) {
	t.Helper()
	m, err := p.Accounts.Create(t.Context(), member.Account{Name: "Grace", Email: "grace@developers.example", Password: platformtest.Password, EmailVerified: true})
	if err != nil {
		t.Fatal(err)
	}
	app := p.AddApp(t, func(c *loop.Client) {
		c.Mode = loop.Development
		if own {
			c.Owner = m.ID
		}
	})
	b := p.NewBrowser(t)
	return b, m, app, b.SignIn(b.Follow(b.Authorize(app.Request())), m)
}

// become presses the button of the page.
func become(b *platformtest.Browser, page *platformtest.Response) *platformtest.Response {
	return b.Follow(b.Post(platformtest.Identity+"/test-member", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}}))
}

func TestADeveloperBecomesATestMemberByOneButton(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b, m, app, page := comesThroughTheirApp(t, p, true)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.Text, `id="become-test-member"`) {
		t.Fatalf("the way leads to %d %s", page.StatusCode, page.Text)
	}
	consent := become(b, page)
	if !strings.Contains(consent.Text, `id="allow"`) {
		t.Fatalf("the button leads to %d %s", consent.StatusCode, consent.Text)
	}
	code := b.Decide(consent, "allow", "openid", "profile", "read:biomarkers").Redirected(t).Query().Get("code")
	if r := p.Biomarkers(t, app.Redeem(code).Pair(t).Access); r.StatusCode != http.StatusOK {
		t.Errorf("lab results are answered with %d", r.StatusCode)
	}
	if stored, err := p.Accounts.Member(t.Context(), m.ID); err != nil || !stored.Test {
		t.Errorf("the member is %+v, %v", stored, err)
	}
}

func TestWhoIsNoTestMemberIsRefusedByPromptNoneAsBefore(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b, _, app, _ := comesThroughTheirApp(t, p, true)
	request := app.Request()
	request.Set("prompt", "none")
	if answer := b.Follow(b.Authorize(request)); !strings.Contains(answer.Text, "?error=invalid_scope&amp;") {
		t.Errorf("prompt=none is answered with %d %s", answer.StatusCode, answer.Text)
	}
}

// Only the app's own developer is offered it, and an account with results of its own
// stays what it is: apps in development could ask for them.
func TestSec435_NobodyElseBecomesATestMember(t *testing.T) {
	t.Parallel()
	t.Run("a member of another's app", func(t *testing.T) {
		p := platformtest.New(t)
		b, m, _, page := comesThroughTheirApp(t, p, false)
		if strings.Contains(page.Text, "become-test-member") {
			t.Error("a member is offered it")
		}
		home := b.Get(platformtest.Identity + "/signin")
		become(b, home)
		if stored, _ := p.Accounts.Member(t.Context(), m.ID); stored.Test {
			t.Error("a member became a test member without an app of theirs")
		}
	})
	t.Run("a developer with results of their own", func(t *testing.T) {
		p := platformtest.New(t)
		b, m, _, page := comesThroughTheirApp(t, p, true)
		results, err := p.Catalogue.Synthetic(m.ID, loop.Female, p.World.Now().Add(-time.Hour))
		if err == nil {
			err = p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, m.ID, results)
		}
		if err != nil {
			t.Fatal(err)
		}
		// The page was shown before the results came in.
		again := become(b, page)
		if stored, _ := p.Accounts.Member(t.Context(), m.ID); stored.Test || strings.Contains(again.Text, "become-test-member") {
			t.Errorf("%d %s", again.StatusCode, again.Text)
		}
	})
	t.Run("a form of another site", func(t *testing.T) {
		p := platformtest.New(t)
		b, m, _, page := comesThroughTheirApp(t, p, true)
		r := b.Post(platformtest.Identity+"/test-member", url.Values{"csrf": {"x"}, "continue": {page.Field("continue")}})
		if stored, _ := p.Accounts.Member(t.Context(), m.ID); r.StatusCode != http.StatusForbidden || stored.Test {
			t.Errorf("it is answered with %d", r.StatusCode)
		}
	})
}
