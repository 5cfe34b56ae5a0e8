package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/servercert"
	"github.com/loop-health/loop/internal/store/folder"
	"github.com/loop-health/loop/internal/telemetry"
	"github.com/loop-health/loop/internal/web"
)

type serveCommand struct {
	Flags serveFlags `embed:""`
	Check bool       `help:"Only say whether everything that a start needs is there: it changes nothing, and fails where something is missing."`

	ClockIsRight bool `help:"Start although the newest record is ahead of this machine's clock: the clock was wrong, and is right now."`
}

// Help is what `loop serve --help` says beside the flags.
func (serveCommand) Help() string {
	return "Each key can be given as a flag, as a variable (LOOP_IDENTITY_URL) or in the file (identity_url); the first of these wins. The master key is never a flag."
}

// Run serves the platform until it is stopped.
func (cmd *serveCommand) Run(p *process) error {
	config, err := readConfig(sources{file: cmd.Flags.Config, flags: cmd.Flags.values(), env: p.env})
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	level.Set(config.LogLevel)
	log := config.log(p.stderr, level)
	if cmd.Check {
		return config.check(p.ctx, p.stdout)
	}
	certificate, err := config.certificate(log)
	if err != nil {
		return err
	}
	s := &service{config: config, clockIsRight: cmd.ClockIsRight, certificate: certificate, readiness: telemetry.NewReadiness(), connections: web.NewConnections(connectionsAtOnce(), config.TrustedProxies...), log: log}
	s.onHangUp(p.ctx, func() error {
		again, err := readConfig(sources{file: cmd.Flags.Config, flags: cmd.Flags.values(), env: p.env})
		if err == nil {
			level.Set(again.LogLevel)
		}
		return err
	})
	log.InfoContext(p.ctx, "starting", "version", version(), "configuration", config)
	for _, advice := range config.advice() {
		s.log.WarnContext(p.ctx, advice)
	}
	if err := s.start(p.ctx, p.env.Get); err != nil {
		return errors.Join(err, s.close(p.ctx))
	}
	s.startedAt = time.Now()
	log.InfoContext(p.ctx, "serving", "addresses", s.addresses())
	_, err = fmt.Fprintf(p.stdout, "ready: %s\n", config.IdentityURL)
	if err == nil {
		err = s.wait(p.ctx)
	}
	return errors.Join(err, s.stop(p.ctx))
}

// service is the platform as `loop serve` runs it.
type service struct {
	clockIsRight bool
	config       *config
	certificate  *servercert.Server // nil: a proxy in front ends TLS
	log          *slog.Logger
	readiness    *telemetry.Readiness
	connections  *web.Connections
	metrics      *telemetry.Metrics
	admin        *admin.Server
	failed       chan error
	servers      []*http.Server
	closers      []func(context.Context) error // in the order of opening
	startedAt    time.Time
	cutOff       int // connections that were closed before their requests had ended
}

func (s *service) opened(closer func(context.Context) error) { s.closers = append(s.closers, closer) }

// start opens folder and platform, listens, and serves in the background.
func (s *service) start(ctx context.Context, getenv func(string) string) error {
	if err := os.MkdirAll(s.config.Dir, 0o700); err != nil {
		return fmt.Errorf("the data folder can't be made: %w", err)
	}
	if err := folder.CheckPrivate(s.config.Dir); err != nil {
		return err
	}
	release, err := lockFolder(s.config.Dir)
	if err != nil {
		return err
	}
	s.opened(func(context.Context) error { return release() })
	if err := s.startOperations(ctx, getenv); err != nil {
		return err
	}
	config := forProduction(s.config, s.log)
	config.Metrics, config.ClockIsRight = s.metrics, s.clockIsRight
	platform, err := open(ctx, config)
	if err != nil {
		return err
	}
	s.opened(platform.Close)
	s.metrics.Watch(platform.Figures)
	if s.certificate != nil {
		s.metrics.WatchCertificate(s.certificate.NotAfter)
	}
	if err := s.listen(ctx, platform); err != nil {
		return err
	}
	status := admin.Status{StartedAt: time.Now().UTC(), Version: version(), PID: os.Getpid(), Addresses: map[string]string{
		"identity": s.config.IdentityURL.String(), "clinical": s.config.ClinicalURL.String(), "developers": s.config.DevelopersURL.String(),
	}}
	if s.admin, err = admin.Listen(ctx, s.config.Dir, status, platform.Commands(), s.log); err != nil {
		return err
	}
	s.opened(func(context.Context) error { return s.admin.Drain() })
	room := telemetry.Check{Name: "connections", Run: func(context.Context) error { return s.connections.Ready() }}
	s.readiness.Watch(append(platform.Checks(), room)...)
	return nil
}

