package dev

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	statefolder "github.com/loop-health/loop/internal/store/folder"
	"github.com/loop-health/loop/internal/web"
)

// Config is what `loop dev` was asked for.
type Config struct {
	Search     Search // Dir empty: .loop in the working folder
	Port       *int   // nil: what the folder remembers, else DefaultPort; 0: free ones, the same at each start
	Domain     string // empty: plain, on localhost
	Quickstart bool   // serve it, where Domain is empty
	Version    string

	World loop.World
	Log   *slog.Logger

	// Open opens the platform in the folder, whose lock is held.
	Open func(ctx context.Context, opening Opening) (Platform, error)
	// NewQuickstart makes the app that shows how it goes.
	NewQuickstart func(identity, clinical *url.URL, seed Seed) (http.Handler, error)
}

// Opening is what a platform is opened with.
type Opening struct {
	Folder                         string
	Identity, Clinical, Developers *url.URL
	Master                         *credential.Master
	World                          loop.World
	Log                            *slog.Logger
	HTTP                           *http.Client // reaches the hosts from within the process
	Mail                           mail.Sender  // what would have been sent stays on this laptop
}

// Platform is what is served.
type Platform interface {
	// Hosts gives the handlers of the three public hosts.
	Hosts() (identity, clinical, developers http.Handler)
	// Seed makes the people and the app that are not there yet, with the
	// passwords given, and gives the app's id and secret: those given, where they
	// still hold, else new ones. Done twice it changes nothing.
	Seed(ctx context.Context, seed Seed) (Seed, error)
	// Commands runs administrative commands.
	Commands() admin.Commands
	// Close lets writes end and closes the stores.
	Close(ctx context.Context) error
}

// Dev is a platform that runs.
type Dev struct {
	Seed Seed // the people and the app, for whoever shows them

	config    Config
	folder    string
	startedAt time.Time
	layout    *layout
	names     *realNames // nil: plain
	platform  Platform
	inbox     *Inbox
	admin     *admin.Server
	servers   []*http.Server
	failed    chan error
	closers   []func(context.Context) error // in the order of opening
}

// Start starts the platform and returns when it answers and dev.env is written.
// An error is one sentence that says what is wrong and what to do; nothing is
// left running then.
func Start(ctx context.Context, config Config) (*Dev, error) {
	folder := config.Search.Dir
	if folder == "" {
		folder = StateFolder
	}
	d := &Dev{config: config, folder: config.Search.absolute(folder), startedAt: config.World.Now(), failed: make(chan error, 1)}
	for _, step := range []func(context.Context) error{d.check, d.takeFolder, d.layOut, d.openPlatform, d.seed, d.serve, d.openSocket, d.register} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, d.Close(ctx))
		}
	}
	return d, nil
}

// opened notes how to close what was opened.
func (d *Dev) opened(closer func(context.Context) error) { d.closers = append(d.closers, closer) }

// check judges what was asked for, before anything is made.
func (d *Dev) check(context.Context) error {
	if d.config.Port != nil && *d.config.Port != 0 {
		if _, err := PortsFrom(*d.config.Port); err != nil {
			return err
		}
	}
	return validDomain(d.config.Domain)
}

// takeFolder makes the folder and takes it for this process.
func (d *Dev) takeFolder(ctx context.Context) error {
	if err := prepareFolder(d.folder); err != nil {
		return err
	}
	if running, err := dial(ctx, d.folder); err == nil {
		return d.alreadyRuns(running)
	}
	release, err := statefolder.Lock(d.folder)
	if err != nil {
		return err
	}
	d.opened(func(context.Context) error { return release() })
	return nil
}

// alreadyRuns says since when and where, and how to stop it.
func (d *Dev) alreadyRuns(running *Instance) error {
	return fmt.Errorf("the platform runs already, since %s, in %s, with identity at %s: stop it with %s dev stop%s",
		running.Status.StartedAt.Local().Format("15:04 on 2 January 2006"), running.Folder, running.Status.Addresses["identity"],
		d.config.Search.Command, d.config.Search.dirFlag(running.Folder))
}

// layOut decides on the addresses, opens the ports and holds the folder to the
// issuer that it was made for: what is stored in it names that issuer.
func (d *Dev) layOut(ctx context.Context) error {
	remembered, err := readSettings(d.folder)
	if err != nil {
		return err
	}
	if d.layout, err = plan(d.config, remembered); err != nil {
		return err
	}
	if remembered != nil {
		if issuer := d.layout.host("identity", d.layout.ports.Identity).String(); issuer != remembered.Issuer {
			return d.otherIssuer(remembered, issuer)
		}
	}
	if err := d.layout.open(ctx); err != nil {
		return d.portTaken(ctx, err)
	}
	d.opened(func(context.Context) error { d.layout.close(); return nil })
	now := &settings{Format: settingsFormat, Issuer: d.layout.identity.String(), Domain: d.config.Domain, Ports: d.layout.ports}
	return now.write(d.folder)
}

func (d *Dev) otherIssuer(remembered *settings, issuer string) error {
	same := d.config.Search.start(d.folder)
	if remembered.Domain != "" {
		same += " --domain " + remembered.Domain
	} else if remembered.Ports.Identity != DefaultPort {
		same += fmt.Sprintf(" --port %d", remembered.Ports.Identity)
	}
	return fmt.Errorf("the folder %s was made for %s, not for %s: start it as it was made (%s), choose another folder with --dir, or start over with %s dev reset%s",
		d.folder, remembered.Issuer, issuer, same, d.config.Search.Command, d.config.Search.dirFlag(d.folder))
}

