package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/examples/quickstart"
	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store/folder"
)

// opened is a platform as the commands use it.
type opened struct{ *platform.Platform }

// Commands runs administrative commands; a user who is given no password gets
// four words.
func (o opened) Commands() admin.Commands {
	return o.Platform.Commands(func() string { return dev.NewPassword(loop.Machine{}) })
}

// signUpsInDevelopment is how many accounts a laptop may make in an hour.
const signUpsInDevelopment = 1000

// loopbackHosts are where an app on the same laptop may have its key set and its
// logout address.
var loopbackHosts = []string{"localhost", "127.0.0.1"}

func forDevelopment(o dev.Opening, unlimited bool) platform.Config {
	return platform.Config{
		Folder: o.Folder, Identity: o.Identity, Clinical: o.Clinical, Developers: o.Developers,
		Master: o.Master, World: o.World, Log: o.Log, HTTP: o.HTTP, SignUpsPerHour: signUpsInDevelopment,
		Mail: o.Mail, Unlimited: unlimited, FetchHosts: loopbackHosts, ClientDocuments: registration.DocumentHosts{All: true}, Registers: true, ClockIsRight: true, // nobody but the laptop's owner goes by it
	}
}

// betweenHosts bounds a request of one host to another.
const betweenHosts = 10 * time.Second

func forProduction(c *config, log *slog.Logger) platform.Config {
	return platform.Config{
		Role: c.Role, Folder: c.Dir, Database: string(c.Database), DatabaseDirect: string(c.DatabaseDirect), DatabaseWait: time.Duration(c.DatabaseWait), Connections: int(c.Connections),
		Identity: c.IdentityURL.URL, Clinical: c.ClinicalURL.URL, Developers: c.DevelopersURL.URL,
		Master: c.Master, World: machine(), Log: log, HTTP: &http.Client{Timeout: betweenHosts}, SignUpsPerHour: int(c.SignUpsPerHour),
		Unlimited: c.Limits.Off, LimitStore: c.Limits.Store, TrustedProxies: c.TrustedProxies, SecurityContact: string(c.SecurityContact),
		Resources: c.Resources, FetchHosts: c.FetchHosts, ClientDocuments: registration.DocumentHosts(c.CIMD), Registers: bool(c.Registration), SignInMaxAge: time.Duration(c.SignInMaxAge),
		IdentityCertificate: c.IdentityMTLSURL.URL, ClinicalCertificate: c.ClinicalMTLSURL.URL,
		Mail:              c.mailServer(),
		ClientAuthorities: c.MTLSAuthorities.CertPool, CertificateHeader: c.MTLSHeader,
	}
}

func open(ctx context.Context, config platform.Config) (*opened, error) {
	p, err := platform.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	return &opened{p}, nil
}

// lockFolder takes the state folder for this process.
func lockFolder(dir string) (release func() error, err error) { return folder.Lock(dir) }

func newQuickstart(identity, clinical *url.URL, seed dev.Seed) (http.Handler, error) {
	return quickstart.New(quickstart.Config{
		IdentityURL: identity.String(), ClinicalURL: clinical.String(),
		ClientID: seed.ClientID, ClientSecret: seed.ClientSecret, RedirectURI: seed.RedirectURIs[0],
	})
}

// quietLog is the log of a command that opens the platform for one act: only
// what needs somebody's eyes.
func (p *process) quietLog() *slog.Logger { return newLog(p.stderr, slog.LevelWarn) }

func newLog(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// log is the log of a server, in the form that is configured.
func (c *config) log(w io.Writer, level slog.Leveler) *slog.Logger {
	if c.LogFormat == "text" {
		return newLog(w, level)
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
