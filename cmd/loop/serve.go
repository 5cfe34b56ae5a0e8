package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/operation"
	"github.com/loop-health/loop/internal/web"
)

// serveFlags are the keys of the configuration that a command line can give.
type serveFlags struct {
	Config           string `help:"A TOML file with these same keys, written with underscores." placeholder:"FILE"`
	Dir              string `help:"The folder of the platform's data." placeholder:"FOLDER"`
	Role             string `help:"Which host this process serves (default: all). One of its own needs a database." placeholder:"identity|clinical|developers|all"`
	Database         string `help:"A PostgreSQL database for the data, shared by any number of servers; the folder keeps only what is this server's own." placeholder:"postgres://…"`
	Connections      string `help:"How many connections to the database at most, for reading, writing, and each of identity and clinical (default: 8)." placeholder:"N"`
	IdentityURL      string `name:"identity-url" help:"Identity's public address; it is the issuer." placeholder:"URL"`
	ClinicalURL      string `name:"clinical-url" help:"Clinical's public address." placeholder:"URL"`
	DevelopersURL    string `name:"developers-url" help:"The developer portal's public address." placeholder:"URL"`
	IdentityListen   string `help:"Where identity listens (default: 127.0.0.1:8000). Roles may share one address." placeholder:"ADDRESS"`
	ClinicalListen   string `help:"Where clinical listens (default: 127.0.0.1:8001)." placeholder:"ADDRESS"`
	DevelopersListen string `help:"Where the portal listens (default: 127.0.0.1:8002)." placeholder:"ADDRESS"`
	TLSCertificate   string `name:"tls-certificate" help:"The certificate for all three, as PEM. Without it a proxy in front ends TLS." placeholder:"FILE"`
	TLSKey           string `name:"tls-key" help:"Its key." placeholder:"FILE"`
	MasterKeyFile    string `help:"The file with the master key (or LOOP_MASTER_KEY)." placeholder:"FILE"`
	SignUpsPerHour   string `help:"How many accounts one address may make in an hour (default: 20)." placeholder:"N"`
	Limits           string `help:"Rate limits: on, off for benchmarks, or redis://… of a Valkey or Redis server where all processes count together (default: on)." placeholder:"on|off|redis://…"`
	TrustedProxies   string `help:"The proxies in front, whose X-Forwarded-For is believed: 10.1.0.0/16,fd00:1::/32" placeholder:"NETWORKS"`
	MTLSListen       string `name:"mtls-listen" help:"Where clients with a certificate are listened for." placeholder:"ADDRESS"`
	MTLSHeader       string `name:"mtls-header" help:"The header by which a trusted proxy hands client certificates on: Client-Cert (RFC 9440), or one with URL-encoded PEM." placeholder:"NAME"`
	IdentityMTLSURL  string `name:"identity-mtls-url" help:"Identity's public address for them." placeholder:"URL"`
	ClinicalMTLSURL  string `name:"clinical-mtls-url" help:"Clinical's public address for them." placeholder:"URL"`
	MTLSAuthorities  string `name:"mtls-authorities" help:"The authorities behind the certificates of tls_client_auth, as PEM." placeholder:"FILE"`
	FetchHosts       string `name:"fetch-allowed-hosts" help:"Hosts whose jwks_uri and logout addresses may be at loopback, without TLS. For tests on one machine alone." placeholder:"HOSTS"`
	SignInMaxAge     string `help:"How old a member's sign-in may be when an app reads health data, such as 12h (default: any age)." placeholder:"DURATION"`
	OperationsListen string `help:"Where health, readiness and metrics are asked for, such as 127.0.0.1:9090 (default: nowhere). The world must not reach it." placeholder:"ADDRESS"`
	LogLevel         string `help:"debug, info, warn or error (default: info)." placeholder:"LEVEL"`
}

func (f serveFlags) values() map[string]string {
	return map[string]string{
		"dir": f.Dir, "role": f.Role, "database": f.Database, "connections": f.Connections,
		"identity_url": f.IdentityURL, "clinical_url": f.ClinicalURL, "developers_url": f.DevelopersURL,
		"identity_listen": f.IdentityListen, "clinical_listen": f.ClinicalListen, "developers_listen": f.DevelopersListen,
		"tls_certificate": f.TLSCertificate, "tls_key": f.TLSKey, "master_key_file": f.MasterKeyFile,
		"sign_ups_per_hour": f.SignUpsPerHour, "limits": f.Limits, "trusted_proxies": f.TrustedProxies, "log_level": f.LogLevel,
		"mtls_listen": f.MTLSListen, "mtls_header": f.MTLSHeader, "identity_mtls_url": f.IdentityMTLSURL, "clinical_mtls_url": f.ClinicalMTLSURL,
		"mtls_authorities": f.MTLSAuthorities, "fetch_allowed_hosts": f.FetchHosts, "sign_in_max_age": f.SignInMaxAge,
		"operations_listen": f.OperationsListen,
	}
}

type serveCommand struct {
	Flags serveFlags `embed:""`
	Check bool       `help:"Only say whether the configuration is sound."`
}

// Help is what `loop serve --help` says beside the flags.
func (serveCommand) Help() string {
	return "Each key can be given as a flag, as a variable (LOOP_IDENTITY_URL) or in the file (identity_url); the first of these wins. The master key is never a flag."
}