// listen puts the hosts behind their addresses; where several share one, the name
// in a request says which is meant.
func (s *service) listen(ctx context.Context, platform dev.Platform) error {
	identity, clinical, developers := platform.Hosts()
	c := s.config
	byAddress := make(map[string]map[string]http.Handler)
	for _, host := range []struct {
		url     *url.URL
		listen  listenAddress
		mtls    *url.URL // hosts know by its name how a request came
		handler http.Handler
	}{
		{c.IdentityURL.URL, c.IdentityListen, c.IdentityMTLSURL.URL, identity},
		{c.ClinicalURL.URL, c.ClinicalListen, c.ClinicalMTLSURL.URL, clinical},
		{c.DevelopersURL.URL, c.DevelopersListen, nil, developers},
	} {
		if host.handler == nil {
			continue // another process serves it
		}
		put(byAddress, host.listen, host.url, host.handler)
		put(byAddress, cmp.Or(c.MTLSListen, host.listen), host.mtls, host.handler)
	}
	s.opened(s.shutDown)
	for address, hosts := range byAddress {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listening on %s: %w", address, err)
		}
		s.serve(s.connections.Limit(listener, s.certificate == nil), web.ByHost(hosts), address == string(c.MTLSListen))
	}
	return nil
}

// put has an address answer for a host; a host of nobody's is left out.
func put(byAddress map[string]map[string]http.Handler, address listenAddress, host *url.URL, handler http.Handler) {
	if host == nil {
		return
	}
	hosts := byAddress[string(address)]
	if hosts == nil {
		hosts = make(map[string]http.Handler)
		byAddress[string(address)] = hosts
	}
	hosts[host.Host] = handler
}

// tls12Suites are the cipher suites of TLS 1.2 that are still sound (RFC 9325
// §4.2); those of TLS 1.3 all are.
var tls12Suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// serve puts a server behind a listener. One for clients with certificates asks
// for them; whose they are is for the authorization server to judge.
func (s *service) serve(listener net.Listener, handler http.Handler, asksForCertificates bool) {
	server := web.NewServer(handler, s.log)
	server.ConnState, server.Addr = s.connections.Track, listener.Addr().String()
	s.servers = append(s.servers, server)
	if s.certificate != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: tls12Suites, GetCertificate: s.certificate.Get}
		if asksForCertificates {
			server.TLSConfig.ClientAuth = tls.RequestClientCert
		}
	}
	go s.serveOn(listener, server)
}

// serveOn serves until the server is shut down: with TLS, where it has a
// configuration for that.
func (s *service) serveOn(listener net.Listener, server *http.Server) {
	var err error
	if server.TLSConfig != nil {
		err = server.ServeTLS(listener, "", "")
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		s.failed <- fmt.Errorf("serving on %s: %w", listener.Addr(), err)
	}
}

// wait returns when the platform is to stop, or when a server failed.
func (s *service) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.admin.Stopping():
		return nil
	case err := <-s.failed:
		return err
	}
}

// close stops what start opened, in reverse.
func (s *service) close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // the signal that ends the platform does not end its end
	s.readiness.Stop()
	var faults []error
	for i := len(s.closers) - 1; i >= 0; i-- {
		faults = append(faults, s.closers[i](ctx))
	}
	if s.admin != nil {
		faults = append(faults, s.admin.Close(ctx))
	}
	return errors.Join(faults...)
}
