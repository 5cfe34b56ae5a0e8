package platform_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// reads is how many a minute an app may make.
const reads = 1000

// read sends a read with an access token from an address.
func read(t *testing.T, p *platformtest.Platform, address, from, token string) *platformtest.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return p.NewBrowserAt(t, from).Do(r)
}

const (
	userInfo   = platformtest.Identity + "/v1/oauth/userinfo"
	biomarkers = platformtest.Clinical + "/v1/biomarkers/me"

	here, there = "203.0.113.9", "198.51.100.7"
)

// tokenOf gives an access token of a member to the app.
func tokenOf(t *testing.T, p *platformtest.Platform, app *platformtest.App, name string) string {
	t.Helper()
	return app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, name))).Pair(t).Access
}

func TestLimits_ReadsOfAnAppAreCountedTogetherOnEveryHost(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	app, other := p.AddApp(t, nil), p.AddApp(t, nil)
	anna, ben, others := tokenOf(t, p, app, "Anna"), tokenOf(t, p, app, "Ben"), tokenOf(t, p, other, "Cleo")

	if r := read(t, p, biomarkers, here, anna); r.StatusCode != http.StatusOK || r.Header.Get("X-RateLimit-Remaining") != "999" || r.Header.Get("X-RateLimit-Limit") != "1000" {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	for i := range reads - 1 { // userinfo leaves no record, and is quick
		if r := read(t, p, userInfo, here, anna); r.StatusCode != http.StatusOK {
			t.Fatalf("number %d is answered %d", i+2, r.StatusCode)
		}
	}
	for name, c := range map[string]struct {
		from, token string
		status      int
	}{
		"§10 one too many":                         {here, anna, 429},
		"§10 for another member, too":              {here, ben, 429},
		"§10 from another network, too":            {there, anna, 429},
		"§10 another app has its own":              {here, others, 200},
		"a token that is not good is nobody's":     {here, anna + "x", 401},
		"no token is nobody's":                     {here, "", 400},
		"a token of the app's that was never made": {here, "lph_at_x", 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := read(t, p, biomarkers, c.from, c.token)
			if r.StatusCode != c.status {
				t.Errorf("status %d: %s", r.StatusCode, r.Text)
			}
			if limited := r.Header.Get("X-RateLimit-Limit") != ""; limited != (c.status == 200 || c.status == 429) {
				t.Errorf("limit headers: %v", r.Header)
			}
			if c.status != http.StatusTooManyRequests {
				return
			}
			body := r.JSON(t)
			if body["error"] != "rate_limited" || body["retry_after_ms"] != 65_000.0 || r.Header.Get("Retry-After") != "65" || r.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("%v %v", r.Header, body)
			}
		})
	}
	t.Run("and after the wait it goes on", func(t *testing.T) {
		p.World.Advance(65 * time.Second)
		if r := read(t, p, biomarkers, here, anna); r.StatusCode != http.StatusOK {
			t.Errorf("status %d: %s", r.StatusCode, r.Text)
		}
	})
}

func TestLimits_NobodyUsesUpAPublicAppForTheOthers(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	app := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	mallory, ben := tokenOf(t, p, app, "Mallory"), tokenOf(t, p, app, "Ben")
	for range reads {
		read(t, p, userInfo, here, mallory)
	}
	for range 2 * reads { // ignored, and never answered with a block
		read(t, p, userInfo, here, mallory)
	}
	if r := read(t, p, biomarkers, here, mallory); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "65" {
		t.Errorf("status %d, %v", r.StatusCode, r.Header)
	}
	if r := read(t, p, biomarkers, there, ben); r.StatusCode != http.StatusOK {
		t.Errorf("another member of the same app in another network: %d %s", r.StatusCode, r.Text)
	}
}

func TestLimits_SwitchedOffNothingIsLimited(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	for range 100 {
		if r := b.Get(platformtest.Identity + "/v1/oauth/authorize"); r.StatusCode == http.StatusTooManyRequests || r.Header.Get("X-RateLimit-Limit") != "" {
			t.Fatalf("%d %v", r.StatusCode, r.Header)
		}
	}
}

func TestLimits_AReadWithoutItsScopeCounts(t *testing.T) {
	t.Parallel()
	p := platformtest.NewLimited(t)
	app := p.AddApp(t, nil)
	request := app.Request()
	request.Set("scope", "openid")
	code := p.NewBrowser(t).Allow(request, p.AddMember(t, "Ada")).Query().Get("code")
	token := app.Redeem(code).Pair(t).Access
	for _, left := range []string{"999", "998"} {
		r := read(t, p, biomarkers, here, token)
		if r.StatusCode != http.StatusForbidden || r.Header.Get("X-RateLimit-Remaining") != left {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	}
}
