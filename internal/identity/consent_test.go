package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// consentPage takes a new browser to the consent page of a request.
func consentPage(p *platformtest.Platform, t *testing.T, request url.Values, m *loop.Member) (*platformtest.Browser, *platformtest.Response) {
	t.Helper()
	b := p.NewBrowser(t)
	page := b.SignIn(b.Follow(b.Authorize(request)), m)
	if !strings.Contains(page.Text, `id="allow"`) {
		t.Fatalf("no consent page: %d %s", page.StatusCode, page.Text)
	}
	return b, page
}

func TestConsent_SaysWhoAsksForWhat(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.Verified, c.HomePage = false, "https://app.example.com" })
	_, page := consentPage(p, t, app.Request(), p.AddMember(t, "Ada"))
	for _, said := range []string{
		"Morning Labs", "Not verified by Loop", "app.example.com", "Know who you are", "needed", "See your lab results", "<bdi>Ada</bdi>, English",
		"It can’t change your data, see your e‑mail address or contact your care team.", "Signed in as <bdi>Ada</bdi>",
	} {
		if !strings.Contains(page.Text, said) {
			t.Errorf("the page does not say %q", said)
		}
	}
	if strings.Contains(page.Text, `id="scope-openid"`) {
		t.Error("openid can be left out")
	}
}

