package platform_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// metricName is a metric of ours where dashboards and rules name one.
var metricName = regexp.MustCompile(`\bloop_[a-z_]+\b`)

func TestDeploy_EveryMetricThatIsWatchedExists(t *testing.T) {
	m := newMeasured(t)
	m.NewBrowser(t).Get(platformtest.Identity + "/")
	_, body := m.get(t, "/metrics")
	there := make(map[string]bool)
	for _, name := range metricName.FindAllString(body, -1) {
		there[name] = true
	}
	for _, file := range []string{"grafana/loop.json", "prometheus/alerts.yml", "../docs/operating.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "deploy", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		named := metricName.FindAllString(string(text), -1)
		if len(named) < 5 {
			t.Errorf("%s watches %d metrics", file, len(named))
		}
		for _, name := range named {
			if !there[name] {
				t.Errorf("%s names %s, which is no metric", file, name)
			}
		}
	}
}
