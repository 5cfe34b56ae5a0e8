// Package platform puts the rooms together: stores, keys, rules and hosts, built
// downwards and closed in reverse. It is the one package that knows every
// concrete type, and it holds no rule of its own.
package platform

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/clinical"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/fetch"
	"github.com/loop-health/loop/internal/identity"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/operation"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/web"
)

// Config is what a platform needs.
type Config struct {
	Folder         string // of the state, where that is not in a Database, and of the checkpoints; its lock is held by the caller
	Database       string // postgres://…; empty: SQLite in the folder
	Connections    int    // to the database, of each kind; 0: postgres.DefaultConnections
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

	// Resources are resource servers outside this platform that tokens are made for.
	Resources []loop.Resource
	// IdentityCertificate and ClinicalCertificate are where clients with a
	// certificate reach the two hosts (RFC 8705 §5); nil: nowhere.
	IdentityCertificate, ClinicalCertificate *url.URL
	// CertificateHeader is how trusted proxies hand clients' certificates on;
	// empty: they don't.
	CertificateHeader string
	// ClientAuthorities stand behind the certificates of tls_client_auth; nil: none.
	ClientAuthorities *x509.CertPool
	// FetchHosts are the hosts that may be fetched from at loopback addresses,
	// without TLS; MUST be empty where strangers can register apps.
	FetchHosts []string
	// FetchRoots vouch for the servers that are fetched from; nil: the system's.
	FetchRoots *x509.CertPool
	// SignInMaxAge is how old a member's sign-in may be when an app reads health
	// data (RFC 9470); 0: any age.
	SignInMaxAge time.Duration

	// SetBack opens a state that is older than what was seen of it; a new epoch
	// MUST begin before anything is served (BeginEpoch).
	SetBack bool
	// Metrics measures requests and commits; nil: nobody does.
	Metrics *operation.Metrics
}

// Platform is the whole system in one process.
type Platform struct {
	Accounts  *member.Accounts
	Clients   *registration.Clients
	OAuth     *oauth.Server
	Catalogue *biomarker.Catalogue
	Importer  *biomarker.Importer

	config   Config
	outgoing *fetch.Client // the one way to servers of others
	world    *loop.Clock
	engine   engine
	store    identityStore
	results  clinicalStore
	secrets  *credential.Keeper
	keys     audit.Keys
	portal   loop.ClientID // its own client at identity

	databases   []named // identity's, then clinical's
	checkpoints *audit.Checkpointer

	limits     *limit.Limits // nil: Unlimited
	identity   http.Handler
	clinical   http.Handler
	developers http.Handler

	backingUp  sync.Mutex   // one backup at a time
	keysReadAt atomic.Int64 // in nanoseconds since 1970, by the machine's clock
	background sync.WaitGroup
	stop       context.CancelFunc
}

// checkpointsFile is where the checkpoints of the audit chain are, in the folder.
const checkpointsFile = "audit-checkpoints.jsonl"

// Open opens the platform in its folder and starts its background work. An error
// leaves nothing open.
func Open(ctx context.Context, config Config) (*Platform, error) {
	p := &Platform{config: config, world: loop.NewClock(config.World, time.Time{})}
	p.outgoing = fetch.New(fetch.Config{
		AllowedHosts: config.FetchHosts, Roots: config.FetchRoots,
		OwnHosts: []string{config.Identity.Host, config.Clinical.Host, config.Developers.Host},
	})
	p.engine = p.chooseEngine()
	started, err := p.engine.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer started()
	for _, step := range []func(context.Context) error{p.refuseUnfinished, p.openIdentity, p.openClinical, p.startCheckpoints, p.buildRules, p.buildHosts, p.startBackground} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, p.Close(ctx))
		}
	}
	return p, nil
}

func (p *Platform) chooseEngine() engine {
	if p.config.Database == "" {
		return &sqliteEngine{folder: p.config.Folder, world: p.world, log: p.config.Log}
	}
	return &postgresEngine{world: p.world, config: postgres.Config{
		URL: p.config.Database, Connections: p.config.Connections, World: p.world, Log: p.config.Log,
	}}
}

// add makes a database one of the platform's.
func (p *Platform) add(db database, name string) {
	if p.config.Metrics != nil {
		db.OnCommit(p.config.Metrics.Commits(name))
	}
	p.databases = append(p.databases, named{db, name})
}

// startAudit takes up a database's part of the audit chain, and keeps the clock from
// going behind what is stored.
func (p *Platform) startAudit(ctx context.Context, db database, name string) error {
	newest, err := db.StartAudit(ctx, name, p.keys)
	p.world.Raise(newest)
	return err
}

