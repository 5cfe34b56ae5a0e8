// Package platform puts the rooms together: stores, keys, rules and hosts, built
// downwards and closed in reverse. It is the one package that knows every
// concrete type, and it holds no rule of its own.
package platform

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/clinical"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/identity"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store/sqlite"
	"github.com/loop-health/loop/internal/web"
)

// Config is what a platform needs.
type Config struct {
	Folder         string // of the state; its lock is held by the caller
	Identity       *url.URL
	Clinical       *url.URL
	Developers     *url.URL
	Master         *credential.Master
	World          loop.World // the machine's; the platform keeps it from running back
	Log            *slog.Logger
	HTTP           *http.Client // by which the portal reaches identity
	SignUpsPerHour int          // from one address
	Unlimited      bool         // for benchmarks: nothing else is limited
	TrustedProxies []netip.Prefix
}

// Platform is the whole system in one process, on SQLite.
type Platform struct {
	Accounts  *member.Accounts
	Clients   *registration.Clients
	OAuth     *oauth.Server
	Catalogue *biomarker.Catalogue
	Importer  *biomarker.Importer

	config  Config
	world   *sqlite.Clock
	store   *sqlite.Identity
	results *sqlite.Clinical
	ring    *credential.Ring
	isNew   bool // its keys were made by this start
	keys    audit.Keys

	databases   []*lanedDatabase // identity's, then clinical's
	checkpoints *audit.Checkpointer

	limits     *limit.Limits // nil: Unlimited
	identity   http.Handler
	clinical   http.Handler
	developers http.Handler

	background sync.WaitGroup
	stop       context.CancelFunc
}

// lanedDatabase is a database with its lane of the audit chain.
type lanedDatabase struct {
	*sqlite.Database
	lane sqlite.Lane
}

// The files of a state folder.
const (
	identityFile    = "identity.db"
	clinicalFile    = "clinical.db"
	checkpointsFile = "audit-checkpoints.jsonl"
)

// Open opens the platform in its folder and starts its background work. An error
// leaves nothing open.
func Open(ctx context.Context, config Config) (*Platform, error) {
	p := &Platform{config: config, world: sqlite.NewClock(config.World, time.Time{})}
	for _, step := range []func(context.Context) error{p.openIdentity, p.openClinical, p.startCheckpoints, p.buildRules, p.buildHosts, p.startBackground} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, p.Close(ctx))
		}
	}
	return p, nil
}

// open opens a database file.
func (p *Platform) open(ctx context.Context, file string, schema fs.FS) (*lanedDatabase, error) {
	database, err := sqlite.Open(ctx, filepath.Join(p.config.Folder, file), schema, p.world, p.config.Log)
	if err != nil {
		return nil, err
	}
	laned := &lanedDatabase{Database: database}
	p.databases = append(p.databases, laned)
	return laned, nil
}

// startLane takes up a database's lane, and keeps the clock from going behind
// what is stored in it.
func (p *Platform) startLane(ctx context.Context, database *lanedDatabase, name string) error {
	lane, err := database.StartAudit(ctx, name, p.keys)
	if err != nil {
		return err
	}
	database.lane = lane
	p.world.Raise(lane.Newest())
	return nil
}

func (p *Platform) openIdentity(ctx context.Context) error {
	database, err := p.open(ctx, identityFile, sqlite.IdentitySchema())
	if err != nil {
		return err
	}
	revocations := oauth.NewRevocations()
	if p.store, err = sqlite.NewIdentity(ctx, database.Database, p.world, revocations); err != nil {
		return err
	}
	ring, signing, isNew, err := keyRing(ctx, p.store, p.world, p.config.Master)
	if err != nil {
		return err
	}
	p.ring, p.isNew = ring, isNew
	p.keys = audit.NewKeys(ring.Derive(credential.ForAudit, "chain"), ring.Derive(credential.ForAudit, "checkpoints"))
	if err := p.startLane(ctx, database, "identity"); err != nil {
		return err
	}
	if isNew {
		if err := recordKeys(ctx, database.Database, p.world); err != nil {
			return err
		}
	}
	p.OAuth = &oauth.Server{
		Issuer: p.config.Identity.String(), World: p.world, Ring: ring, Signing: signing,
		Ledger: p.store, Revocations: revocations, Log: p.config.Log,
	}
	return nil
}

func (p *Platform) openClinical(ctx context.Context) error {
	database, err := p.open(ctx, clinicalFile, sqlite.ClinicalSchema())
	if err != nil {
		return err
	}
	p.results = sqlite.NewClinical(database.Database)
	return p.startLane(ctx, database, "clinical")
}

