package identity_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSec052_AReplayEndsTheWholeGrantAndTheMemberIsNotified(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public }) // has a chain for each device
	other, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	first := app.Redeem(app.Code(b, ada)).Pair(t)
	device := app.Redeem(app.Code(b, ada)).Pair(t)
	untouched := other.Redeem(other.Code(b, ada)).Pair(t)
	code := app.Code(b, ada)
	second := app.Refresh(first.Refresh).Pair(t)
	third := app.Refresh(second.Refresh).Pair(t)

	refused(t, app.Refresh(first.Refresh), http.StatusBadRequest, "invalid_grant")
	for name, token := range map[string]string{"the newest": third.Refresh, "the one between": second.Refresh, "another device's": device.Refresh} {
		t.Run(name+" refresh token is dead", func(t *testing.T) { refused(t, app.Refresh(token), http.StatusBadRequest, "invalid_grant") })
	}
	for name, token := range map[string]string{"first": first.Access, "second": second.Access, "third": third.Access, "another device's": device.Access} {
		t.Run("the "+name+" access token is dead", func(t *testing.T) {
			for _, r := range []*platformtest.Response{p.Biomarkers(t, token), p.UserInfo(t, token)} {
				if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" {
					t.Errorf("%d %s", r.StatusCode, r.Text)
				}
			}
		})
	}
	t.Run("a code of the same consent is dead", func(t *testing.T) { refused(t, app.Redeem(code), http.StatusBadRequest, "invalid_grant") })
	t.Run("consent is asked for anew", func(t *testing.T) {
		if page := b.Follow(b.Authorize(app.Request())); !strings.Contains(page.Text, `id="allow"`) {
			t.Errorf("%d %s", page.StatusCode, page.Text)
		}
	})
	t.Run("another app's grant lives", func(t *testing.T) { other.Refresh(untouched.Refresh).Pair(t) })
	t.Run("the member is notified, and it is on record", func(t *testing.T) {
		m, err := p.Accounts.Store.Member(t.Context(), ada.ID)
		if err != nil || m.Notice != loop.NewNotice(loop.NoticeReused, "Morning Labs") {
			t.Errorf("the notice is %q, %v", m.Notice, err)
		}
		for _, event := range []string{"token.reused", "grant.revoked"} {
			if count := p.Count(t, "identity", "audit_records WHERE event = '"+event+"' AND member_id = '"+string(ada.ID)+"'"); count != 1 {
				t.Errorf("%d records of %s", count, event)
			}
		}
	})
}

// Tabs behind a proxy that refresh at once look like a theft: the answer says what helps.
func TestRefresh_AReuseNamesTheGracePeriod(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	first := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	app.Refresh(first.Refresh).Pair(t)
	if said, _ := app.Refresh(first.Refresh).JSON(t)["error_description"].(string); !strings.Contains(said, "grace period") {
		t.Errorf("it says %q", said)
	}
}

func TestSec053_FiftyRetriesAtOnceWithinGraceAreOneChain(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.RefreshGrace = 30 * time.Second })
	tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	var (
		all        sync.WaitGroup
		mu         sync.Mutex
		successors = map[string]int{}
	)
	for range 50 {
		all.Go(func() {
			pair := app.Refresh(tokens.Refresh).Pair(t)
			mu.Lock()
			defer mu.Unlock()
			successors[pair.Refresh]++
		})
	}
	all.Wait()
	if len(successors) != 1 || p.Count(t, "identity", "chains") != 1 {
		t.Fatalf("%d successors, %d chains", len(successors), p.Count(t, "identity", "chains"))
	}
	t.Run("with another scope it is a re-use", func(t *testing.T) {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "scope": {"openid"}}
		refused(t, app.Token(form), http.StatusBadRequest, "invalid_grant")
		for successor := range successors {
			refused(t, app.Refresh(successor), http.StatusBadRequest, "invalid_grant")
		}
	})
	t.Run("after 30 seconds it is a re-use", func(t *testing.T) {
		first := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ben"))).Pair(t)
		next := app.Refresh(first.Refresh).Pair(t)
		p.World.Advance(30*time.Second - time.Microsecond)
		app.Refresh(first.Refresh).Pair(t)
		p.World.Advance(time.Microsecond)
		refused(t, app.Refresh(first.Refresh), http.StatusBadRequest, "invalid_grant")
		refused(t, app.Refresh(next.Refresh), http.StatusBadRequest, "invalid_grant")
	})
}

func TestSec055_AStoreThatFailsIssuesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	next := app.Refresh(tokens.Refresh).Pair(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	refused(t, app.Refresh(tokens.Refresh), http.StatusServiceUnavailable, "temporarily_unavailable") // a replay, too
	refused(t, app.Refresh(next.Refresh), http.StatusServiceUnavailable, "temporarily_unavailable")
	p.Open(t)
	refused(t, app.Refresh(tokens.Refresh), http.StatusBadRequest, "invalid_grant")
	refused(t, app.Refresh(next.Refresh), http.StatusBadRequest, "invalid_grant")
}

