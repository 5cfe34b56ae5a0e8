package telemetry_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loop-health/loop/internal/telemetry"
)

// ask asks the operations listener, and reads what it says of each check.
func ask(t *testing.T, readiness *telemetry.Readiness, path string) (status int, checks map[string]string) {
	t.Helper()
	rec := httptest.NewRecorder()
	telemetry.Handler(readiness, telemetry.NewMetrics("test", readiness, nil)).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, http.NoBody))
	var answer struct{ Checks map[string]string }
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return rec.Code, answer.Checks
}

func TestReadiness_IsRedBeforeAndAfterThePlatformServes(t *testing.T) {
	r := telemetry.NewReadiness()
	if status, checks := ask(t, r, "/readyz"); status != http.StatusServiceUnavailable || checks["platform"] != "the platform is starting" {
		t.Errorf("before: %d %v", status, checks)
	}
	r.Watch(telemetry.Check{Name: "keys", Run: func(context.Context) error { return nil }})
	if status, checks := ask(t, r, "/readyz"); status != http.StatusOK || checks["keys"] != "ok" {
		t.Errorf("while it serves: %d %v", status, checks)
	}
	r.Stop()
	if status, checks := ask(t, r, "/readyz"); status != http.StatusServiceUnavailable || checks["platform"] != "the platform is stopping" {
		t.Errorf("after: %d %v", status, checks)
	}
	if status, _ := ask(t, r, "/healthz"); status != http.StatusOK {
		t.Errorf("a process that stops lives: %d", status)
	}
}

func TestReadiness_IsGreenAgainWithoutARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := errors.New("the disk is full")
		r := telemetry.NewReadiness()
		r.Watch(telemetry.Check{Name: "database", Run: func(context.Context) error { return fault }})
		if status, checks := ask(t, r, "/readyz"); status != http.StatusServiceUnavailable || checks["database"] != "the disk is full" {
			t.Errorf("while it fails: %d %v", status, checks)
		}
		fault = nil
		if status, _ := ask(t, r, "/readyz"); status != http.StatusServiceUnavailable {
			t.Error("a check is asked more than once a second")
		}
		time.Sleep(time.Second) // of the bubble
		if status, checks := ask(t, r, "/readyz"); status != http.StatusOK {
			t.Errorf("once it is mended: %d %v", status, checks)
		}
	})
}

func TestReadiness_ACheckThatHangsIsAskedOnceAndIsRed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		mended := make(chan struct{})
		r := telemetry.NewReadiness()
		r.Watch(telemetry.Check{Name: "database", Run: func(context.Context) error { asked.Add(1); <-mended; return nil }})
		for range 3 {
			if status, checks := ask(t, r, "/readyz"); status != http.StatusServiceUnavailable || checks["database"] != "it has not answered in time" {
				t.Errorf("while it hangs: %d %v", status, checks)
			}
			time.Sleep(time.Second) // of the bubble: until it would be asked again
		}
		if asked := asked.Load(); asked != 1 {
			t.Errorf("it was asked %d times at once", asked)
		}
		close(mended)
		time.Sleep(time.Second) // of the bubble
		if status, checks := ask(t, r, "/readyz"); status != http.StatusOK {
			t.Errorf("once it is mended: %d %v", status, checks)
		}
	})
}

func TestProfiles_AreForTheOperatorsListener(t *testing.T) {
	r := telemetry.NewReadiness()
	handler := telemetry.Handler(r, telemetry.NewMetrics("test", r, nil))
	for path, want := range map[string]int{
		"/debug/pprof/profile?seconds=1": http.StatusOK,
		"/debug/pprof/heap":              http.StatusOK,
		"/debug/pprof/allocs":            http.StatusOK,
		"/debug/pprof/goroutine":         http.StatusOK,
		"/debug/pprof/cmdline":           http.StatusNotFound, // arguments and addresses of databases are nobody's
	} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+path, http.NoBody))
		if rec.Code != want || want == http.StatusOK && rec.Body.Len() == 0 {
			t.Errorf("%s: %d with %d bytes, want %d", path, rec.Code, rec.Body.Len(), want)
		}
	}
}
