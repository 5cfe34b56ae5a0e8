package clinical_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// maxAge is what an app reads out of a challenge (RFC 9470 §3).
var maxAge = regexp.MustCompile(`error="insufficient_user_authentication", max_age="(\d+)"`)

func TestStepUp_RFC9470(t *testing.T) {
	p := platformtest.NewWith(t, func(c *platform.Config) { c.SignInMaxAge = 15 * time.Minute })
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
		t.Fatalf("after signing in: %d %s", r.StatusCode, r.Text)
	}

	p.World.Advance(16 * time.Minute)
	refused := p.Biomarkers(t, tokens.Access)
	asked := maxAge.FindStringSubmatch(refused.Header.Get("WWW-Authenticate"))
	if refused.StatusCode != http.StatusUnauthorized || refused.JSON(t)["error"] != "insufficient_user_authentication" || asked == nil || asked[1] != "900" {
		t.Fatalf("§3: %d with %q: %s", refused.StatusCode, refused.Header.Get("WWW-Authenticate"), refused.Text)
	}
	if refreshed := app.Refresh(tokens.Refresh).Pair(t); p.Biomarkers(t, refreshed.Access).StatusCode != http.StatusUnauthorized {
		t.Error("a refresh made the sign-in younger")
	}

	// What the app does: it sends the member through authorization with that
	// max_age (§4), and the new token opens what the old one did not.
	request := app.Request()
	request.Set("max_age", asked[1])
	page := b.Follow(b.Authorize(request))
	if page.StatusCode != http.StatusOK || page.Field("email") == "" && page.Field("csrf") == "" {
		t.Fatalf("the member is not asked to sign in: %d", page.StatusCode)
	}
	code := b.SignIn(page, ada).Redirected(t).Query().Get("code")
	if r := p.Biomarkers(t, app.Redeem(code).Pair(t).Access); r.StatusCode != http.StatusOK {
		t.Errorf("after signing in again: %d %s", r.StatusCode, r.Text)
	}
}

func TestStepUp_RFC9470_5_AStrongerSignInThanThereIsIsRefused(t *testing.T) {
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	for name, change := range map[string][2]string{
		"by acr_values": {"acr_values", "urn:loop:acr:passkey"},
		"by claims":     {"claims", `{"id_token":{"acr":{"essential":true,"values":["urn:loop:acr:passkey"]}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			request := app.Request()
			request.Set(change[0], change[1])
			b := p.NewBrowser(t)
			page := b.Follow(b.Authorize(request))
			if page.Request.URL.Path != "/signin" {
				t.Fatalf("it leads to %s", page.Request.URL)
			}
			if to := b.SignIn(page, ada).Redirected(t); to.Query().Get("error") != "unmet_authentication_requirements" {
				t.Errorf("a sign-in by password leads to %s", to)
			}
		})
	}
	for i, wish := range []string{"urn:loop:acr:password", "urn:loop:acr:passkey urn:loop:acr:password", "1 2"} {
		t.Run(fmt.Sprintf("a wish that can be met, or is not ours, is no error %d", i), func(t *testing.T) {
			request := app.Request()
			request.Set("acr_values", wish)
			if code := b.Allow(request, ada).Query().Get("code"); code == "" {
				t.Error("no code came")
			}
		})
	}
}

func TestProtectedResourceMetadata_RFC9728(t *testing.T) {
	p := platformtest.New(t)
	r := p.Fetch(t, http.MethodGet, platformtest.Clinical+"/.well-known/oauth-protected-resource", nil)
	said := r.JSON(t)
	if said["resource"] != platformtest.Clinical || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("§3.3: %s", r.Text)
	}
	challenge := p.Fetch(t, http.MethodGet, platformtest.Clinical+"/v1/biomarkers/me", nil).Header.Get("WWW-Authenticate")
	if want := `resource_metadata="` + platformtest.Clinical + `/.well-known/oauth-protected-resource"`; !regexp.MustCompile(regexp.QuoteMeta(want)).MatchString(challenge) {
		t.Errorf("§5.1: %s", challenge)
	}
}
