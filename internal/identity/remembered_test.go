package identity_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// A consent is for the app that the member was shown. What an app becomes later, it
// has to be allowed anew.
func TestSec171_ARememberedConsentCoversTheAppAsItWasShown(t *testing.T) {
	t.Parallel()
	const registered, added = "https://app.example.com/cb", "https://evil.example/cb"
	developer := audit.Actor{Kind: audit.ByMember, ID: "user_dev"}
	for name, test := range map[string]struct {
		by       audit.Actor
		change   func(*loop.Client)
		returns  loop.RedirectURI // of the request afterwards
		askAgain bool
	}{
		"another name":                         {developer, func(c *loop.Client) { c.Name = "Evening Labs" }, registered, true},
		"another name, by an operator":         {operator, func(c *loop.Client) { c.Name = "Evening Labs" }, registered, true},
		"another privacy policy":               {developer, func(c *loop.Client) { c.PolicyPage = "https://evil.example/" }, registered, true},
		"a redirect host that is newer":        {developer, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, added) }, added, true},
		"the same, by an operator":             {operator, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, added) }, added, true},
		"the end of its verification":          {operator, func(c *loop.Client) { c.Verified = false }, registered, true},
		"a new host ends the verification":     {developer, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, added) }, registered, true},
		"an operator's new host: the old one":  {operator, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, added) }, registered, false},
		"another path on the same host":        {developer, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://app.example.com/other") }, "https://app.example.com/other", false},
		"a scope more, which is not asked for": {developer, func(c *loop.Client) { c.AllowedScopes = c.AllowedScopes.Or(loop.NewScopes(loop.ScopeEmail)) }, registered, false},
		"a longer grace period":                {developer, func(c *loop.Client) { c.RefreshGrace = 30 * time.Second }, registered, false},
		"a home page":                          {developer, func(c *loop.Client) { c.HomePage = "https://app.example.com/" }, registered, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := platformtest.New(t)
			app := p.AddApp(t, func(c *loop.Client) { c.RedirectURIs, c.Verified = []loop.RedirectURI{registered}, true })
			ada := p.AddMember(t, "Ada")
			b := p.NewBrowser(t)
			app.Code(b, ada)
			p.World.Advance(time.Minute)
			if r := b.Authorize(app.Request()); r.Redirected(t).Query().Get("code") == "" {
				t.Fatalf("the consent is not remembered: %d %s", r.StatusCode, r.Text)
			}
			if _, err := p.Clients.Update(t.Context(), app.ID, test.by, test.change); err != nil {
				t.Fatal(err)
			}
			request := app.Request()
			request.Set("redirect_uri", string(test.returns))
			silent := app.Request()
			silent.Set("redirect_uri", string(test.returns))
			silent.Set("prompt", "none")
			page := b.Follow(b.Authorize(request))
			if asked := strings.Contains(page.Text, `id="allow"`); asked != test.askAgain {
				t.Fatalf("asked again: %v (%d)", asked, page.StatusCode)
			}
			if !test.askAgain {
				return
			}
			if r := b.Authorize(silent); r.StatusCode == http.StatusSeeOther && r.Redirected(t).Query().Get("code") != "" {
				t.Error("and without a page there is a code")
			}
			b.Decide(page, "allow", "profile").Redirected(t)
			if r := b.Authorize(request); r.Redirected(t).Query().Get("code") == "" {
				t.Errorf("the new answer is not remembered: %d", r.StatusCode)
			}
		})
	}
}
