package platform_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/telemetry"
)

// measured is a platform with its operations listener.
type measured struct {
	*platformtest.Platform
	operations http.Handler
}

func newMeasured(t *testing.T) *measured {
	t.Helper()
	readiness := telemetry.NewReadiness()
	metrics := telemetry.NewMetrics("test", readiness, nil)
	p := platformtest.NewWith(t, func(c *platform.Config) { c.Metrics, c.Unlimited, c.FetchHosts = metrics, false, []string{"127.0.0.1"} })
	metrics.Watch(p.Figures)
	metrics.WatchCertificate(p.World.Now)
	readiness.Watch(p.Checks()...)
	return &measured{p, telemetry.Handler(readiness, metrics)}
}

func (m *measured) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	rec := httptest.NewRecorder()
	m.operations.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, http.NoBody))
	return rec.Code, rec.Body.String()
}

// value reads a metric, with its labels as they are written.
func (m *measured) value(t *testing.T, metric string) float64 {
	t.Helper()
	_, body := m.get(t, "/metrics")
	for line := range strings.Lines(body) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), metric+" "); ok {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Errorf("there is no metric %s", metric)
	return 0
}

func TestMetrics_TellWhatAJourneyDid(t *testing.T) {
	m := newMeasured(t)
	app, ada, b := m.AddApp(t, nil), m.AddMember(t, "Ada"), m.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	app.Refresh(tokens.Refresh)
	m.Biomarkers(t, tokens.Access)
	app.Send("/v1/oauth/revoke", url.Values{"token": {tokens.Access}}, nil)
	for range 31 {
		b.Authorize(app.Request())
	}
	for metric, least := range map[string]float64{
		`loop_request_duration_seconds_count{host="identity",route="POST /v1/oauth/token",status="2xx"}`:    2,
		`loop_request_duration_seconds_count{host="clinical",route="GET /v1/biomarkers/me",status="2xx"}`:   1,
		`loop_request_duration_seconds_count{host="identity",route="GET /v1/oauth/authorize",status="4xx"}`: 1,
		`loop_commit_acts_count{database="identity"}`:                                                       5,
		`loop_commit_duration_seconds_count{database="clinical"}`:                                           1,
		`loop_database_statements_total{database="identity"}`:                                               20,
		`loop_database_connections{database="identity",state="idle"}`:                                       1,
		`loop_revocations`:                             1,
		`loop_revocation_counter`:                      1,
		`loop_audit_unchecked_records`:                 5,
		`loop_limit_refusals_total{class="authorize"}`: 1,
		`loop_password_hashes{state="room"}`:           1,
		`loop_ready{check="keys"}`:                     1,
		`loop_ready{check="identity database"}`:        1,
		`loop_ready{check="clinical database"}`:        1,
		`loop_build_info{version="test"}`:              1,
	} {
		if value := m.value(t, metric); value < least {
			t.Errorf("%s is %v, but at least %v happened", metric, value, least)
		}
	}
	if failed := m.value(t, `loop_commit_failures_total{database="identity"}`); failed != 0 {
		t.Errorf("%v commits failed", failed)
	}
}

func TestMetrics_TellWhatIsDueToBeSwept(t *testing.T) {
	m := newMeasured(t)
	m.SignUp(t, "Ada")
	if due := m.value(t, `loop_sweep_backlog_rows{what="sessions"}`); due != 0 {
		t.Errorf("%v sessions are due", due)
	}
	m.World.Advance(400 * 24 * 3600e9)
	if due := m.value(t, `loop_sweep_backlog_rows{what="sessions"}`); due != 1 {
		t.Errorf("of one that has expired, %v are due", due)
	}
	if err := m.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if due := m.value(t, `loop_sweep_backlog_rows{what="sessions"}`); due != 0 {
		t.Errorf("after the sweep %v are due", due)
	}
}

func TestMetrics_ShowDeliveriesAndWhatBecameOfThem(t *testing.T) {
	m := newMeasured(t)
	app := m.AddApp(t, func(c *loop.Client) { c.Protocol.BackchannelLogoutURI = "http://127.0.0.1:1/logout" }) // nobody listens there
	ada, b := m.AddMember(t, "Ada"), m.NewBrowser(t)
	app.Redeem(app.Code(b, ada)).Pair(t)
	if waiting := m.value(t, `loop_deliveries_waiting{kind="logout"}`); waiting != 0 {
		t.Errorf("%v wait before any session has ended", waiting)
	}
	if err := m.Suspend(t, ada); err != nil {
		t.Fatal(err)
	}
	if err := m.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if waiting := m.value(t, `loop_deliveries_waiting{kind="logout"}`); waiting != 1 {
		t.Errorf("%v wait, want the one that failed", waiting)
	}
	if failed := m.value(t, `loop_delivery_attempts_total{kind="logout",outcome="failed"}`); failed != 1 {
		t.Errorf("%v attempts failed", failed)
	}
	if _, err := m.Clients.SetEnabled(t.Context(), app.ID, audit.Actor{Kind: audit.ByOperator}, false); err != nil {
		t.Fatal(err)
	}
	m.World.Advance(time.Minute)
	if err := m.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if obsolete := m.value(t, `loop_delivery_attempts_total{kind="logout",outcome="obsolete"}`); obsolete != 1 {
		t.Errorf("of a disabled app's, %v are obsolete", obsolete)
	}
	if waiting := m.value(t, `loop_deliveries_waiting{kind="logout"}`); waiting != 0 {
		t.Errorf("%v wait after all", waiting)
	}
}

// A label is a pattern or a name of ours: a stranger can neither make one nor
// have their words kept in one.
func TestMetrics_HaveNoLabelThatAStrangerMakes(t *testing.T) {
	m := newMeasured(t)
	b := m.NewBrowser(t)
	b.Get(platformtest.Identity + "/before")
	_, before := m.get(t, "/metrics")
	for _, path := range []string{"/stranger-1", "/stranger-2?stranger=3", "/v1/oauth/stranger-4"} {
		b.Get(platformtest.Identity + path)
	}
	_, after := m.get(t, "/metrics")
	if strings.Contains(after, "stranger") {
		t.Error("a path became a label")
	}
	if had, has := series(before), series(after); had != has {
		t.Errorf("of %d series became %d", had, has)
	}
}

func series(body string) int {
	return len(regexp.MustCompile(`(?m)^loop_request`).FindAllString(body, -1))
}

func TestReadyz_IsRedOnceTheDatabaseIsGone(t *testing.T) {
	m := newMeasured(t)
	if status, body := m.get(t, "/readyz"); status != http.StatusOK {
		t.Fatalf("a platform that serves: %d %s", status, body)
	}
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	closed := telemetry.NewReadiness()
	closed.Watch(m.Checks()...)
	found := closed.Ready()
	if found["identity database"] == nil || found["clinical database"] == nil || found["keys"] != nil {
		t.Errorf("after the end: %v", found)
	}
}
