package platform_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// BenchmarkRefresh is the hottest write, through handlers and store: for
// profiles. Figures to compare are bench/'s.
func BenchmarkRefresh(b *testing.B) {
	p := platformtest.New(b)
	app := p.AddApp(b, nil)
	var chains []string
	for i := range 16 {
		m := p.AddMember(b, "M"+string(rune('a'+i)))
		chains = append(chains, app.Redeem(app.Code(p.NewBrowser(b), m)).Pair(b).Refresh)
	}
	free := make(chan string, len(chains))
	for _, chain := range chains {
		free <- chain
	}
	b.SetParallelism(8)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			token := <-free
			free <- app.Refresh(token).Pair(b).Refresh
		}
	})
}

// BenchmarkIntrospect and BenchmarkUserInfo are the hottest requests that write
// nothing, in the handler alone: what they cost above net/http.
func BenchmarkIntrospect(b *testing.B) {
	p, app, token := asked(b)
	form := url.Values{"client_id": {string(app.ID)}, "client_secret": {app.Secret}, "token": {token}}.Encode()
	r := httptest.NewRequest(http.MethodPost, platformtest.Identity+"/v1/oauth/introspect", http.NoBody)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer(b, p, r, form)
}

func BenchmarkUserInfo(b *testing.B) {
	p, _, token := asked(b)
	r := httptest.NewRequest(http.MethodGet, platformtest.Identity+"/v1/oauth/userinfo", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	answer(b, p, r, "")
}

// asked is a platform that logs as it does in production, to nowhere, with an
// app and an access token of it.
func asked(b *testing.B) (*platformtest.Platform, *platformtest.App, string) {
	b.Helper()
	p := platformtest.NewWith(b, func(c *platform.Config) { c.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	app := p.AddApp(b, nil)
	return p, app, app.Redeem(app.Code(p.NewBrowser(b), p.AddMember(b, "Ada"))).Pair(b).Access
}

// answer has identity answer a request again and again.
func answer(b *testing.B, p *platformtest.Platform, r *http.Request, body string) {
	b.Helper()
	identity, _, _ := p.Hosts()
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		r.Body = io.NopCloser(strings.NewReader(body))
		identity.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("status %d: %s", w.Code, w.Body)
		}
	}
}
