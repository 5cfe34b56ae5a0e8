package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/loop-health/loop/internal/web"
)

// Tracing sends a span for each request to a collector. Nil sends nothing.
//
// A span says which route was asked, how it was answered, and under which
// request id, by which the rest is found in the log. It never holds a path, a query, a
// header, a body or who it was about: what a stranger writes ends nowhere.
type Tracing struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// NewTracing reads the variables that OpenTelemetry defines, and gives nil where
// none names a collector, or OTEL_SDK_DISABLED says so. Spans travel by OTLP over
// HTTP; another exporter or protocol is an error. A collector that is not there
// is a line in the log, and nothing waits for it.
func NewTracing(ctx context.Context, getenv func(string) string, version string, log *slog.Logger) (*Tracing, error) {
	wanted, err := wantsTraces(getenv)
	if !wanted || err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx) // which reads OTEL_EXPORTER_OTLP_*
	if err != nil {
		return nil, fmt.Errorf("preparing traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("sending traces", "cause", err) })) // the process has one
	from, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "loop"), attribute.String("service.version", version)),
		resource.WithFromEnv()) // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES have the last word
	if err != nil {
		return nil, fmt.Errorf("preparing traces: %w", err)
	}
	return newTracing(sdk.WithBatcher(exporter), sdk.WithResource(from)), nil // OTEL_TRACES_SAMPLER and OTEL_BSP_* are read in here
}

func newTracing(options ...sdk.TracerProviderOption) *Tracing {
	provider := sdk.NewTracerProvider(options...)
	return &Tracing{provider, provider.Tracer("github.com/loop-health/loop")}
}

func wantsTraces(getenv func(string) string) (bool, error) {
	exporter := getenv("OTEL_TRACES_EXPORTER")
	endpoint := getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") + getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	if getenv("OTEL_SDK_DISABLED") == "true" || exporter == "none" || exporter == "" && endpoint == "" {
		return false, nil
	}
	if exporter != "" && exporter != "otlp" {
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q: this platform knows otlp, and none", exporter)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if protocol := getenv(name); protocol != "" && protocol != "http/protobuf" {
			return false, fmt.Errorf("%s is %q: this platform sends http/protobuf, to port 4318 of most collectors", name, protocol)
		}
	}
	return true, nil
}

// Close sends what has not been sent.
func (t *Tracing) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// begin starts the span of a request. A trace that the caller is in is linked
// and not joined: a stranger decides neither what is sampled here nor whose
// trace it lands in.
func (t *Tracing) begin(r *http.Request, host string) (context.Context, func(web.Answered)) {
	if t == nil {
		return r.Context(), func(web.Answered) {}
	}
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer)}
	caller := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header)))
	if caller.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: caller.TraceID(), SpanID: caller.SpanID(), Remote: true, // without tracestate, which is free text
		})}))
	}
	ctx, span := t.tracer.Start(r.Context(), host, options...)
	return ctx, func(a web.Answered) {
		if a.Route != "" {
			span.SetName(a.Route)
			span.SetAttributes(attribute.String("http.route", a.Route))
		}
		span.SetAttributes(attribute.String("loop.host", host), attribute.String("loop.request_id", string(a.Request)), attribute.Int("http.response.status_code", a.Status))
		if a.Error != "" {
			span.SetAttributes(attribute.String("error.type", string(a.Error)))
		}
		if a.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, string(a.Error))
		}
		span.End()
	}
}
