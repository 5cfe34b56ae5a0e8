package telemetry

import (
	"encoding/json"
	"net/http"
	"net/http/pprof" // which registers on http.DefaultServeMux too, and nothing here serves that

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler answers on the listener of operations: GET /healthz while the process
// lives, GET /readyz whether it can serve, GET /metrics for Prometheus, and
// GET /debug/pprof/… where the time and the memory go, for `go tool pprof`. A
// request that names a host in public is not answered.
func Handler(readiness *Readiness, metrics *Metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeHealth(w, http.StatusOK, health{Status: "alive"}) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { readiness.answer(w) })
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	for _, kind := range []string{"heap", "allocs", "goroutine"} {
		mux.Handle("GET /debug/pprof/"+kind, pprof.Handler(kind))
	}
	return forExpectedHosts(mux)
}

// health is the answer of /healthz and /readyz.
type health struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks,omitempty"`
}

// answer answers 200 where the platform can serve, else 503; either way with what
// each check found.
func (r *Readiness) answer(w http.ResponseWriter) {
	answer, status := health{Status: "ready", Checks: map[string]string{}}, http.StatusOK
	for name, err := range r.Ready() {
		answer.Checks[name] = "ok"
		if err != nil {
			answer.Status, status = "not ready", http.StatusServiceUnavailable
			answer.Checks[name] = err.Error()
		}
	}
	writeHealth(w, status, answer)
}

func writeHealth(w http.ResponseWriter, status int, answer health) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // an error means that who asked has gone
}
