package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// safeBuffer is what several goroutines write to.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestServe_TheLogSaysHowItStartsServesAndStops(t *testing.T) {
	t.Parallel()
	o := newOperator(t)
	ctx, stop := context.WithCancel(t.Context())
	var log safeBuffer
	ended := o.serveLogging(ctx, &log, "--limits", "off")
	lines := logLines(t, log.String())
	starting, serving := lines["starting"], lines["serving"]
	if starting == nil || serving == nil {
		t.Fatalf("the log: %s", log.String())
	}
	configuration, _ := starting["configuration"].(map[string]any)
	limits, _ := configuration["limits"].(map[string]any)
	if starting["version"] == "" || limits["value"] != "off" || limits["from"] != "--limits" {
		t.Errorf("the start: %v", starting)
	}
	addresses, _ := serving["addresses"].([]any)
	if len(addresses) != 3 {
		t.Fatalf("it serves on %v", addresses)
	}
	for path, route := range map[string]string{"/healthy": "none", "/.well-known/openid-configuration": "GET /.well-known/openid-configuration", "/" + strings.Repeat("x", 13<<10): "none"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addresses[0].(string)+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = "id.example.com"
		for _, address := range addresses { // whichever is identity's
			r.URL.Host, _ = address.(string)
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
		}
		if !strings.Contains(log.String(), `"route":"`+route+`"`) {
			t.Errorf("no request with the route %s: %s", route, log.String())
		}
	}
	if request := logLines(t, log.String())["request"]; request["address"] != "127.0.0.1" || request["duration_ms"] == nil {
		t.Errorf("a request: %v", request)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	lines = logLines(t, log.String())
	if lines["stopping: requests that are under way may end"] == nil || lines["stopped"]["cut_off_connections"] != 0.0 {
		t.Errorf("the end: %s", log.String())
	}
	for _, secret := range o.env[1:2] {
		if _, value, _ := strings.Cut(secret, "="); strings.Contains(log.String(), value) {
			t.Error("the log holds the master key")
		}
	}
}

// logLines gives the last line of each message.
func logLines(t *testing.T, text string) map[string]map[string]any {
	t.Helper()
	lines := make(map[string]map[string]any)
	for one := range strings.Lines(text) {
		var line map[string]any
		if err := json.Unmarshal([]byte(one), &line); err != nil {
			t.Fatalf("%v: %s", err, one)
		}
		msg, _ := line["msg"].(string)
		lines[msg] = line
	}
	return lines
}
