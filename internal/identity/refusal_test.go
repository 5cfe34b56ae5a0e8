package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/web"
)

func TestRefusals_EachIsToldWithAllThatItsDeveloperNeeds(t *testing.T) {
	t.Parallel()
	var (
		mu   sync.Mutex
		text strings.Builder
	)
	p := platformtest.NewWith(t, func(c *platform.Config) {
		c.Exchanged = func(e web.Exchange) {
			mu.Lock()
			defer mu.Unlock()
			if e.Error != nil {
				_ = e.WriteRefusal(&text)
			}
		}
	})
	app := p.AddApp(t, nil)
	for name, c := range map[string]struct {
		send func()
		says []string
	}{
		"authorize, by redirect": {
			func() { p.NewBrowser(t).Authorize(with(app.Request(), "max_age", "x")) },
			[]string{"GET /v1/oauth/authorize: invalid_request (303)", "The max_age must be", "parameter: max_age", string(app.ID), "/docs/errors/invalid_request"},
		},
		"authorize, on a page": {
			func() { p.NewBrowser(t).Authorize(with(app.Request(), "redirect_uri", "https://evil.example/x")) },
			[]string{"GET /v1/oauth/authorize: invalid_request (400)", "redirect URI is not registered", "parameter: redirect_uri"},
		},
		"token": {
			func() { app.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"lph_rt_hush"}}) },
			[]string{"POST /v1/oauth/token: invalid_grant (400)", "refresh token is not valid", "/docs/errors/invalid_grant"},
		},
		"API": {
			func() { p.Biomarkers(t, "lph_at_hush") },
			[]string{"GET /v1/biomarkers/me: invalid_token (401)", "/docs/errors/invalid_token"},
		},
		"no address": {
			func() { p.Fetch(t, http.MethodGet, platformtest.Identity+"/evil-text", nil) },
			[]string{"an address that nothing answers: not_found (404)"},
		},
	} {
		mu.Lock()
		text.Reset()
		mu.Unlock()
		c.send()
		mu.Lock()
		got := text.String()
		mu.Unlock()
		for _, said := range c.says {
			if !strings.Contains(got, said) {
				t.Errorf("%s: %q is not in:\n%s", name, said, got)
			}
		}
		if strings.Contains(got, "hush") || strings.Contains(got, "evil") {
			t.Errorf("%s: it repeats what was sent:\n%s", name, got)
		}
	}
}
