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
	"github.com/loop-health/loop/internal/inquiry"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/limit/shared"
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
	Role           Role   // empty: RoleAll
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
	LimitStore     string       // redis://…, where all processes count together; empty: each counts for itself
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

	config       Config
	outgoing     *fetch.Client // the one way to servers of others
	world        *loop.Clock
	engine       engine
	revocations  *oauth.Revocations
	shared       sharedStore
	store        identityStore  // nil where the role does not work on it
	results      clinicalStore  // nil where the role does not work on it
	clientMemory clientMemory   // nil where the role works on identity's clients
	asker        *inquiry.Asker // likewise
	secrets      *credential.Keeper
	keys         audit.Keys
	portal       loop.ClientID // its own client at identity

	databases   []named // identity's, then clinical's
	checkpoints *audit.Checkpointer

	limits     *limit.Limits // nil: Unlimited
	limitStore *shared.Store // nil: there is none
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
	for _, step := range []func(context.Context) error{p.refuseUnfinished, p.openState, p.openKeys, p.buildOAuth, p.startCheckpoints, p.buildRules, p.buildHosts, p.startBackground} {
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

// openState opens what the role needs.
func (p *Platform) openState(ctx context.Context) error {
	p.revocations = oauth.NewRevocations()
	st, err := p.engine.open(ctx, p.config.Role, p.revocations)
	p.databases = st.databases
	for _, db := range p.databases {
		if p.config.Metrics != nil {
			db.OnCommit(p.config.Metrics.Commits(db.name))
		}
	}
	p.shared, p.store, p.results, p.clientMemory = st.shared, st.identity, st.clinical, st.clients
	return err
}

// openKeys opens the keys, takes up the audit chain, which is made with one of them,
// and makes the process one of those that serve; only then are keys made.
func (p *Platform) openKeys(ctx context.Context) error {
	var keys credential.KeyStore = keysOfIdentity{p.shared}
	if p.store != nil {
		keys = p.store
	}
	var err error
	if p.secrets, err = credential.OpenKeeper(ctx, keys, p.world, p.config.Master); err != nil {
		return err
	}
	ring := p.secrets.Ring
	p.keys = audit.NewKeys(ring.Derive(credential.ForAudit, "chain"), ring.Derive(credential.ForAudit, "checkpoints"))
	for _, db := range p.databases {
		newest, err := db.StartAudit(ctx, db.name, p.keys)
		if err != nil {
			return err
		}
		p.world.Raise(newest) // the clock does not go behind what is stored
	}
	if err := p.engine.join(ctx, p.readKeys); err != nil {
		return err
	}
	return p.secrets.Begin(ctx)
}

// keysOfIdentity are the keys for a role that reads them and no more.
type keysOfIdentity struct{ sharedStore }

// ChangeKeys refuses (credential.KeyStore).
func (keysOfIdentity) ChangeKeys(context.Context, credential.KeyChange, []audit.Record) error {
	return errors.New("keys are made by identity, and some are missing: start a server with the role identity or all first")
}

func (p *Platform) buildOAuth(context.Context) error {
	p.OAuth = &oauth.Server{
		Issuer: p.config.Identity.String(), OwnResources: []string{p.config.Identity.String(), p.config.Clinical.String()}, Resources: p.config.Resources,
		World: p.world, Ring: p.secrets.Ring, Signing: p.secrets.Signing, Revocations: p.revocations,
		ClientKeys: &oauth.ClientKeys{Fetcher: p.outgoing, World: p.world}, Proofs: oauth.NewProofs(p.world.Now()),
		ClientAuthorities: p.config.ClientAuthorities, Log: p.config.Log,
	}
	if p.store != nil { // else it opens tokens, and decides nothing
		p.OAuth.Ledger, p.OAuth.Assertions, p.OAuth.Pushed, p.OAuth.Logouts, p.OAuth.Epochs = p.store, p.store, p.store, p.store, p.store
	}
	if p.config.IdentityCertificate != nil {
		p.OAuth.CertificateURL = p.config.IdentityCertificate.String()
	}
	return nil
}

func (p *Platform) startCheckpoints(ctx context.Context) error {
	lanes := make([]audit.Lanes, len(p.databases))
	for i, db := range p.databases {
		lanes[i] = db
	}
	var err error
	p.checkpoints, err = audit.NewCheckpointer(ctx, p.keys, p.world, p.config.Log, p.checkpointsPath(), p.revocations.Epoch, lanes...)
	if err == nil {
		err = p.refuseSetBack(ctx)
	}
	if err == nil && p.isFirstStart() {
		err = p.checkpoints.Make(ctx) // from then on, a record without a checkpoint is a record that was robbed of it
	}
	return err
}

// isFirstStart reports whether nothing can have been attested here before: there is
// no state yet, or it is shared and this folder is new to it.
func (p *Platform) isFirstStart() bool {
	return p.secrets.New() || p.config.Database != "" && p.checkpoints.Empty()
}

func (p *Platform) checkpointsPath() string { return filepath.Join(p.config.Folder, checkpointsFile) }

func (p *Platform) buildRules(context.Context) error {
	var err error
	if p.Catalogue, err = biomarker.NewCatalogue(); err != nil {
		return err
	}
	if p.store != nil {
		p.Accounts = &member.Accounts{
			Store: p.store, World: p.world,
			Passwords: credential.NewPasswords(p.world, max(1, runtime.NumCPU()/2)), // the other half is for apps
			Throttle:  member.NewThrottle(p.world, p.config.SignUpsPerHour),
		}
		p.Clients = &registration.Clients{Store: p.store, World: p.world, Outgoing: p.outgoing}
	}
	if p.store == nil {
		p.asker = inquiry.NewAsker(p.config.Identity, p.config.HTTP, p.clientMemory, p.world, p.secrets.Ring)
	}
	if p.results != nil {
		p.Importer = &biomarker.Importer{Catalogue: p.Catalogue, Inbox: p.results, World: p.world}
	}
	return p.startLimits()
}

func (p *Platform) startLimits() error {
	if p.config.Unlimited {
		return nil
	}
	p.limits = limit.New(p.world)
	if p.config.LimitStore == "" {
		return nil
	}
	store, err := shared.Open(p.config.LimitStore, p.config.Log)
	if err != nil {
		return err
	}
	p.limits.ShareBy(store)
	p.limitStore = store
	return nil
}

// buildHosts mounts the hosts of the role: the architecture on one page. Whoever
// works on identity's clients has the portal's among them.
func (p *Platform) buildHosts(ctx context.Context) (err error) {
	if p.store != nil {
		err = p.introducePortal(ctx)
	}
	for _, host := range []struct {
		role  Role
		mount func() (http.Handler, error)
		into  *http.Handler
	}{
		{RoleIdentity, p.buildIdentity, &p.identity},
		{RoleClinical, p.buildClinical, &p.clinical},
		{RoleDevelopers, p.buildPortal, &p.developers},
	} {
		if err == nil && p.config.Role.serves(host.role) {
			if *host.into, err = host.mount(); err != nil {
				err = fmt.Errorf("building %s: %w", host.role, err)
			}
		}
	}
	return err
}

func (p *Platform) buildIdentity() (http.Handler, error) {
	config := identity.Config{Site: p.site("identity", p.config.Identity, p.config.IdentityCertificate), OAuth: p.OAuth, Accounts: p.Accounts, Ring: p.secrets.Ring}
	if p.config.Database != "" { // clinical may run in other processes
		config.Mount = inquiry.NewDesk(p.store, p.Clients, p.world, p.secrets.Ring).Mount
	}
	host, err := identity.New(config)
	if err != nil {
		return nil, err
	}
	return host.Handler(), nil
}

func (p *Platform) buildClinical() (http.Handler, error) {
	site := web.NewSite(p.site("clinical", p.config.Clinical, p.config.ClinicalCertificate))
	config := clinical.Config{
		Biomarkers: &biomarker.Reader{Catalogue: p.Catalogue, Results: p.results, Cursors: credential.Tagger{Ring: p.secrets.Ring, Purpose: credential.ForPages, Label: "clinical cursors"}},
		Tokens:     p.OAuth,
		Records:    p.results,
		World:      p.world,
		Metadata: oauth.ResourceMetadata{
			Resource: p.config.Clinical.String(), AuthorizationServers: []string{p.OAuth.Issuer},
			ScopesSupported: []string{string(loop.ScopeReadBiomarkers)}, BearerMethods: []string{"header"},
			ProofAlgorithms: oauth.ProofAlgorithms(), CertificateBoundTokens: p.config.ClinicalCertificate != nil,
			Name: "Connect with Loop: lab results", Documentation: p.config.Developers.JoinPath("docs", "lab-results").String(),
		},
		SignInMaxAge: p.config.SignInMaxAge,
	}
	if p.store != nil {
		config.Members, config.Clients = demographics{p.store}, p.store
	} else {
		config.Members, config.Clients = p.asker, p.asker
	}
	clinical.New(config).Mount(site)
	return site.Handler(), nil
}

func (p *Platform) site(name string, public, certificate *url.URL) web.Config {
	var observe web.Observe
	if p.config.Metrics != nil {
		observe = p.config.Metrics.Observe(name)
	}
	return web.Config{
		PublicURL: public, CertificateURL: certificate, CertificateHeader: p.config.CertificateHeader, Developers: p.config.Developers, World: p.world, Log: p.config.Log,
		Origins: p.hasOrigin, Limits: p.limits, TrustedProxies: p.config.TrustedProxies, Observe: observe, Live: p.engine.live,
	}
}

// hasOrigin reports whether an enabled app registered an origin.
func (p *Platform) hasOrigin(ctx context.Context, origin string) bool {
	if p.Clients == nil {
		return p.asker.HasOrigin(ctx, origin)
	}
	return p.Clients.HasOrigin(ctx, origin)
}

// demographics is all that clinical may ask of identity, where both run in one
// process.
type demographics struct{ store identityStore }

// Sex gives the member's recorded sex (clinical.Members).
func (d demographics) Sex(ctx context.Context, id loop.MemberID) (loop.Sex, error) {
	m, err := d.store.Member(ctx, id)
	if err != nil {
		return "", err
	}
	return m.Sex, nil
}

// Hosts gives the handlers of the three public hosts; nil for those that the role
// does not serve.
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
	p.keysReadAt.Store(time.Now().UnixNano()) // openKeys has
	p.background.Go(func() { p.checkpoints.Run(ctx) })
	p.background.Go(func() { p.repeat(ctx, sweepInterval, "forgetting what has expired", p.forget) })
	p.background.Go(func() { p.repeat(ctx, keysInterval, "looking after the keys", p.lookAfterKeys) })
	for _, db := range p.databases {
		p.background.Go(func() {
			p.repeat(ctx, sweepInterval, "sweeping "+db.name, p.leading(db.name, func(ctx context.Context) error { return p.sweepRoom(ctx, db) }))
		})
	}
	p.background.Go(func() {
		p.repeat(ctx, logoutInterval, "telling apps of sessions that have ended", p.leading(identityRoom, p.DeliverLogouts))
	})
	return nil
}