func (p *Platform) startCheckpoints(context.Context) error {
	lanes := make([]audit.Lane, len(p.databases))
	for i, database := range p.databases {
		lanes[i] = database.lane
	}
	var err error
	p.checkpoints, err = audit.NewCheckpointer(p.keys, p.world, p.config.Log, p.checkpointsPath(), lanes...)
	if err == nil && p.isNew {
		err = p.checkpoints.Make() // from its first moment on, a record without a checkpoint is a record that was robbed of it
	}
	return err
}

func (p *Platform) checkpointsPath() string { return filepath.Join(p.config.Folder, checkpointsFile) }

func (p *Platform) buildRules(context.Context) error {
	var err error
	if p.Catalogue, err = biomarker.NewCatalogue(); err != nil {
		return err
	}
	p.Accounts = &member.Accounts{
		Store: p.store, World: p.world,
		Passwords: credential.NewPasswords(p.world, runtime.NumCPU()),
		Throttle:  member.NewThrottle(p.world, p.config.SignUpsPerHour),
	}
	p.Clients = &registration.Clients{Store: p.store, World: p.world}
	p.Importer = &biomarker.Importer{Catalogue: p.Catalogue, Inbox: p.results, World: p.world}
	return nil
}

// buildHosts mounts the three hosts: the architecture on one page.
func (p *Platform) buildHosts(ctx context.Context) error {
	if !p.config.Unlimited {
		p.limits = limit.New(p.world)
	}
	identityHost, err := identity.New(identity.Config{Site: p.site(p.config.Identity), OAuth: p.OAuth, Accounts: p.Accounts, Ring: p.ring})
	if err != nil {
		return fmt.Errorf("building identity: %w", err)
	}
	p.identity = identityHost.Handler()

	clinicalSite := web.NewSite(p.site(p.config.Clinical))
	clinical.New(clinical.Config{
		Biomarkers: &biomarker.Reader{Catalogue: p.Catalogue, Results: p.results, CursorKey: p.ring.Derive(credential.ForPages, "clinical cursors")},
		Tokens:     p.OAuth,
		Members:    demographics{p.store},
		Clients:    &clientTypes{store: p.store},
		Records:    p.results,
		World:      p.world,
	}).Mount(clinicalSite)
	p.clinical = clinicalSite.Handler()

	p.developers, err = p.buildPortal(ctx)
	return err
}

func (p *Platform) site(public *url.URL) web.Config {
	return web.Config{
		PublicURL: public, Developers: p.config.Developers, World: p.world, Log: p.config.Log,
		Limits: p.limits, TrustedProxies: p.config.TrustedProxies,
	}
}

// demographics is all that clinical may ask of identity.
type demographics struct{ store *sqlite.Identity }

// Sex gives the member's recorded sex (clinical.Members).
func (d demographics) Sex(ctx context.Context, id loop.MemberID) (loop.Sex, error) {
	m, err := d.store.Member(ctx, id)
	if err != nil {
		return "", err
	}
	return m.Sex, nil
}

// clientTypes is all that clinical may ask about apps. A client's type is fixed,
// so each is read once; only clients that exist are remembered. Safe for
// concurrent use.
type clientTypes struct {
	store *sqlite.Identity
	known sync.Map // of loop.ClientType by loop.ClientID
}

// ClientType gives the client's type (clinical.Clients).
func (c *clientTypes) ClientType(ctx context.Context, id loop.ClientID) (loop.ClientType, error) {
	if kind, ok := c.known.Load(id); ok {
		return kind.(loop.ClientType), nil // nothing else is stored
	}
	client, err := c.store.Client(ctx, id)
	if err != nil {
		return "", err
	}
	c.known.Store(client.ID, client.Type)
	return client.Type, nil
}

// Hosts gives the handlers of the three public hosts.
func (p *Platform) Hosts() (identity, clinical, developers http.Handler) {
	return p.identity, p.clinical, p.developers
}

// sweepInterval is how often what has expired is deleted and counted refusals
// become records.
const sweepInterval = 5 * time.Minute

func (p *Platform) startBackground(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.background.Go(func() { p.checkpoints.Run(ctx) })
	p.background.Go(func() { p.sweep(ctx) })
	return nil
}

func (p *Platform) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := p.Sweep(ctx); err != nil && ctx.Err() == nil {
				p.config.Log.Error("sweeping", "cause", err)
			}
		}
	}
}

// Sweep deletes what has expired and turns the refusals of past hours into
// records. The platform does it by itself, every five minutes.
func (p *Platform) Sweep(ctx context.Context) error {
	faults := []error{p.store.Sweep(ctx)}
	for _, database := range p.databases {
		faults = append(faults, database.RecordTallies(ctx, p.world.Now()))
	}
	return errors.Join(faults...)
}

// Close ends the background work, makes the last checkpoint and closes the
// stores.
func (p *Platform) Close(context.Context) error {
	if p.stop != nil {
		p.stop()
		p.background.Wait()
	}
	var faults []error
	for _, database := range p.databases {
		faults = append(faults, database.Close())
	}
	return errors.Join(faults...)
}
