package telemetry

import (
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/loop-health/loop/internal/web"
)

func TestTracing_IsAskedForByTheEnvironmentAlone(t *testing.T) {
	for name, c := range map[string]struct {
		env    map[string]string
		wanted bool
		says   string
	}{
		"nothing":                {map[string]string{}, false, ""},
		"a collector":            {map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, true, ""},
		"a collector of traces":  {map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, true, ""},
		"the default collector":  {map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, ""},
		"none":                   {map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, false, ""},
		"the whole SDK off":      {map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, false, ""},
		"an exporter not there":  {map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, false, "knows otlp"},
		"a protocol not spoken":  {map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "http/protobuf"},
		"the protocol by itself": {map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			wanted, err := wantsTraces(func(name string) string { return c.env[name] })
			if wanted != c.wanted || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, %v", wanted, err)
			}
		})
	}
}

func TestTracing_ASpanHoldsNothingThatAStrangerWrote(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	readiness := NewReadiness()
	metrics := NewMetrics("test", readiness, newTracing(sdk.WithSpanProcessor(spans)))
	observe := metrics.Observe("identity")
	for _, route := range []string{"GET /v1/oauth/authorize", ""} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/strange-path?code=strange-code", strings.NewReader("token=strange-token"))
		r.Header.Set("Authorization", "Bearer strange-header")
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		r.Header.Set("Tracestate", "strange=strange-state")
		r.Header.Set("Baggage", "strange=strange-baggage")
		_, answered := observe(r)
		answered(web.Answered{Request: "req_1", Route: route, Status: http.StatusServiceUnavailable, Error: "temporarily_unavailable", Took: time.Millisecond})
	}
	ended := spans.Ended()
	if len(ended) != 2 || ended[0].Name() != "GET /v1/oauth/authorize" || ended[1].Name() != "identity" {
		t.Fatalf("the spans are %v", ended)
	}
	for _, span := range ended {
		whole := fmt.Sprintf("%+v", tracetest.SpanStubFromReadOnlySpan(span))
		if strings.Contains(whole, "strange") {
			t.Errorf("the span holds what a stranger wrote: %s", whole)
		}
		if span.Parent().IsValid() || len(span.Links()) != 1 || span.SpanContext().TraceID() == span.Links()[0].SpanContext.TraceID() {
			t.Errorf("a caller's trace is to be linked, not joined: %s", whole)
		}
		if !strings.Contains(whole, "req_1") || !strings.Contains(whole, "503") {
			t.Errorf("the span does not say how the request ended: %s", whole)
		}
	}
}

// The variables are the standard's, and so is what goes over the wire: OTLP over
// HTTP, to the address that they name.
func TestTracing_SpansReachTheCollectorThatTheEnvironmentNames(t *testing.T) {
	received := make(chan []byte, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			unpacked, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = unpacked
		}
		text, err := io.ReadAll(body)
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s, %v", r.URL.Path, r.Header.Get("Content-Type"), err)
		}
		received <- text
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test-of-traces")
	tracing, err := NewTracing(t.Context(), os.Getenv, "1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, answered := NewMetrics("1.2.3", NewReadiness(), tracing).Observe("identity")(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/oauth/token?code=strange", http.NoBody))
	answered(web.Answered{Request: "req_1", Route: "POST /v1/oauth/token", Status: http.StatusOK})
	if err := tracing.Close(t.Context()); err != nil { // sends what there is
		t.Fatal(err)
	}
	sent := string(<-received)
	for _, want := range []string{"POST /v1/oauth/token", "req_1", "test-of-traces", "1.2.3", "loop"} {
		if !strings.Contains(sent, want) {
			t.Errorf("%q did not arrive", want)
		}
	}
	if strings.Contains(sent, "strange") {
		t.Error("what a stranger wrote arrived")
	}
}