// leading does something only in the process that leads work on a room.
func (p *Platform) leading(room string, do func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		if !p.engine.leads(room) {
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
	faults := []error{p.forget(ctx)}
	for _, db := range p.databases {
		faults = append(faults, p.sweepRoom(ctx, db))
	}
	return errors.Join(faults...)
}

func (p *Platform) sweepRoom(ctx context.Context, db named) (err error) {
	if db.name == identityRoom {
		err = p.store.Sweep(ctx)
	}
	return errors.Join(err, db.RecordTallies(ctx, p.world.Now()))
}

// lookAfterKeys rotates the keys where that is this process's to do, and else reads
// what others have made of them.
func (p *Platform) lookAfterKeys(ctx context.Context) error {
	if p.engine.leads(identityRoom) {
		return p.RotateKeys(ctx)
	}
	return p.readKeys(ctx)
}

// RotateKeys does what the schedule of the keys asks for. The platform does it by
// itself, every minute.
func (p *Platform) RotateKeys(ctx context.Context) error {
	if err := p.secrets.Rotate(ctx); err != nil {
		return err
	}
	p.keysReadAt.Store(time.Now().UnixNano())
	return p.setPortalSecrets(ctx)
}

// readKeys takes up what other processes have changed.
func (p *Platform) readKeys(ctx context.Context) error {
	err := p.secrets.Reload(ctx)
	if err == nil {
		p.keysReadAt.Store(time.Now().UnixNano())
	}
	return err
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
	if p.limitStore != nil {
		faults = append(faults, p.limitStore.Close())
	}
	for _, database := range p.databases {
		faults = append(faults, database.Close())
	}
	return errors.Join(faults...)
}
