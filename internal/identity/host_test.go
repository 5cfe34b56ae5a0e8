package identity_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSec087_Sec088_Sec097_PagesCarryTheirHeaders(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	for _, path := range []string{"/signin", "/signup", "/", "/consent", "/nothing", "/signin/", "/v1/oauth/authorize", "/signin?continue=x"} {
		r := b.Get(platformtest.Identity + path)
		for header, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "frame-ancestors 'none'", "Strict-Transport-Security": "max-age=", "X-Request-Id": "req_",
		} {
			if got := r.Header.Get(header); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q", path, header, got)
			}
		}
		if policy := r.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'") || !strings.Contains(policy, "base-uri 'none'") {
			t.Errorf("%s: the policy is %s", path, policy)
		}
		for _, cookie := range r.Cookies() {
			if !strings.HasPrefix(cookie.Name, "__Host-") || !cookie.Secure || !cookie.HttpOnly || cookie.Path != "/" || cookie.Domain != "" || cookie.SameSite != http.SameSiteLaxMode {
				t.Errorf("Sec068 %s sets %s", path, cookie)
			}
		}
	}
}

func TestSec080_AForeignHostIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, platformtest.Identity+"/.well-known/openid-configuration", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	if r := p.NewBrowser(t).Do(req); r.StatusCode != http.StatusBadRequest || strings.Contains(r.Text, "evil.example") {
		t.Errorf("%d %s", r.StatusCode, r.Text)
	}
	req.Host = ""
	req.Header.Set("X-Forwarded-Host", "evil.example")
	if r := p.NewBrowser(t).Do(req); r.JSON(t)["issuer"] != platformtest.Identity {
		t.Errorf("the issuer is %v", r.JSON(t)["issuer"])
	}
}
