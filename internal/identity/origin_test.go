package identity_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// spa is the origin of an app that runs in the browser.
const spa = "https://spa.example.com"

// addBrowserApp registers a public app whose pages are of the origin.
func addBrowserApp(t *testing.T, p *platformtest.Platform, origins ...loop.Origin) *platformtest.App {
	t.Helper()
	return p.AddApp(t, func(c *loop.Client) { c.Type, c.Protocol.AllowedOrigins = loop.Public, origins })
}

// readable gives the origin whose pages may read the answer; it fails the test where
// an answer is open to more than that.
func readable(t *testing.T, r *platformtest.Response) string {
	t.Helper()
	origin := r.Header.Get("Access-Control-Allow-Origin")
	if origin == "*" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("it is open to everybody, or with cookies: %v", r.Header)
	}
	if origin != "" && !slices.Contains(strings.Split(strings.Join(r.Header.Values("Vary"), ", "), ", "), "Origin") {
		t.Errorf("a cache would give it to others: Vary is %q", r.Header.Values("Vary"))
	}
	return origin
}

func TestSec095_AnAppInTheBrowserReadsItsOwnAnswers(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app := addBrowserApp(t, p, spa)
	neighbour := addBrowserApp(t, p, "https://neighbour.example.com")
	from := func(origin string, more ...string) http.Header {
		header := http.Header{"Origin": {origin}}
		for i := 0; i < len(more); i += 2 {
			header.Set(more[i], more[i+1])
		}
		return header
	}
	tokens := app.Send("/v1/oauth/token", redemption(app, app.Code(p.NewBrowser(t), ada)), from(spa))
	if readable(t, tokens) != spa {
		t.Errorf("the app cannot read its tokens: %v", tokens.Header)
	}
	access := tokens.Pair(t).Access

	t.Run("every answer of its own", func(t *testing.T) {
		for name, r := range map[string]*platformtest.Response{
			"an error of the token endpoint": app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}}, from(spa)),
			"userinfo":                       p.Fetch(t, http.MethodGet, platformtest.Identity+"/v1/oauth/userinfo", from(spa, "Authorization", "Bearer "+access)),
			"lab results":                    p.Fetch(t, http.MethodGet, resultsAddress, from(spa, "Authorization", "Bearer "+access)),
			"a token that has ended":         p.Fetch(t, http.MethodGet, resultsAddress, from(spa, "Authorization", "Bearer lph_at_x")),
			"a revocation":                   app.Send("/v1/oauth/revoke", url.Values{"token": {"x"}}, from(spa)),
		} {
			if readable(t, r) != spa {
				t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
			}
			if exposed := r.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "DPoP-Nonce") || !strings.Contains(exposed, "WWW-Authenticate") {
				t.Errorf("%s: the app may read %q", name, exposed)
			}
		}
	})
	t.Run("none of its neighbour's", func(t *testing.T) {
		for name, r := range map[string]*platformtest.Response{
			"the token endpoint": app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}}, from("https://neighbour.example.com")),
			"userinfo":           p.Fetch(t, http.MethodGet, platformtest.Identity+"/v1/oauth/userinfo", from("https://neighbour.example.com", "Authorization", "Bearer "+access)),
			"lab results":        p.Fetch(t, http.MethodGet, resultsAddress, from("https://neighbour.example.com", "Authorization", "Bearer "+access)),
			"its own, elsewhere": neighbour.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}}, from(spa)),
		} {
			if got := readable(t, r); got != "" {
				t.Errorf("%s: %s may read it", name, got)
			}
		}
	})
	preflight := func(address, origin, method string) *platformtest.Response {
		return p.Fetch(t, http.MethodOptions, address, from(origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "authorization,dpop"))
	}
	tokenEndpoint := platformtest.Identity + "/v1/oauth/token"
	t.Run("a preflight is answered for origins that somebody registered", func(t *testing.T) {
		for address, method := range map[string]string{tokenEndpoint: "POST", platformtest.Identity + "/v1/oauth/userinfo": "GET", platformtest.Identity + "/v1/oauth/revoke": "POST", resultsAddress: "GET", resultsAddress + "/summary": "GET", resultsAddress + "/bmk_01KAXYZ0000000000000000000": "GET"} {
			r := preflight(address, spa, method)
			allowed := strings.ToLower(r.Header.Get("Access-Control-Allow-Headers"))
			if readable(t, r) != spa || r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Methods") != method || !strings.Contains(allowed, "authorization") || !strings.Contains(allowed, "dpop") {
				t.Errorf("%s: %d %v", address, r.StatusCode, r.Header)
			}
		}
	})
	t.Run("and for nobody and nothing else", func(t *testing.T) {
		for _, origin := range []string{"https://evil.example", "null", spa + ".evil.example", "http://spa.example.com", spa + ":443", "https://SPA.example.com", spa + "/", "*", ""} {
			if r := preflight(tokenEndpoint, origin, "POST"); readable(t, r) != "" || r.StatusCode == http.StatusNoContent {
				t.Errorf("%q: %d %v", origin, r.StatusCode, r.Header)
			}
		}
		for address, method := range map[string]string{
			tokenEndpoint: "DELETE", platformtest.Identity + "/v1/oauth/introspect": "POST", platformtest.Identity + "/v1/oauth/par": "POST",
			platformtest.Identity + "/consent": "POST", platformtest.Identity + "/signin": "POST", platformtest.Developers + "/apps": "POST",
		} {
			if r := preflight(address, spa, method); readable(t, r) != "" || r.StatusCode == http.StatusNoContent {
				t.Errorf("%s %s: %d %v", method, address, r.StatusCode, r.Header)
			}
		}
	})
	t.Run("an origin that an operator adds works at once, and a bad one is refused in a sentence", func(t *testing.T) {
		const later = "https://later.example.com"
		err := p.Run(t, "client", "update", string(neighbour.ID), "--allowed-origin", later+"/")
		if err == nil || !strings.HasPrefix(err.Error(), "loop: ") || readable(t, preflight(tokenEndpoint, later, "POST")) != "" {
			t.Errorf("it is taken: %v", err)
		}
		if err := p.Run(t, "client", "update", string(neighbour.ID), "--allowed-origin", later); err != nil {
			t.Fatal(err)
		}
		if r := preflight(tokenEndpoint, later, "POST"); readable(t, r) != later {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	})
	t.Run("an app that was disabled is known to no browser", func(t *testing.T) {
		if _, err := p.Clients.SetEnabled(t.Context(), app.ID, operator, false); err != nil {
			t.Fatal(err)
		}
		p.World.Advance(time.Minute)
		if r := preflight(tokenEndpoint, spa, "POST"); readable(t, r) != "" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
	})
}