func (p *Platform) openIdentity(ctx context.Context) error {
	revocations := oauth.NewRevocations()
	kept, db, err := p.engine.openIdentity(ctx, revocations)
	if db != nil {
		p.add(db, "identity")
	}
	if err != nil {
		return err
	}
	p.store = kept
	if p.secrets, err = credential.OpenKeeper(ctx, p.store, p.world, p.config.Master); err != nil {
		return err
	}
	ring := p.secrets.Ring
	p.keys = audit.NewKeys(ring.Derive(credential.ForAudit, "chain"), ring.Derive(credential.ForAudit, "checkpoints"))
	if err := p.startAudit(ctx, db, "identity"); err != nil {
		return err
	}
	if err := p.engine.join(ctx, p.secrets.Reload); err != nil {
		return err
	}
	if err := p.secrets.Begin(ctx); err != nil {
		return err
	}
	p.OAuth = &oauth.Server{
		Issuer: p.config.Identity.String(), OwnResources: []string{p.config.Identity.String(), p.config.Clinical.String()}, Resources: p.config.Resources,
		World: p.world, Ring: ring, Signing: p.secrets.Signing,
		Ledger: p.store, Assertions: p.store, Pushed: p.store, Logouts: p.store, Epochs: p.store, Revocations: revocations,
		ClientKeys: &oauth.ClientKeys{Fetcher: p.outgoing, World: p.world}, Proofs: oauth.NewProofs(p.world.Now()),
		ClientAuthorities: p.config.ClientAuthorities, Log: p.config.Log,
	}
	if p.config.IdentityCertificate != nil {
		p.OAuth.CertificateURL = p.config.IdentityCertificate.String()
	}
	return nil
}

func (p *Platform) openClinical(ctx context.Context) error {
	kept, db, err := p.engine.openClinical(ctx)
	if err != nil {
		return err
	}
	p.add(db, "clinical")
	p.results = kept
	return p.startAudit(ctx, db, "clinical")
}