// portTaken names a platform that runs elsewhere where it is that which has
// the port.
func (d *Dev) portTaken(ctx context.Context, err error) error {
	taken, ok := errors.AsType[*portTaken](err)
	registry, registryErr := openRegistry(d.config.Search.Environment)
	if !ok || registryErr != nil {
		return err
	}
	for _, running := range registry.running(ctx) {
		for _, address := range running.Status.Addresses {
			if strings.HasSuffix(address, fmt.Sprintf(":%d", taken.port)) {
				return fmt.Errorf("%w, or let both run with --port 0", d.alreadyRuns(running))
			}
		}
	}
	return err
}

// validDomain accepts a host name in lower case with at least two labels.
func validDomain(domain string) error {
	if domain == "" {
		return nil
	}
	parsed, err := url.Parse("https://" + domain)
	if err != nil || parsed.Host != domain || !strings.Contains(domain, ".") || domain != strings.ToLower(domain) ||
		strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") || parsed.Port() != "" || net.ParseIP(domain) != nil {
		return fmt.Errorf("%q is not a domain: give one such as platform.loop.health", domain)
	}
	return nil
}

func (d *Dev) openPlatform(ctx context.Context) error {
	master, err := openMaster(d.folder, d.config.World)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: clientTimeout}
	if d.config.Domain != "" {
		if err := d.prepareNames(); err != nil {
			return err
		}
		client = d.names.client
	}
	d.inbox = NewInbox(d.config.World)
	d.platform, err = d.config.Open(ctx, Opening{
		Mail:   d.inbox,
		Folder: d.folder, Identity: d.layout.identity, Clinical: d.layout.clinical, Developers: d.layout.developers,
		Master: master, World: d.config.World, Log: d.config.Log, HTTP: client,
	})
	if err != nil {
		return err
	}
	d.opened(d.platform.Close)
	return nil
}

// serve puts a server behind every listener.
func (d *Dev) serve(context.Context) error {
	handlers := map[string]http.Handler{"inbox": d.inbox.Handler()}
	if d.names == nil {
		handlers["identity"], handlers["clinical"], handlers["developers"] = d.platform.Hosts()
	} else {
		d.serveNames()
	}
	if d.layout.quickstart {
		var err error
		if handlers["quickstart"], err = d.config.NewQuickstart(d.layout.identity, d.layout.clinical, d.Seed); err != nil {
			return fmt.Errorf("the quickstart: %w", err)
		}
	}
	d.opened(d.shutDown)
	for name, handler := range handlers {
		server := d.server(handler)
		for _, listener := range d.layout.listeners[name] {
			d.run(name, func() error { return server.Serve(listener) })
		}
	}
	return nil
}

func (d *Dev) server(handler http.Handler) *http.Server {
	server := web.NewServer(handler, d.config.Log)
	d.servers = append(d.servers, server)
	return server
}

// run serves in the background; that it ends by itself ends the platform.
func (d *Dev) run(name string, serve func() error) {
	go func() {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			select {
			case d.failed <- fmt.Errorf("serving %s: %w", name, err):
			default: // one failure is enough to stop
			}
		}
	}()
}

// drainTime is how long requests may take to end when the platform stops.
const drainTime = 5 * time.Second

// shutDown lets requests end and then closes every connection.
func (d *Dev) shutDown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	done := make(chan struct{})
	for _, server := range d.servers {
		go func() {
			if server.Shutdown(ctx) != nil {
				_ = server.Close()
			}
			done <- struct{}{}
		}()
	}
	for range d.servers {
		<-done
	}
	return nil
}

// openSocket lets other commands reach the platform.
func (d *Dev) openSocket(ctx context.Context) error {
	status := admin.Status{StartedAt: d.startedAt, Version: d.config.Version, PID: os.Getpid(), Domain: d.config.Domain, Addresses: d.layout.addresses()}
	server, err := admin.Listen(ctx, d.folder, status, d.platform.Commands(), d.config.Log)
	if err != nil {
		return err
	}
	d.admin = server
	d.opened(func(context.Context) error { return server.Drain() })
	return nil
}

// register lets it be found from other folders. Where that can't be noted, it is
// found from its own.
func (d *Dev) register(context.Context) error {
	registry, err := openRegistry(d.config.Search.Environment)
	if err == nil {
		err = registry.add(d.folder)
	}
	if err != nil {
		d.config.Log.Warn("other folders will not find this platform", "cause", err)
		return nil
	}
	d.opened(func(context.Context) error { _ = registry.remove(d.folder); return nil })
	return nil
}

// Addresses are what is served where.
func (d *Dev) Addresses() map[string]string { return d.layout.addresses() }

// Wait returns when the platform is to stop: ctx ended, somebody asked for it
// (nil), or a server failed.
func (d *Dev) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.admin.Stopping():
		return nil
	case err := <-d.failed:
		return err
	}
}

// Close stops what Start opened, in reverse, and then answers those who asked for
// the stop.
func (d *Dev) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // the interrupt that ends the platform does not end its end
	var faults []error
	for len(d.closers) > 0 {
		last := len(d.closers) - 1
		closer := d.closers[last]
		d.closers = d.closers[:last]
		faults = append(faults, closer(ctx))
	}
	if d.admin != nil {
		faults = append(faults, d.admin.Close(ctx))
	}
	return errors.Join(faults...)
}

// relative gives a path as it is typed from the working folder, where it is
// beneath.
func (s Search) relative(path string) string {
	short, err := filepath.Rel(s.WorkingDir, path)
	if err != nil || strings.HasPrefix(short, "..") {
		return path
	}
	return short
}
