package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/loop-health/loop/internal/telemetry"
)

func TestSec196_TheOperatorsListenerAnswersExpectedHostsAlone(t *testing.T) {
	t.Parallel()
	readiness := telemetry.NewReadiness()
	handler := telemetry.Handler(readiness, telemetry.NewMetrics("test", readiness, nil))
	for host, want := range map[string]int{
		"127.0.0.1:9090": http.StatusOK, "10.1.2.3:9090": http.StatusOK, "[::1]:9090": http.StatusOK, "[2001:db8::1]": http.StatusOK, "localhost:9090": http.StatusOK,
		"loop:9090": http.StatusOK, "loop-operations.loop.svc:9090": http.StatusOK, "loop.loop.svc.cluster.local": http.StatusOK, "loop1.example.internal.": http.StatusOK,
		"rebound.example": http.StatusMisdirectedRequest, "rebound.example:9090": http.StatusMisdirectedRequest, "localhost.evil.example": http.StatusMisdirectedRequest,
		"127.0.0.1.evil.example": http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", http.NoBody)
		r.Host = host
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("a request for %q is answered %d", host, w.Code)
		}
	}
}
