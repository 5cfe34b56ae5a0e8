package platform_test

import (
	"testing"

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
