package main

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/servercert"
)

// certificate opens the certificate, where the platform ends TLS itself; nil where it
// doesn't.
func (c *config) certificate(log *slog.Logger) (*servercert.Server, error) {
	if c.TLSCertificate == "" {
		return nil, nil //nolint:nilnil // a proxy in front ends TLS
	}
	return servercert.Open(servercert.Files{Certificate: c.TLSCertificate, Key: c.TLSKey}, c.hostNames(), machine().Now, log)
}

// hostNames are the names by which this process is reached, and which its certificate
// must be for.
func (c *config) hostNames() (names []string) {
	for _, host := range []struct {
		role platform.Role
		urls []*url.URL
	}{
		{platform.RoleIdentity, []*url.URL{c.IdentityURL.URL, c.IdentityMTLSURL.URL}},
		{platform.RoleClinical, []*url.URL{c.ClinicalURL.URL, c.ClinicalMTLSURL.URL}},
		{platform.RoleDevelopers, []*url.URL{c.DevelopersURL.URL}},
	} {
		for _, address := range host.urls {
			if c.Role.Serves(host.role) && address != nil {
				names = append(names, address.Hostname())
			}
		}
	}
	return names
}

// onHangUp reads again, at SIGHUP, what can change while the platform runs: the
// certificate, and what reload reads. A changed certificate is taken up without it too.
func (s *service) onHangUp(ctx context.Context, reload func() error) {
	ctx, stop := context.WithCancel(ctx)
	hangUps := make(chan os.Signal, 1)
	signal.Notify(hangUps, syscall.SIGHUP)
	again := make(chan os.Signal)
	ended := make(chan struct{})
	if s.certificate != nil {
		go s.certificate.Watch(ctx, again)
	}
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case hangUp := <-hangUps:
				s.reload(ctx, reload)
				s.pass(ctx, again, hangUp)
			}
		}
	}()
	s.opened(func(context.Context) error {
		signal.Stop(hangUps)
		stop()
		<-ended
		return nil
	})
}

func (s *service) reload(ctx context.Context, reload func() error) {
	if err := reload(); err != nil {
		s.log.ErrorContext(ctx, "the configuration is not read again", "cause", err)
		return
	}
	s.log.InfoContext(ctx, "the log level was read again")
}

// pass has the certificate read again too.
func (s *service) pass(ctx context.Context, again chan<- os.Signal, hangUp os.Signal) {
	if s.certificate == nil {
		return
	}
	select {
	case again <- hangUp:
	case <-ctx.Done():
	}
}
