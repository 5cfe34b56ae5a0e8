package main

import (
	"context"
	"fmt"
	"net"

	"github.com/loop-health/loop/internal/telemetry"
	"github.com/loop-health/loop/internal/web"
)

// maxFailures is how many servers can fail before anybody looks: more than there
// are.
const maxFailures = 16

// Of the files that the process may have open, connections leave so many to the
// databases, their readers and the operator.
const (
	filesForState   = 256
	fewestConns     = 64
	mostConnections = 1 << 16
)

// connectionsAtOnce is how many connections the public listeners hold together.
func connectionsAtOnce() int {
	files := min(openFiles(), mostConnections)
	return int(max(files, filesForState+fewestConns) - filesForState)
}

// startOperations prepares metrics and traces, and answers the operator's
// machines where the configuration says so. It comes first and goes last, so that
// it shows a platform that starts and one that stops.
func (s *service) startOperations(ctx context.Context, getenv func(string) string) error {
	s.failed = make(chan error, maxFailures)
	tracing, err := telemetry.NewTracing(ctx, getenv, version(), s.log)
	if err != nil {
		return err
	}
	s.opened(tracing.Close)
	s.metrics = telemetry.NewMetrics(version(), s.readiness, tracing)
	if s.config.OperationsListen == "" {
		return nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", string(s.config.OperationsListen))
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.config.OperationsListen, err)
	}
	server := web.NewServer(telemetry.Handler(s.readiness, s.metrics), s.log)
	go s.serveOn(listener, server)
	s.opened(func(context.Context) error { return server.Close() })
	return nil
}
