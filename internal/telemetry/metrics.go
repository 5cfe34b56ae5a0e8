package telemetry

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/web"
)

// Metrics is what Prometheus reads. Every label has a bounded set of values: a
// route is its pattern, never a path, and a status its class.
type Metrics struct {
	registry *prometheus.Registry
	tracing  *Tracing // nil: no traces

	requests *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
	acts     *prometheus.HistogramVec
	commits  *prometheus.HistogramVec
	failures *prometheus.CounterVec
}

// WatchCertificate has the moment at which the served certificate expires read at each
// scrape. Call it once, where the platform ends TLS itself.
func (m *Metrics) WatchCertificate(notAfter func() time.Time) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "loop_tls_certificate_expiry_timestamp_seconds", Help: "When the certificate that is served expires, in seconds since 1970.",
	}, func() float64 { return float64(notAfter().Unix()) }))
}

// noRoute is the route of requests that reached none.
const noRoute = "none"

var (
	requestSeconds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	commitSeconds  = []float64{.0005, .001, .002, .004, .008, .016, .032, .064, .125, .25, .5, 1, 2.5}
	commitActs     = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}
)

// NewMetrics makes the metrics of a process of this version. Requests are traced
// too where tracing is not nil.
func NewMetrics(version string, readiness *Readiness, tracing *Tracing) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(), tracing: tracing,
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "loop_request_duration_seconds", Help: "How long requests took, by host, route (its pattern) and class of the status.", Buckets: requestSeconds,
		}, []string{"host", "route", "status"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "loop_requests_in_flight", Help: "Requests that are being answered."}, []string{"host"}),
		acts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "loop_commit_acts", Help: "How many acts one commit carried (group commit).", Buckets: commitActs,
		}, []string{"database"}),
		commits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "loop_commit_duration_seconds", Help: "How long a transaction took until it was durable.", Buckets: commitSeconds,
		}, []string{"database"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "loop_commit_failures_total", Help: "Transactions that the database did not carry out."}, []string{"database"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "loop_build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.requests, m.inFlight, m.acts, m.commits, m.failures, build, ready{readiness},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe measures the requests to a host, and traces them.
func (m *Metrics) Observe(host string) web.Observe {
	inFlight := m.inFlight.WithLabelValues(host)
	return func(r *http.Request) (context.Context, func(web.Answered)) {
		inFlight.Inc()
		ctx, end := m.tracing.begin(r, host)
		return ctx, func(a web.Answered) {
			inFlight.Dec()
			route := a.Route
			if route == "" {
				route = noRoute
			}
			m.requests.WithLabelValues(host, route, statusClass(a.Status)).Observe(a.Took.Seconds())
			end(a)
		}
	}
}

// statusClass is 2xx for 200.
func statusClass(status int) string { return strconv.Itoa(status/100) + "xx" }

// Commits measures the commits of a database.
func (m *Metrics) Commits(database string) func(store.Commit) {
	acts, took, failures := m.acts.WithLabelValues(database), m.commits.WithLabelValues(database), m.failures.WithLabelValues(database)
	return func(c store.Commit) {
		if c.Failed {
			failures.Inc()
			return
		}
		acts.Observe(float64(c.Acts))
		took.Observe(c.Took.Seconds())
	}
}

// ready is the gauge of readiness, asked at each scrape.
type ready struct{ readiness *Readiness }

var readyDescription = prometheus.NewDesc("loop_ready", "1 where the check finds all well; the platform serves if every one does.", []string{"check"}, nil)

// Describe names the gauge.
func (r ready) Describe(to chan<- *prometheus.Desc) { to <- readyDescription }

// Collect asks the checks.
func (r ready) Collect(to chan<- prometheus.Metric) {
	for name, err := range r.readiness.Ready() {
		value := 1.0
		if err != nil {
			value = 0
		}
		to <- prometheus.MustNewConstMetric(readyDescription, prometheus.GaugeValue, value, name)
	}
}