func TestConsent_SaysHowMuchHealthDataThereIs(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	said := func() string {
		_, page := consentPage(p, t, app.Request(), ada)
		_, rest, _ := strings.Cut(page.Text, `class="amount">`)
		amount, _, _ := strings.Cut(rest, "<")
		return amount
	}
	if got := said(); got != "no lab results yet" {
		t.Errorf("of none, it says %q", got)
	}
	value, err := biomarker.ParseDecimal("2.41")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"1 lab result, of Mar 2026", "2 lab results since Mar 2026"} {
		err := p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, ada.ID, []biomarker.Result{{
			ID: loop.NewResultID(p.World), Code: "tsh", Value: value, Unit: "m[IU]/L", Source: "quest",
			CollectedAt: time.Date(2026, time.March, 5+i, 8, 0, 0, 0, time.UTC), ParsedAt: p.World.Now(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := said(); got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
	}
}

func TestConsent_DenyIsAccessDenied(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	request := app.Request()
	b, page := consentPage(p, t, request, p.AddMember(t, "Ada"))
	got := b.Decide(page, "deny").Redirected(t).Query()
	if got.Get("error") != "access_denied" || got.Get("state") != request.Get("state") || got.Has("code") {
		t.Errorf("got %v", got)
	}
	if again := b.Follow(b.Authorize(app.Request())); !strings.Contains(again.Text, `id="allow"`) {
		t.Error("a denial is remembered as an answer")
	}
}

func TestConsent_AScopeLeftOutIsRememberedAsDeclined(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b, page := consentPage(p, t, app.Request(), ada)
	first := app.Redeem(b.Decide(page, "allow", "profile").Redirected(t).Query().Get("code")).Pair(t)
	if first.Scope != "openid profile" {
		t.Fatalf("scope is %q", first.Scope)
	}
	r := p.Biomarkers(t, first.Access)
	if r.StatusCode != http.StatusForbidden || !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="insufficient_scope", scope="read:biomarkers"`) {
		t.Errorf("a token without the scope: got %d %s", r.StatusCode, r.Header.Get("WWW-Authenticate"))
	}
	silent := app.Redeem(b.Authorize(app.Request()).Redirected(t).Query().Get("code")).Pair(t)
	if silent.Scope != "openid profile" {
		t.Errorf("the same request is answered with %q", silent.Scope)
	}
	if again := b.Follow(b.Authorize(with(app.Request(), "scope", "openid profile email"))); !strings.Contains(again.Text, `class="new"`) {
		t.Error("a scope never shown before is not marked as new")
	}
}

func TestConsent_NarrowingEndsTokensAtOnce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	before := app.Redeem(app.Code(b, ada)).Pair(t)
	page := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
	after := app.Redeem(b.Decide(page, "allow", "profile").Redirected(t).Query().Get("code")).Pair(t)
	if r := p.Biomarkers(t, before.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token from before still reads: %d", r.StatusCode)
	}
	if after.Scope != "openid profile" {
		t.Errorf("the new scope is %q", after.Scope)
	}
	if r := p.UserInfo(t, after.Access); r.StatusCode != http.StatusOK {
		t.Errorf("the new token does not work: %d", r.StatusCode)
	}
}

func TestConsent_AnAppThatMayAddResultsIsNotSaidToChangeNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.AllowedScopes = append(c.AllowedScopes, loop.ScopeWriteBiomarkers) })
	_, page := consentPage(p, t, with(app.Request(), "scope", "openid write:biomarkers"), p.AddMember(t, "Ada"))
	if !strings.Contains(page.Text, "Add lab results to your record") || strings.Contains(page.Text, "change your data") {
		t.Errorf("the page says %s", page.Text)
	}
	if !strings.Contains(page.Text, "It can’t see your name, see your e‑mail address, see your lab results or contact your care team.") {
		t.Errorf("the page says %s", page.Text)
	}
}

func TestConsent_RequiredScopesCannotBeLeftOut(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.RequiredScopes = loop.NewScopes(loop.ScopeReadBiomarkers) })
	b, page := consentPage(p, t, app.Request(), p.AddMember(t, "Ada"))
	if got := app.Redeem(b.Decide(page, "allow").Redirected(t).Query().Get("code")).Pair(t); got.Scope != "openid read:biomarkers" {
		t.Errorf("scope is %q", got.Scope)
	}
}

func TestSec039_ConsentAllowsOnlyWhatThePageShowed(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	for name, c := range map[string]struct {
		alter  func(url.Values, http.Header)
		method string
		status int
	}{
		"no CSRF token":      {func(f url.Values, _ http.Header) { f.Del("csrf") }, "POST", http.StatusForbidden},
		"another CSRF token": {func(f url.Values, _ http.Header) { f.Set("csrf", "x") }, "POST", http.StatusForbidden},
		"a foreign site":     {func(_ url.Values, h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") }, "POST", http.StatusForbidden},
		"a sibling site":     {func(_ url.Values, h http.Header) { h.Set("Sec-Fetch-Site", "same-site") }, "POST", http.StatusForbidden},
		"a foreign Origin":   {func(_ url.Values, h http.Header) { h.Del("Sec-Fetch-Site"); h.Set("Origin", "https://evil.example") }, "POST", http.StatusForbidden},
		"a foreign Referer": {func(_ url.Values, h http.Header) {
			h.Del("Sec-Fetch-Site")
			h.Set("Referer", "https://identity.platform.test.evil.example/")
		}, "POST", http.StatusForbidden},
		"an extra scope":         {func(f url.Values, _ http.Header) { f.Add("scope", "email") }, "POST", http.StatusBadRequest},
		"both answers":           {func(f url.Values, _ http.Header) { f["decision"] = []string{"allow", "deny"} }, "POST", http.StatusBadRequest},
		"no answer":              {func(f url.Values, _ http.Header) { f.Del("decision") }, "POST", http.StatusBadRequest},
		"a forged continuation":  {func(f url.Values, _ http.Header) { f.Set("continue", "AAAA") }, "POST", http.StatusBadRequest},
		"no continuation":        {func(f url.Values, _ http.Header) { f.Del("continue") }, "POST", http.StatusBadRequest},
		"PUT instead of POST":    {func(url.Values, http.Header) {}, "PUT", http.StatusMethodNotAllowed},
		"JSON instead of a form": {func(_ url.Values, h http.Header) { h.Set("Content-Type", "application/json") }, "POST", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, page := consentPage(p, t, app.Request(), ada)
			form := url.Values{
				"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")},
				"decision": {"allow"}, "scope": {"profile"},
			}
			header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}, "Accept": {"text/html"}}
			c.alter(form, header)
			req, err := http.NewRequestWithContext(t.Context(), c.method, platformtest.Identity+"/consent", strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = header
			if r := b.Do(req); r.StatusCode != c.status || r.Header.Get("Location") != "" {
				t.Errorf("status %d, want %d", r.StatusCode, c.status)
			}
			if grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID); err != nil || grant != nil {
				t.Errorf("a grant was made: %v, %v", grant, err)
			}
		})
	}
}

func TestSec039_AGetAllowsNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b, page := consentPage(p, t, app.Request(), ada)
	r := b.Get(platformtest.Identity + "/consent?" + url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")}, "decision": {"allow"}, "scope": {"profile"},
	}.Encode())
	grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID)
	if !strings.Contains(r.Text, `id="allow"`) || err != nil || grant != nil {
		t.Errorf("status %d, a grant %v, %v", r.StatusCode, grant, err)
	}
}

func TestConsent_ShownAgainWhenAnythingChanged(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	shownAgain := func(t *testing.T, b *platformtest.Browser, page *platformtest.Response) {
		t.Helper()
		r := b.Decide(page, "allow", "profile")
		if r.StatusCode == http.StatusSeeOther || !strings.Contains(r.Text, `id="allow"`) {
			t.Errorf("consent was taken: %d %s", r.StatusCode, r.Header.Get("Location"))
		}
	}
	t.Run("Sec038 another member signed in meanwhile", func(t *testing.T) {
		t.Parallel()
		app := p.AddApp(t, nil)
		b, page := consentPage(p, t, app.Request(), p.AddMember(t, "Ann"))
		second := b.Follow(b.Get(platformtest.Identity + "/signin"))
		b.SignIn(second, p.AddMember(t, "Ben"))
		shownAgain(t, b, page)
	})
	t.Run("the registration changed", func(t *testing.T) {
		t.Parallel()
		app := p.AddApp(t, nil)
		b, page := consentPage(p, t, app.Request(), p.AddMember(t, "Cleo"))
		p.World.Advance(time.Second)
		if _, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.Name = "Evening Labs" }); err != nil {
			t.Fatal(err)
		}
		shownAgain(t, b, page)
	})
	t.Run("ten minutes passed", func(t *testing.T) {
		t.Parallel()
		p := platformtest.New(t)
		app := p.AddApp(t, nil)
		b, page := consentPage(p, t, app.Request(), p.AddMember(t, "Dora"))
		p.World.Advance(10 * time.Minute)
		shownAgain(t, b, page)
	})
	t.Run("Sec017 the redirect URI was removed: a page, no code", func(t *testing.T) {
		t.Parallel()
		app := p.AddApp(t, nil)
		b, page := consentPage(p, t, app.Request(), p.AddMember(t, "Edna"))
		if _, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"https://new.example.com/cb"} }); err != nil {
			t.Fatal(err)
		}
		if r := b.Decide(page, "allow"); r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
			t.Errorf("status %d, location %q", r.StatusCode, r.Header.Get("Location"))
		}
	})
	t.Run("thirty minutes passed: start again from the app", func(t *testing.T) {
		t.Parallel()
		p := platformtest.New(t)
		app := p.AddApp(t, nil)
		b, page := consentPage(p, t, app.Request(), p.AddMember(t, "Fay"))
		p.World.Advance(30 * time.Minute)
		if r := b.Decide(page, "allow"); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "start again") {
			t.Errorf("status %d: %s", r.StatusCode, r.Text)
		}
	})
	t.Run("Sec072 the member was suspended: sign-in again, no code", func(t *testing.T) {
		t.Parallel()
		app, gus := p.AddApp(t, nil), p.AddMember(t, "Gus")
		b, page := consentPage(p, t, app.Request(), gus)
		if err := p.Suspend(t, gus); err != nil {
			t.Fatal(err)
		}
		if r := b.Decide(page, "allow"); !strings.Contains(r.Text, `id="sign-in"`) {
			t.Errorf("status %d", r.StatusCode)
		}
	})
}

func TestSec037_AFormOfAnotherBrowserIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	_, attackers := consentPage(p, t, app.Request(), p.AddMember(t, "Mallory"))
	victim, own := consentPage(p, t, app.Request(), p.AddMember(t, "Vera"))
	t.Run("with the attacker's token", func(t *testing.T) {
		if r := victim.Decide(attackers, "allow"); r.StatusCode != http.StatusForbidden {
			t.Errorf("status %d", r.StatusCode)
		}
	})
	t.Run("with the attacker's request", func(t *testing.T) {
		r := victim.Post(platformtest.Identity+"/consent", url.Values{
			"csrf": {own.Field("csrf")}, "continue": {attackers.Field("continue")}, "ticket": {attackers.Field("ticket")}, "decision": {"allow"},
		})
		if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
			t.Errorf("status %d", r.StatusCode)
		}
	})
}

func TestConsent_AppsThatCouldBeAnybodyAreConfirmed(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) {
		c.Type, c.RedirectURIs = loop.Public, []loop.RedirectURI{"http://127.0.0.1/cb"}
	})
	b, page := consentPage(p, t, with(app.Request(), "redirect_uri", "http://127.0.0.1:61000/cb"), p.AddMember(t, "Ada"))
	if got := b.Decide(page, "allow", "profile", "read:biomarkers").Redirected(t); got.Host != "127.0.0.1:61000" || got.Query().Get("code") == "" {
		t.Fatalf("RFC 8252 §7.3: the answer goes to %s", got)
	}
	if got := b.Authorize(with(app.Request(), "prompt", "none")).Redirected(t).Query().Get("error"); got != "interaction_required" {
		t.Errorf("prompt=none: got %q", got)
	}
	again := b.Follow(b.Authorize(app.Request()))
	if !strings.Contains(again.Text, `id="continue-as"`) {
		t.Fatalf("no button to confirm: %s", again.Text)
	}
	if b.Decide(again, "continue").Redirected(t).Query().Get("code") == "" {
		t.Error("no code")
	}
}

func TestSec128_AFirstPartyAppSkipsConsentForFewScopes(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.FirstParty = true })
	b := p.NewBrowser(t)
	answer := b.SignIn(b.Follow(b.Authorize(with(app.Request(), "scope", "openid profile email"))), p.AddMember(t, "Ada"))
	if answer.Redirected(t).Query().Get("code") == "" {
		t.Fatal("Loop's own app is asked for consent")
	}
	if page := b.Follow(b.Authorize(app.Request())); !strings.Contains(page.Text, `id="allow"`) {
		t.Error("Loop's own app reads lab results without being asked")
	}
}

func TestConsent_ClaimsCountAsTheirScope(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	request := with(app.Request(), "scope", "openid", "claims", `{"id_token":{"name":{"essential":true}},"userinfo":{"email":null}}`)
	b, page := consentPage(p, t, request, p.AddMember(t, "Ada"))
	if !strings.Contains(page.Text, `id="scope-profile"`) || !strings.Contains(page.Text, `id="scope-email"`) {
		t.Fatal("the page does not show the scopes of the claims")
	}
	tokens := app.Redeem(b.Decide(page, "allow", "profile").Redirected(t).Query().Get("code")).Pair(t)
	if got := claims(t, tokens.ID); got["name"] != "Ada" || got["email"] != nil {
		t.Errorf("the ID token says %v", got)
	}
	if got := p.UserInfo(t, tokens.Access).JSON(t); got["email"] != nil || got["name"] != "Ada" {
		t.Errorf("userinfo says %v", got)
	}
}

// A member who presses twice has allowed once.
func TestConsent_TwentyAtOnceAreOneGrant(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b, page := consentPage(p, t, app.Request(), ada)
	codes := make(chan string, 20)
	var all sync.WaitGroup
	for range cap(codes) {
		all.Go(func() {
			r := b.Post(platformtest.Identity+"/consent", url.Values{
				"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")},
				"decision": {"allow"}, "scope": {"profile", "read:biomarkers"},
			})
			if to, err := r.Location(); err == nil && to.Host == "app.example.com" {
				codes <- to.Query().Get("code")
			}
		})
	}
	all.Wait()
	close(codes)
	listed, err := p.RunWith(t, "", "grant", "list", "--all", "--json", "--user", string(ada.ID))
	if err != nil || strings.Count(listed, `"grant_id"`) != 1 {
		t.Fatalf("%v: want one grant: %s", err, listed)
	}
	first := <-codes
	app.Redeem(first).Pair(t)
	for code := range codes {
		app.Redeem(code).Pair(t) // each is a code of its own, under the one consent
	}
	refused(t, app.Redeem(first), http.StatusBadRequest, "invalid_grant")
}
