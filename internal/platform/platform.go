// Package platform puts the rooms together: stores, keys, rules and hosts, built
// downwards and closed in reverse. It is the one package that knows every
// concrete type, and it holds no rule of its own.
package platform

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/fetch"
	"github.com/loop-health/loop/internal/inquiry"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/limit/shared"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/webhook"
)

// Platform is the whole system in one process.
type Platform struct {
	Accounts  *member.Accounts
	Links     *member.Links
	Mailed    *member.Mailed // nil where no mail is sent
	SignIns   *signin.Authenticator
	Clients   *registration.Clients
	OAuth     *oauth.Server // nil where the role does not work on what identity keeps
	Catalogue *biomarker.Catalogue
	Importer  *biomarker.Importer
	Imports   *intake.Keeper // nil where the role does not work on results

	config       Config
	texts        *locale.Texts
	outgoing     *fetch.Client // the one way to servers of others
	world        *loop.Clock
	startedAt    time.Duration // by the world's Elapsed
	clockWrong   atomic.Bool   // it was found so
	engine       engine
	revocations  *oauth.Revocations
	tokens       *oauth.Verifier
	shared       sharedStore
	store        identityStore   // nil where the role does not work on it
	results      clinicalStore   // nil where the role does not work on it
	clientMemory clientMemory    // nil where the role works on identity's clients
	asker        *inquiry.Client // likewise
	tries        signin.Tries    // nil where the role does not work on identity's store
	secrets      *credential.Keeper
	keys         audit.Keys

	memberKeys  *credential.MemberKeys
	closeKeys   func() error // nil: their store is not open
	databases   []named      // identity's, then clinical's
	checkpoints *audit.Checkpointer

	events         *webhook.Composer
	webhookSecrets webhook.Secrets
	deliveries     *webhook.Deliveries // nil where the role does not work on identity's store

	workers  []*outbox.Worker // one for each kind of messages of what the role works on
	requests requestlog.Recorder

	testMembers atomic.Pointer[[]portal.TestMember] // those of a platform on a laptop; nil: there are none

	outage     outage
	limits     *limit.Limits // nil: Unlimited
	limitStore *shared.Store // nil: there is none
	identity   http.Handler
	clinical   http.Handler
	developers http.Handler

	eraser     *member.Eraser      // nil where the role does not work on identity's store
	forgetters []*member.Forgetter // by room, as databases
	forgetting sync.Mutex          // one after the other uses them

	backingUp  sync.Mutex   // one backup at a time
	keysReadAt atomic.Int64 // in nanoseconds since 1970, by the machine's clock
	background sync.WaitGroup
	stop       context.CancelFunc
}

// Open opens the platform in its folder and starts its background work. An error
// leaves nothing open.
func Open(ctx context.Context, config Config) (*Platform, error) {
	p := &Platform{config: config, world: loop.NewClock(config.World), startedAt: config.World.Elapsed()}
	p.outage.ready = p.usable
	p.config.Log = slog.New(quieter{config.Log.Handler(), &p.outage})
	p.outgoing = fetch.New(p.outgoingConfig())
	p.engine = p.chooseEngine()
	started, err := p.engine.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer started()
	for _, step := range []func(context.Context) error{p.refuseUnfinished, p.removeLeftovers, p.openState, p.openKeys, p.buildOAuth, p.startCheckpoints, p.openRequestLog, p.buildRules, p.buildHosts, p.startBackground} {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, p.Close(ctx))
		}
	}
	return p, nil
}

// outgoingConfig says what of others may be asked.
func (p *Platform) outgoingConfig() fetch.Config {
	return fetch.Config{
		AllowedHosts: p.config.FetchHosts, Roots: p.config.FetchRoots,
		OwnHosts: []string{p.config.Identity.Host, p.config.Clinical.Host, p.config.Developers.Host},
	}
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
	if p.closeKeys != nil {
		faults = append(faults, p.closeKeys())
	}
	return errors.Join(faults...)
}
