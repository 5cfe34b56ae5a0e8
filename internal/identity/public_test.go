package identity_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestPublicDocuments_AnyPageMayReadThemAndAskFirst(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for _, address := range []string{
		platformtest.Identity + "/.well-known/openid-configuration", platformtest.Identity + "/.well-known/oauth-authorization-server",
		platformtest.Identity + "/.well-known/jwks.json", platformtest.Clinical + "/.well-known/oauth-protected-resource",
		platformtest.Clinical + "/v1/biomarkers/catalog",
	} {
		for _, origin := range []string{"https://anybody.example", "null"} {
			header := http.Header{"Origin": {origin}}
			if r := p.Fetch(t, http.MethodGet, address, header); r.StatusCode != http.StatusOK || r.Header.Get("Access-Control-Allow-Origin") != "*" || r.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s: %d %v", address, r.StatusCode, r.Header)
			}
			header.Set("Access-Control-Request-Method", http.MethodGet)
			header.Set("Access-Control-Request-Headers", "authorization")
			r := p.Fetch(t, http.MethodOptions, address, header)
			if r.StatusCode != http.StatusNoContent || r.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(strings.ToLower(r.Header.Get("Access-Control-Allow-Headers")), "authorization") {
				t.Errorf("a preflight of %s: %d %v", address, r.StatusCode, r.Header)
			}
			header.Set("Access-Control-Request-Method", http.MethodPost)
			if r := p.Fetch(t, http.MethodOptions, address, header); r.StatusCode == http.StatusNoContent {
				t.Errorf("a preflight of a POST to %s: %d %v", address, r.StatusCode, r.Header)
			}
		}
	}
}

func TestRefusedHeads_APageCanReadWhatWasWrong(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	addBrowserApp(t, p, spa)
	for name, c := range map[string]struct {
		address string
		header  http.Header
		status  int
	}{
		"414": {"/v1/oauth/userinfo?" + strings.Repeat("x", 13<<10), http.Header{}, http.StatusRequestURITooLong},
		"431": {"/v1/oauth/userinfo", http.Header{"X-Long": {strings.Repeat("x", 33<<10)}}, http.StatusRequestHeaderFieldsTooLarge},
	} {
		for origin, want := range map[string]string{spa: spa, "https://evil.example": ""} {
			c.header.Set("Origin", origin)
			r := p.Fetch(t, http.MethodGet, platformtest.Identity+c.address, c.header)
			if r.StatusCode != c.status || readable(t, r) != want {
				t.Errorf("%s from %s: %d, %v", name, origin, r.StatusCode, r.Header)
			}
		}
		c.header.Set("Origin", spa)
		if r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/signin"+strings.TrimPrefix(c.address, "/v1/oauth/userinfo"), c.header); readable(t, r) != "" {
			t.Errorf("%s on a page: %v", name, r.Header)
		}
	}
}