// Run serves the platform until it is told to stop.
func (cmd *serveCommand) Run(p *process) error {
	config, err := readConfig(cmd.Flags, p.env)
	if err != nil {
		return err
	}
	certificate, err := config.certificate()
	if err != nil {
		return err
	}
	if cmd.Check {
		return config.tell(p.stdout)
	}
	s := &service{config: config, certificate: certificate, readiness: operation.NewReadiness(), connections: web.NewConnections(connectionsAtOnce()), log: slog.New(slog.NewJSONHandler(p.stderr, &slog.HandlerOptions{Level: config.LogLevel}))}
	if advice := config.advice(); advice != "" {
		s.log.WarnContext(p.ctx, advice)
	}
	if err := s.start(p.ctx, p.env.Get); err != nil {
		return errors.Join(err, s.close(p.ctx))
	}
	_, err = fmt.Fprintf(p.stdout, "ready: %s\n", config.Identity.URL)
	if err == nil {
		err = s.wait(p.ctx)
	}
	return errors.Join(err, s.close(p.ctx))
}

// tell says that the configuration is sound, and what its operator may have
// overlooked.
func (c *config) tell(w io.Writer) error {
	_, err := fmt.Fprintf(w, "The configuration is sound: %s, with its data in %s.\n", c.Identity.URL, c.Dir)
	if advice := c.advice(); advice != "" && err == nil {
		_, err = fmt.Fprintf(w, "But %s.\n", advice)
	}
	return err
}

// certificate reads the certificate, where the platform ends TLS itself.
func (c *config) certificate() (*tls.Certificate, error) {
	if c.TLSCertificate == "" {
		return nil, nil //nolint:nilnil // a proxy in front ends TLS
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("tls_certificate and tls_key: %w", err)
	}
	return &pair, nil
}

// service is the platform as `loop serve` runs it.
type service struct {
	config      *config
	certificate *tls.Certificate
	log         *slog.Logger
	readiness   *operation.Readiness
	connections *web.Connections
	metrics     *operation.Metrics
	admin       *admin.Server
	failed      chan error
	servers     []*http.Server
	closers     []func(context.Context) error // in the order of opening
}

func (s *service) opened(closer func(context.Context) error) { s.closers = append(s.closers, closer) }

// start opens folder and platform, listens, and serves in the background.
func (s *service) start(ctx context.Context, getenv func(string) string) error {
	if err := os.MkdirAll(s.config.Dir, 0o700); err != nil {
		return fmt.Errorf("the data folder can't be made: %w", err)
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
	config.Metrics = s.metrics
	platform, err := open(ctx, config)
	if err != nil {
		return err
	}
	s.opened(platform.Close)
	s.metrics.Watch(platform.Figures)
	if err := s.listen(ctx, platform); err != nil {
		return err
	}
	status := admin.Status{StartedAt: time.Now().UTC(), Version: version(), PID: os.Getpid(), Addresses: map[string]string{
		"identity": s.config.Identity.URL.String(), "clinical": s.config.Clinical.URL.String(), "developers": s.config.Developers.URL.String(),
	}}
	if s.admin, err = admin.Listen(ctx, s.config.Dir, status, platform.Commands(), s.log); err != nil {
		return err
	}
	s.opened(func(context.Context) error { return s.admin.Drain() })
	room := operation.Check{Name: "connections", Run: func(context.Context) error { return s.connections.Ready() }}
	s.readiness.Watch(append(platform.Checks(), room)...)
	return nil
}

// listen puts the hosts behind their addresses; those that share one are told
// apart by the name that requests give.
func (s *service) listen(ctx context.Context, platform dev.Platform) error {
	identity, clinical, developers := platform.Hosts()
	mutual := s.config.Mutual
	byAddress := make(map[string]map[string]http.Handler)
	for _, at := range []struct {
		role
		mutual  *url.URL // hosts tell by its name how a request came
		handler http.Handler
	}{
		{s.config.Identity, mutual.Identity, identity},
		{s.config.Clinical, mutual.Clinical, clinical},
		{s.config.Developers, nil, developers},
	} {
		if at.handler == nil {
			continue // another process serves it
		}
		put(byAddress, at.Listen, at.URL, at.handler)
		put(byAddress, cmp.Or(mutual.Listen, at.Listen), at.mutual, at.handler)
	}
	s.opened(s.shutDown)
	for address, hosts := range byAddress {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listening on %s: %w", address, err)
		}
		s.serve(s.connections.Limit(listener, s.certificate == nil), web.ByHost(hosts), address == mutual.Listen)
	}
	return nil
}

// put has an address answer for a host; a host of nobody's is left out.
func put(byAddress map[string]map[string]http.Handler, address string, host *url.URL, handler http.Handler) {
	if host == nil {
		return
	}
	if byAddress[address] == nil {
		byAddress[address] = make(map[string]http.Handler)
	}
	byAddress[address][host.Host] = handler
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
	s.servers = append(s.servers, server)
	if s.certificate != nil {
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: tls12Suites, Certificates: []tls.Certificate{*s.certificate}}
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

// drainTime is how long requests may take to end when the platform stops.
const drainTime = 25 * time.Second

func (s *service) shutDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	for _, server := range s.servers {
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	}
	return nil
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
