package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
)

// heldWorld has a clock that the test moves.
type heldWorld struct {
	loop.Machine
	now time.Time
}

func (w *heldWorld) Now() time.Time { return w.now }

// Elapsed follows the clock.
func (w *heldWorld) Elapsed() time.Duration { return w.now.Sub(time.Unix(0, 0)) }

// limited is a site with one route that allows so many requests a minute.
func limited(t *testing.T, perMinute int) (http.Handler, *heldWorld) {
	t.Helper()
	world := &heldWorld{now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	site := NewSite(Config{
		PublicURL:  &url.URL{Scheme: "https", Host: "identity.example.com"},
		Developers: &url.URL{Scheme: "https", Host: "developers.example.com"},
		World:      world, Log: slog.New(slog.DiscardHandler), Limits: limit.New(world),
		ErrorPage: func(w http.ResponseWriter, _ *http.Request, e *loop.Error) error {
			w.WriteHeader(Status(e))
			_, err := w.Write([]byte("a page: " + e.Description))
			return err
		},
	})
	handler := func(w http.ResponseWriter, r *http.Request) error {
		if err := site.Limit(w, limit.Token, limit.ByClient("client_1", loop.Confidential, Address(r.Context())), perMinute); err != nil {
			return err
		}
		return WriteJSON(w, http.StatusOK, "ok")
	}
	site.API("GET /api", handler)
	site.Page("GET /page", handler)
	return site.Handler(), world
}

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://identity.example.com"+path, http.NoBody))
	return w
}

// limits are the headers of an answer that show its limit.
func limits(w *httptest.ResponseRecorder) [4]string {
	h := w.Header()
	return [4]string{h.Get("X-RateLimit-Limit"), h.Get("X-RateLimit-Remaining"), h.Get("X-RateLimit-Reset"), h.Get("Retry-After")}
}

func TestSite_EveryLimitedAnswerSaysWhatIsLeft(t *testing.T) {
	h, world := limited(t, 2)
	for _, c := range []struct {
		name   string
		after  time.Duration
		status int
		want   [4]string
	}{
		{"the first", 0, 200, [4]string{"2", "1", "65", ""}},
		{"the last", 1500 * time.Millisecond, 200, [4]string{"2", "0", "64", ""}},
		{"one too many", 0, 429, [4]string{"2", "0", "64", "64"}},
		{"too early by a little, given in seconds rounded up", 63_400 * time.Millisecond, 429, [4]string{"2", "0", "1", "1"}},
		{"in time", 100 * time.Millisecond, 200, [4]string{"2", "1", "65", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			world.now = world.now.Add(c.after)
			w := get(h, "/api")
			if w.Code != c.status {
				t.Errorf("status %d", w.Code)
			}
			if diff := cmp.Diff(c.want, limits(w)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSite_OneTooManyIs429(t *testing.T) {
	h, world := limited(t, 1)
	get(h, "/api")
	t.Run("§9 as JSON, with retry_after_ms and a page that explains it", func(t *testing.T) {
		world.now = world.now.Add(55_500 * time.Millisecond)
		w := get(h, "/api")
		var body map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusTooManyRequests {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if body["request_id"] != w.Header().Get("X-Request-Id") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v %v", w.Header(), body)
		}
		delete(body, "request_id")
		want := map[string]any{
			"error":             "rate_limited",
			"error_description": "Too many requests: the limit is 1 a minute. Wait 10 seconds, as Retry-After says, then go on.",
			"error_uri":         "https://developers.example.com/docs/errors/rate_limited?request=" + w.Header().Get("X-Request-Id"),
			"retry_after_ms":    9500.0,
		}
		if diff := cmp.Diff(want, body); diff != "" || w.Header().Get("Retry-After") != "10" {
			t.Errorf("%v\n%s", w.Header(), diff)
		}
	})
	t.Run("as a page, for a browser", func(t *testing.T) {
		w := get(h, "/page")
		if w.Code != http.StatusTooManyRequests || !strings.HasPrefix(w.Body.String(), "a page: Too many requests: the limit is 1 a minute") || w.Header().Get("Retry-After") != "10" {
			t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
		}
	})
	t.Run("§10 ignored again and again it is a wait of 15 minutes", func(t *testing.T) {
		for range 40 {
			get(h, "/api")
		}
		w := get(h, "/api")
		if got := limits(w); got != [4]string{"1", "0", "900", "900"} || !strings.Contains(w.Body.String(), "15 minutes") || !strings.Contains(w.Body.String(), `"retry_after_ms":900000`) {
			t.Errorf("%v %s", got, w.Body)
		}
	})
}

func TestSite_WithoutLimitsNothingIsSaidOfThem(t *testing.T) {
	site := NewSite(Config{})
	w := httptest.NewRecorder()
	for range 100 {
		if err := site.Limit(w, limit.Authorize, limit.ByAddress("192.0.2.1"), 1); err != nil || len(w.Header()) != 0 {
			t.Fatalf("%v %v", err, w.Header())
		}
	}
}

func TestInWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 second", time.Second: "1 second", 1001 * time.Millisecond: "2 seconds", 65 * time.Second: "65 seconds",
		15 * time.Minute: "15 minutes", 14*time.Minute + time.Second: "15 minutes", 2 * time.Hour: "120 minutes", 24 * time.Hour: "24 hours",
	} {
		if got := inWords(d); got != want {
			t.Errorf("%s is %q", d, got)
		}
	}
}
