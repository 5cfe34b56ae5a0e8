package platform_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
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

// allocationBudgets is how many allocations a request may cost without a network,
// those that make it and take down its answer among them. A benchmark that needs
// more fails.
var allocationBudgets = map[string]float64{
	"introspect":       95,
	"userinfo":         133, // a name and an address are unsealed
	"read lab results": 255,
	"refresh":          610, // a repeated one has the very same tokens, which are derived
}

// BenchmarkBudget is the hottest requests, in the handler alone, and holds each to
// its budget of allocations: go test -run '^$' -bench Budget ./internal/platform
func BenchmarkBudget(b *testing.B) {
	// A platform that logs as it does in production, to nowhere.
	p := platformtest.NewWith(b, func(c *platform.Config) { c.Log = slog.New(slog.NewJSONHandler(io.Discard, nil)) })
	app := p.AddApp(b, nil)
	ada := p.AddMember(b, "Ada")
	addResults(b, p, ada)
	tokens := app.Redeem(app.Code(p.NewBrowser(b), ada)).Pair(b)
	identity, clinical, _ := p.Hosts()
	form := func(more url.Values) func() string {
		return func() string {
			more.Set("client_id", string(app.ID))
			more.Set("client_secret", app.Secret)
			return more.Encode()
		}
	}
	bearer := http.Header{"Authorization": {"Bearer " + tokens.Access}}
	encoded := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	none := func() string { return "" }
	for name, hot := range map[string]hotPath{
		"introspect":       {identity, http.MethodPost, platformtest.Identity + "/v1/oauth/introspect", encoded, form(url.Values{"token": {tokens.Access}}), nil},
		"userinfo":         {identity, http.MethodGet, platformtest.Identity + "/v1/oauth/userinfo", bearer, none, nil},
		"read lab results": {clinical, http.MethodGet, platformtest.Clinical + "/v1/biomarkers/me?limit=50", bearer, none, nil},
		"refresh": {
			identity, http.MethodPost, platformtest.Identity + "/v1/oauth/token", encoded,
			func() string {
				return form(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}})()
			},
			func(w *httptest.ResponseRecorder) {
				tokens = (&platformtest.Response{Response: w.Result(), Text: w.Body.String()}).Pair(b)
			},
		},
	} {
		b.Run(name, func(b *testing.B) { hot.run(b, allocationBudgets[name]) })
	}
}

// addResults gives a member a history of synthetic results, more than a page has.
func addResults(b *testing.B, p *platformtest.Platform, m *loop.Member) {
	b.Helper()
	results, err := p.Catalogue.Synthetic(m.ID, m.Sex, p.World.Now().Truncate(24*time.Hour))
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Importer.Import(b.Context(), audit.Actor{Kind: audit.BySystem}, m.ID, results); err != nil {
		b.Fatal(err)
	}
}

// hotPath is a request that is sent again and again.
type hotPath struct {
	host            http.Handler
	method, address string
	header          http.Header
	body            func() string
	answered        func(*httptest.ResponseRecorder) // nil: nothing is done with the answer
}

func (hot hotPath) run(b *testing.B, budget float64) {
	b.Helper()
	b.ReportAllocs()
	before := allocated()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), hot.method, hot.address, strings.NewReader(hot.body()))
		r.Header = hot.header.Clone()
		w := httptest.NewRecorder()
		hot.host.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("status %d: %s", w.Code, w.Body)
		}
		if hot.answered != nil {
			hot.answered(w)
		}
	}
	if each := float64(allocated()-before) / float64(b.N); each > budget {
		b.Errorf("a request costs %.1f allocations, and its budget is %.0f", each, budget)
	}
}

// allocated is how often memory was allocated so far, by everybody.
func allocated() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}