func (p *Platform) startCheckpoints(ctx context.Context) error {
	lanes := make([]audit.Lanes, len(p.databases))
	for i, db := range p.databases {
		lanes[i] = db
	}
	var err error
	p.checkpoints, err = audit.NewCheckpointer(ctx, p.keys, p.world, p.config.Log, p.checkpointsPath(), p.OAuth.Revocations.Epoch, lanes...)
	if err == nil {
		err = p.refuseSetBack(ctx)
	}
	if err == nil && p.secrets.New() {
		err = p.checkpoints.Make(ctx) // from its first moment on, a record without a checkpoint is a record that was robbed of it
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
	p.Clients = &registration.Clients{Store: p.store, World: p.world, Outgoing: p.outgoing}
	p.Importer = &biomarker.Importer{Catalogue: p.Catalogue, Inbox: p.results, World: p.world}
	return nil
}

// buildHosts mounts the three hosts: the architecture on one page.
func (p *Platform) buildHosts(ctx context.Context) error {
	if !p.config.Unlimited {
		p.limits = limit.New(p.world)
	}
	identityHost, err := identity.New(identity.Config{Site: p.site("identity", p.config.Identity, p.config.IdentityCertificate), OAuth: p.OAuth, Accounts: p.Accounts, Ring: p.secrets.Ring})
	if err != nil {
		return fmt.Errorf("building identity: %w", err)
	}
	p.identity = identityHost.Handler()

	clinicalSite := web.NewSite(p.site("clinical", p.config.Clinical, p.config.ClinicalCertificate))
	clinical.New(clinical.Config{
		Biomarkers: &biomarker.Reader{Catalogue: p.Catalogue, Results: p.results, Cursors: credential.Tagger{Ring: p.secrets.Ring, Purpose: credential.ForPages, Label: "clinical cursors"}},
		Tokens:     p.OAuth,
		Members:    demographics{p.store},
		Clients:    p.store,
		Records:    p.results,
		World:      p.world,
		Metadata: oauth.ResourceMetadata{
			Resource: p.config.Clinical.String(), AuthorizationServers: []string{p.OAuth.Issuer},
			ScopesSupported: []string{string(loop.ScopeReadBiomarkers)}, BearerMethods: []string{"header"},
			ProofAlgorithms: oauth.ProofAlgorithms(), CertificateBoundTokens: p.config.ClinicalCertificate != nil,
			Name: "Connect with Loop: lab results", Documentation: p.config.Developers.JoinPath("docs", "lab-results").String(),
		},
		SignInMaxAge: p.config.SignInMaxAge,
	}).Mount(clinicalSite)
	p.clinical = clinicalSite.Handler()

	p.developers, err = p.buildPortal(ctx)
	return err
}

func (p *Platform) site(name string, public, certificate *url.URL) web.Config {
	var observe web.Observe
	if p.config.Metrics != nil {
		observe = p.config.Metrics.Observe(name)
	}
	return web.Config{
		PublicURL: public, CertificateURL: certificate, CertificateHeader: p.config.CertificateHeader, Developers: p.config.Developers, World: p.world, Log: p.config.Log,
		Origins: p.Clients.HasOrigin, Limits: p.limits, TrustedProxies: p.config.TrustedProxies, Observe: observe, Live: p.engine.live,
	}
}

// demographics is all that clinical may ask of identity.
type demographics struct{ store identityStore }

// Sex gives the member's recorded sex (clinical.Members).
func (d demographics) Sex(ctx context.Context, id loop.MemberID) (loop.Sex, error) {
	m, err := d.store.Member(ctx, id)
	if err != nil {
		return "", err
	}
	return m.Sex, nil
}

// Hosts gives the handlers of the three public hosts.
func (p *Platform) Hosts() (identity, clinical, developers http.Handler) {
	return p.identity, p.clinical, p.developers
}

// sweepInterval is how often what has expired is deleted and counted refusals
// become records; keysInterval is how often the keys are looked at.
const (
	sweepInterval = 5 * time.Minute
	keysInterval  = time.Minute
)

func (p *Platform) startBackground(context.Context) error {
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.keysReadAt.Store(time.Now().UnixNano()) // openIdentity has
	p.background.Go(func() { p.checkpoints.Run(ctx) })
	p.background.Go(func() { p.repeat(ctx, sweepInterval, "forgetting what has expired", p.forget) })
	p.background.Go(func() { p.repeat(ctx, sweepInterval, "sweeping", p.leading(p.Sweep)) })
	p.background.Go(func() { p.repeat(ctx, keysInterval, "rotating keys", p.leading(p.RotateKeys)) })
	p.background.Go(func() {
		p.repeat(ctx, logoutInterval, "telling apps of sessions that have ended", p.leading(p.DeliverLogouts))
	})
	return nil
}

// leading does something only in the process that leads.
func (p *Platform) leading(do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if !p.engine.leads() {
			return nil
		}
		return do(ctx)
	}
}

// forget has memory forget the revocations that have expired.
func (p *Platform) forget(context.Context) error {
	p.OAuth.Revocations.Sweep(p.world.Now())
	return nil
}

// repeat does something over and over until ctx ends.
func (p *Platform) repeat(ctx context.Context, every time.Duration, what string, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := do(ctx); err != nil && ctx.Err() == nil {
				p.config.Log.Error(what, "cause", err)
			}
		}
	}
}

// logoutInterval is how soon an app hears that a session of its member has ended.
const logoutInterval = 2 * time.Second

// DeliverLogouts tells apps of sessions that have ended. The platform does it by
// itself, every two seconds.
func (p *Platform) DeliverLogouts(ctx context.Context) error {
	_, err := p.OAuth.DeliverLogouts(ctx, p.outgoing)
	return err
}

// Sweep deletes what has expired and turns the refusals of past hours into
// records. The platform does it by itself, every five minutes.
func (p *Platform) Sweep(ctx context.Context) error {
	faults := []error{p.forget(ctx), p.store.Sweep(ctx)}
	for _, database := range p.databases {
		faults = append(faults, database.RecordTallies(ctx, p.world.Now()))
	}
	return errors.Join(faults...)
}

// RotateKeys does what the schedule of the keys asks for, and takes up what other
// processes have changed. The platform does it by itself, every minute.
func (p *Platform) RotateKeys(ctx context.Context) error {
	if err := p.secrets.Rotate(ctx); err != nil {
		return err
	}
	p.keysReadAt.Store(time.Now().UnixNano())
	return p.setPortalSecrets(ctx)
}

// Close ends the background work, makes the last checkpoint and closes the
// stores.
func (p *Platform) Close(context.Context) error {
	if p.stop != nil {
		p.stop()
		p.background.Wait()
	}
	p.engine.leave()
	var faults []error
	for _, database := range p.databases {
		faults = append(faults, database.Close())
	}
	return errors.Join(faults...)
}