func TestSec056_ARefreshGivesNoMoreThanStandsNow(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	update := func(t *testing.T, app *platformtest.App, alter func(*loop.Client)) {
		t.Helper()
		if _, err := p.Clients.Update(t.Context(), app.ID, operator, alter); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		change func(*testing.T, *platformtest.App, *platformtest.Browser)
		left   string
	}{
		"the agreement was withdrawn": {func(t *testing.T, app *platformtest.App, _ *platformtest.Browser) {
			t.Helper()
			update(t, app, func(c *loop.Client) { c.BAA = nil })
		}, "openid profile"},
		"back to development": {func(t *testing.T, app *platformtest.App, _ *platformtest.Browser) {
			t.Helper()
			update(t, app, func(c *loop.Client) { c.Mode = loop.Development })
		}, "openid profile"},
		"a scope was taken from the app": {func(t *testing.T, app *platformtest.App, _ *platformtest.Browser) {
			t.Helper()
			update(t, app, func(c *loop.Client) {
				c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeReadBiomarkers)
			})
		}, "openid read:biomarkers"},
		"the member narrowed their consent": {func(t *testing.T, app *platformtest.App, b *platformtest.Browser) {
			t.Helper()
			page := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
			if to := b.Decide(page, "allow", "profile").Redirected(t); !to.Query().Has("code") {
				t.Fatalf("got %s", to)
			}
		}, "openid profile"},
	} {
		t.Run(name, func(t *testing.T) {
			app := p.AddApp(t, nil)
			b := p.SignUp(t, "Real"+strings.ReplaceAll(name, " ", "")) // no test member: the agreement counts
			page := b.Follow(b.Authorize(app.Request()))
			code := b.Decide(page, "allow", "profile", "read:biomarkers").Redirected(t).Query().Get("code")
			tokens := app.Redeem(code).Pair(t)
			if tokens.Scope != "openid profile read:biomarkers" {
				t.Fatalf("the scope is %q", tokens.Scope)
			}
			test.change(t, app, b)
			if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("an access token from before reads: %d", r.StatusCode)
			}
			narrowed := app.Refresh(tokens.Refresh).Pair(t)
			if narrowed.Scope != test.left {
				t.Errorf("the scope is %q, want %q", narrowed.Scope, test.left)
			}
			if reads := p.Biomarkers(t, narrowed.Access).StatusCode == http.StatusOK; reads != strings.Contains(test.left, "biomarkers") {
				t.Errorf("it reads: %v", reads)
			}
		})
	}
	t.Run("a chain never gains scopes from a later consent", func(t *testing.T) {
		app := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public }) // its chains stay beside each other
		b, m := p.NewBrowser(t), p.AddMember(t, "Ada")
		narrow := app.Redeem(b.Allow(with(app.Request(), "scope", "openid"), m).Query().Get("code")).Pair(t)
		wide := app.Redeem(b.Allow(with(app.Request(), "scope", "openid email read:biomarkers"), m).Query().Get("code")).Pair(t)
		if wide.Scope != "openid email read:biomarkers" {
			t.Fatalf("the later consent gives %q", wide.Scope)
		}
		again := app.Refresh(narrow.Refresh).Pair(t)
		if again.Scope != "openid" {
			t.Errorf("the first chain has %q now", again.Scope)
		}
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {again.Refresh}, "scope": {"openid email"}}
		refused(t, app.Token(form), http.StatusBadRequest, "invalid_scope")
	})
}

func TestSec057_ARefreshTokenOfAnotherClientIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, b := p.AddMember(t, "Ada"), p.NewBrowser(t)
	kinds := map[string]*platformtest.App{
		"a confidential app": p.AddApp(t, nil),
		"a public app":       p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public }),
		"an app with a key":  p.AddKeyApp(t, nil),
	}
	for owner, app := range kinds {
		tokens := app.Redeem(app.Code(b, ada)).Pair(t)
		old := tokens.Refresh
		tokens = app.Refresh(old).Pair(t)
		for thief, other := range kinds {
			if thief == owner {
				continue
			}
			t.Run("of "+owner+" by "+thief, func(t *testing.T) {
				refused(t, other.Refresh(tokens.Refresh), http.StatusBadRequest, "invalid_grant")
				refused(t, other.Refresh(old), http.StatusBadRequest, "invalid_grant") // no re-use either
			})
		}
		if app.Type == loop.Confidential {
			t.Run("of "+owner+" by its name without its proof", func(t *testing.T) {
				form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "client_id": {string(app.ID)}}
				refused(t, p.Post(t, tokenAddress, form, nil), http.StatusUnauthorized, "invalid_client")
			})
		}
		t.Run("of "+owner+" works after all that", func(t *testing.T) { app.Refresh(tokens.Refresh).Pair(t) })
	}
}
