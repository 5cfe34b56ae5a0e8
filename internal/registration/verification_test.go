package registration_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

var (
	developer = audit.Actor{Kind: audit.ByMember, ID: "user_dev"}
	operator  = audit.Actor{Kind: audit.ByOperator, ID: "test"}
)

func verifiedApp(t *testing.T, p *platformtest.Platform) *platformtest.App {
	t.Helper()
	return p.AddApp(t, func(c *loop.Client) {
		c.RedirectURIs, c.Verified = []loop.RedirectURI{"https://app.example.com/cb"}, true
		c.HomePage, c.PolicyPage, c.TermsPage = "https://app.example.com/", "https://app.example.com/privacy", "https://app.example.com/terms"
	})
}

// What Loop verified is what members are shown. A developer who changes that has an
// app that nobody has verified.
func TestSec170_AVerificationEndsWithWhatWasVerified(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		by     audit.Actor
		change func(*loop.Client)
		ends   bool
		fields string // that the record names
	}{
		"another name":                 {developer, func(c *loop.Client) { c.Name = "Evening Labs" }, true, "client_name"},
		"another home page":            {developer, func(c *loop.Client) { c.HomePage = "https://evil.example/" }, true, "client_uri"},
		"another privacy policy":       {developer, func(c *loop.Client) { c.PolicyPage = "https://evil.example/" }, true, "policy_uri"},
		"no terms any more":            {developer, func(c *loop.Client) { c.TermsPage = "" }, true, "tos_uri"},
		"one more redirect host":       {developer, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://evil.example/cb") }, true, "redirect_uris"},
		"a redirect to the laptop":     {developer, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, "http://localhost/cb") }, true, "redirect_uris"},
		"another path on its host":     {developer, func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"https://app.example.com/other"} }, false, "redirect_uris"},
		"fewer scopes":                 {developer, func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID) }, false, "allowed_scopes"},
		"an operator's change of name": {operator, func(c *loop.Client) { c.Name = "Evening Labs" }, false, "client_name"},
		"a logo":                       {developer, func(c *loop.Client) { c.Logo.URI = "https://app.example.com/logo.png" }, true, "logo_uri"},
		"nothing":                      {developer, func(*loop.Client) {}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := platformtest.New(t)
			app := verifiedApp(t, p)
			was := app.Shown()
			changed, err := p.Clients.Update(t.Context(), app.ID, test.by, test.change)
			if err != nil {
				t.Fatal(err)
			}
			if changed.Verified == test.ends || (changed.Review() != "") != test.ends {
				t.Errorf("verified: %v, to review: %q", changed.Verified, changed.Review())
			}
			if test.ends {
				if diff := cmp.Diff(was, *changed.Appearance.Verified); diff != "" {
					t.Errorf("an operator is shown another app than the one that was verified: %s", diff)
				}
			}
			records, err := p.Clients.Store.ClientRecords(t.Context(), app.ID, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := records[0].Detail["fields"]; got != test.fields || (records[0].Detail["verification"] == "ended") != test.ends {
				t.Errorf("the record says %v", records[0].Detail)
			}
		})
	}
}

// What an operator compares with is the app that was verified, however often its
// developer changes it before anybody looks.
func TestAReviewComparesWithWhatWasVerified(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := verifiedApp(t, p)
	was := app.Shown()
	rename := func(name string) *loop.Client {
		c, err := p.Clients.Update(t.Context(), app.ID, developer, func(c *loop.Client) { c.Name = name })
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := rename("Evening Labs").Review()
	second := rename("Night Labs")
	if second.Review() == first || second.Appearance.Verified.Name != was.Name {
		t.Errorf("the review is still %s, and compares with %q", first, second.Appearance.Verified.Name)
	}
	verified, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.Verified = true })
	if err != nil || verified.Review() != "" || verified.Appearance.Verified != nil {
		t.Errorf("after an operator's verification: %+v, %v", verified.Appearance, err)
	}
}

// An operator verifies what they saw: a change that comes after they looked is not
// verified unseen.
func TestSec170_AnOperatorApprovesWhatTheReviewShowed(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := verifiedApp(t, p)
	id := string(app.ID)
	fails := func(says string, args ...string) {
		t.Helper()
		if err := p.Run(t, append([]string{"client", "approve", id}, args...)...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("approve %v: %v, want %q", args, err, says)
		}
	}
	fails("nothing to review")
	fails("nothing to review", "12345678")
	rename := func(name string) string {
		c, err := p.Clients.Update(t.Context(), app.ID, developer, func(c *loop.Client) {
			c.Name, c.RedirectURIs = name, append(c.RedirectURIs[:1:1], "https://evil.example/cb")
		})
		if err != nil {
			t.Fatal(err)
		}
		return c.Review()
	}
	seen := rename("Evening Labs")
	for _, command := range []string{"show", "approve"} {
		text, err := p.RunWith(t, "", "client", command, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{app.Name, "Evening Labs", "app.example.com evil.example", "changed", "loop client approve " + id + " " + seen} {
			if !strings.Contains(text, part) {
				t.Errorf("loop client %s does not show %q:\n%s", command, part, text)
			}
		}
	}
	if text, err := p.RunWith(t, "", "client", "list"); err != nil || !strings.Contains(text, "to review") {
		t.Errorf("the list does not say that it is to review: %v\n%s", err, text)
	}
	newer := rename("Night Labs")
	fails("changed after this review", seen)
	if err := p.Run(t, "client", "approve", id, newer); err != nil {
		t.Fatal(err)
	}
	if c, err := p.Clients.Store.Client(t.Context(), app.ID); err != nil || !c.Verified || c.Review() != "" {
		t.Errorf("after the approval: %+v, %v", c, err)
	}
}
