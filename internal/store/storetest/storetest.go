// Package storetest is the contract of a store as a suite: what the rooms that
// declare the interfaces rely on, whatever the engine. Every engine passes it.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/webhook"
)

// Store is everything that identity's rules need kept, and what is asked of it
// besides: by operators, the portal and the sweep.
type Store interface {
	oauth.Ledger
	clientauth.Assertions
	oauth.PushedRequests
	outbox.Store
	webhook.DeliveryStore
	webhook.Health
	oauth.Epochs
	member.Store
	signin.Store
	signin.PasskeyStore
	signin.FactorStore
	registration.Store
	registration.Pictures
	credential.KeyStore
	requestlog.Store
	operator.Store
	Sweep(ctx context.Context, now time.Time) error
	Backlog(ctx context.Context, now time.Time) (map[string]int64, error)
	Waiting(ctx context.Context) (map[outbox.Kind]outbox.Waiting, error)
	Members(ctx context.Context) ([]*loop.Member, error)
	Clients(ctx context.Context) ([]*loop.Client, error)
	Grants(ctx context.Context, member loop.MemberID) ([]*loop.Grant, error)
	Receipts(ctx context.Context, member loop.MemberID, grant loop.GrantID, atMost int) ([]loop.Receipt, error)
	EndPortalSession(ctx context.Context, hash [32]byte, expiresAt time.Time) error
	PortalSessionEnded(ctx context.Context, session, signIn [32]byte) (bool, error)
	BeginVisit(ctx context.Context, member loop.MemberID, at time.Time) (time.Time, error)
}

// Run runs the suite; open gives an empty store that ends with the test.
func Run(t *testing.T, open func(t *testing.T) (Store, loop.World)) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *fixture){
		"a decision that changes nothing leaves nothing":          nothing,
		"a refusal keeps the change that came with it":            refusalWithChange,
		"of many that start one chain, one finds it not there":    oneStarts,
		"a new chain ends those beyond what is kept":              keeps,
		"of chains that begin at one moment, the new one stays":   keepsNew,
		"a revoked grant ends its chains":                         revokes,
		"what a grant loses, its chains lose for good":            narrows,
		"the picture of an app stays until the next is there":     keepsPictures,
		"a change of an app writes its messages":                  sendsOnChange,
		"a grant ends when the member chose":                      endsWhenChosen,
		"what a member was shown is kept with their answer":       keepsReceipts,
		"a decision finds the grant that its subject means":       whichGrant,
		"a chain reads as it was written":                         readsChain,
		"a client reads as it was written":                        readsClient,
		"a client that registered itself is found unused":         findsUnused,
		"a client that nobody kept is kept with its grant":        keepsWithGrant,
		"after a change nobody sees the client from before":       changesClient,
		"a change of a client that fails changes nothing":         changesNothing,
		"of many that add an app, as many do as there is room":    addsWhileThereIsRoom,
		"a form does its act once":                                oneForm,
		"what happened to an app is read newest first":            readsClientRecords,
		"an address has one account":                              oneAccount,
		"a suspended member starts no session":                    noSession,
		"the apps of a suspended member stop until reinstated":    stopsApps,
		"no app outlives its developer's suspension":              stopsAppsAmongOthers,
		"a member has so many sessions, and the oldest ends":      sessionsAtMost,
		"of changes that build on the same keys, one wins":        oneChangesKeys,
		"a change of keys is whole or not at all":                 allKeysOrNone,
		"of many that use one assertion, one does":                oneAssertion,
		"of many that answer one pushed request, one does":        onePushed,
		"of many that refresh one generation, one does":           oneRotates,
		"no refresh outlives a revocation":                        revokesAmongRefreshes,
		"a new epoch ends what was given":                         beginsEpoch,
		"the end of a session is a message to each app, once":     onceForEachApp,
		"a suspended member's sessions end with their messages":   endsWithMessages,
		"an act that is undone leaves no message":                 noMessageOfNothing,
		"of many that claim at once, each gets its own":           claimsOnce,
		"a claim that was lost settles nothing":                   losesClaim,
		"a claim that is over is another's":                       claimsAgain,
		"messages with one order key follow each other":           ordersByKey,
		"a destination has so many claims and no more":            boundsDestination,
		"a destination that is behind holds up no other":          holdsUpNobody,
		"what waits to be sent again is not claimed":              waitsToBeDue,
		"of a kind that nobody sends, nothing is claimed":         claimsItsKind,
		"what is on its way is counted by kind":                   countsWaiting,
		"webhooks are part of their client":                       keepsWebhooks,
		"deliveries to a webhook are listed by what they came to": listsDeliveries,
		"a delivery is sent again from the beginning":             resendsWebhooks,
		"a webhook fails since its last success":                  tellsFailure,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, world := open(t)
			test(t, newFixture(t, store, world))
		})
	}
	for _, part := range []map[string]func(*testing.T, *fixture){people, passkeys, factors, links, lists, requests, sweeps, failures, deletions, operators} {
		for name, test := range part {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				store, world := open(t)
				test(t, newFixture(t, store, world))
			})
		}
	}
}

// fixture is a member, a client and the member's live grant to it.
type fixture struct {
	store  Store
	world  loop.World
	member *loop.Member
	client *loop.Client
	grant  *loop.Grant
}

func newFixture(t *testing.T, store Store, world loop.World) *fixture {
	t.Helper()
	now := world.Now()
	f := &fixture{store: store, world: world}
	f.member = &loop.Member{ID: loop.NewMemberID(world), Name: "Ada", Email: "ada@members.example", Locale: "en", CreatedAt: now, UpdatedAt: now}
	f.client = registration.New()
	f.client.ID, f.client.Name, f.client.RedirectURIs = loop.NewClientID(world), "Morning Labs", []loop.RedirectURI{"https://app.example.com/cb"}
	f.client.CreatedAt, f.client.UpdatedAt = now, now
	f.grant = &loop.Grant{ID: loop.NewGrantID(world), Member: f.member.ID, Client: f.client.ID, Scopes: f.client.AllowedScopes, CreatedAt: now, UpdatedAt: now}
	must(t, store.AddMember(t.Context(), f.member, "hash", nil, f.record()))
	must(t, store.AddClient(t.Context(), f.client, registration.Terms{}, f.record()))
	must(t, store.Decide(t.Context(), f.subject(""), func(st oauth.State) (oauth.Change, error) {
		if st.Grant != nil || st.Member == nil || st.Client == nil {
			t.Errorf("the first decision finds %+v", st)
		}
		return oauth.Change{Grant: f.grant}, nil
	}))
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fixture) record() audit.Record {
	return audit.Record{At: f.world.Now(), Event: audit.ClientUpdated, Actor: audit.Actor{Kind: audit.BySystem}}
}

func (f *fixture) subject(chain loop.ChainID) oauth.Subject {
	return oauth.Subject{Member: f.member.ID, Client: f.client.ID, Chain: chain}
}

func (f *fixture) chain(id loop.ChainID, createdAt time.Time) *loop.Chain {
	return &loop.Chain{
		ID: id, Grant: f.grant.ID, Member: f.member.ID, Client: f.client.ID, Scopes: f.grant.Scopes, Generation: 1,
		Authentication: loop.Authentication{At: createdAt, Methods: loop.ByPassword}, RotatedAt: createdAt, CreatedAt: createdAt, IdleExpiresAt: createdAt.Add(loop.RefreshTokenIdle),
	}
}

// read gives a chain as it is stored.
func (f *fixture) read(t *testing.T, id loop.ChainID) (chain *loop.Chain) {
	t.Helper()
	must(t, f.store.Decide(t.Context(), f.subject(id), func(st oauth.State) (oauth.Change, error) {
		chain = st.Chain
		return oauth.Change{}, nil
	}))
	return chain
}

var errRefused = errors.New("refused")

func nothing(t *testing.T, f *fixture) {
	err := f.store.Decide(t.Context(), f.subject(""), func(oauth.State) (oauth.Change, error) { return oauth.Change{}, errRefused })
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	grant, err := f.store.LiveGrant(t.Context(), f.member.ID, f.client.ID)
	if err != nil || !grant.UpdatedAt.Equal(f.grant.UpdatedAt) {
		t.Errorf("the grant is %+v, %v", grant, err)
	}
}

func refusalWithChange(t *testing.T, f *fixture) {
	revoked := *f.grant
	revoked.RevokedAt = f.world.Now()
	err := f.store.Decide(t.Context(), f.subject(""), func(oauth.State) (oauth.Change, error) { return oauth.Change{Grant: &revoked}, errRefused })
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	if grant, err := f.store.LiveGrant(t.Context(), f.member.ID, f.client.ID); err != nil || grant != nil {
		t.Errorf("the grant lives: %+v, %v", grant, err)
	}
}

func oneStarts(t *testing.T, f *fixture) {
	id := loop.NewChainID(f.world)
	var (
		started atomic.Int32
		all     sync.WaitGroup
	)
	for range 50 {
		all.Go(func() {
			err := f.store.Decide(t.Context(), oauth.Subject{Member: f.member.ID, Client: f.client.ID, Grant: f.grant.ID, Chain: id}, func(st oauth.State) (oauth.Change, error) {
				if st.Chain != nil {
					return oauth.Change{}, errRefused
				}
				started.Add(1)
				return oauth.Change{Chain: f.chain(id, f.world.Now()), Keep: 1}, nil
			})
			if err != nil && !errors.Is(err, errRefused) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if started.Load() != 1 {
		t.Errorf("%d started the chain", started.Load())
	}
}

// start starts a chain a while after the fixture was made.
func (f *fixture) start(t *testing.T, after time.Duration, keep int) loop.ChainID {
	t.Helper()
	id := loop.NewChainID(f.world)
	must(t, f.store.Decide(t.Context(), f.subject(id), func(oauth.State) (oauth.Change, error) {
		return oauth.Change{Chain: f.chain(id, f.grant.CreatedAt.Add(after)), Keep: keep}, nil
	}))
	return id
}

func keeps(t *testing.T, f *fixture) {
	first, second, third := f.start(t, 0, 2), f.start(t, time.Second, 2), f.start(t, 2*time.Second, 2)
	for id, want := range map[loop.ChainID]loop.Ending{first: loop.EndingReplaced, second: "", third: ""} {
		if got := f.read(t, id).Ending; got != want {
			t.Errorf("a chain's ending is %q, want %q", got, want)
		}
	}
}

// keepsNew: two chains of one moment, whichever of their ids sorts first, as where
// the clock stands because the machine's was set back.
func keepsNew(t *testing.T, f *fixture) {
	ids := []loop.ChainID{"chain_c", "chain_a", "chain_b"}
	for i, id := range ids {
		must(t, f.store.Decide(t.Context(), f.subject(id), func(oauth.State) (oauth.Change, error) {
			return oauth.Change{Chain: f.chain(id, f.grant.CreatedAt), Keep: 1}, nil
		}))
		for j, before := range ids[:i+1] {
			if got := f.read(t, before).Ending; (got == "") != (i == j) {
				t.Errorf("%s has begun, and the ending of %s is %q", id, before, got)
			}
		}
	}
}

func revokes(t *testing.T, f *fixture) {
	id := f.start(t, 0, 1)
	revoked := *f.grant
	revoked.RevokedAt = f.world.Now()
	must(t, f.store.Decide(t.Context(), oauth.Subject{Grant: f.grant.ID}, func(oauth.State) (oauth.Change, error) {
		return oauth.Change{Grant: &revoked, Revoke: []loop.Revocation{oauth.NewRevocation(f.world, loop.RevokeGrant, string(f.grant.ID))}}, nil
	}))
	must(t, f.store.Decide(t.Context(), f.subject(id), func(st oauth.State) (oauth.Change, error) {
		if st.Chain.Ending != loop.EndingRevoked || st.Grant.Live(f.world.Now()) || st.Counter != 1 {
			t.Errorf("afterwards: %+v, %+v, counter %d", st.Chain, st.Grant, st.Counter)
		}
		return oauth.Change{}, nil
	}))
}

// narrows: a chain never gains scopes from a later consent.
func narrows(t *testing.T, f *fixture) {
	id := f.start(t, 0, 1)
	for _, allowed := range []loop.Scopes{f.grant.Scopes, loop.NewScopes(loop.ScopeOpenID, loop.ScopeReadBiomarkers), loop.NewScopes(loop.ScopeOpenID), f.grant.Scopes} {
		changed := *f.grant
		changed.Scopes = allowed
		want := f.read(t, id)
		want.Scopes = want.Scopes.And(allowed)
		must(t, f.store.Decide(t.Context(), f.subject(""), func(oauth.State) (oauth.Change, error) { return oauth.Change{Grant: &changed}, nil }))
		if diff := cmp.Diff(want, f.read(t, id)); diff != "" {
			t.Errorf("after a consent to %s the chain differs (-want +found):\n%s", allowed, diff)
		}
	}
}

func whichGrant(t *testing.T, f *fixture) {
	ended, id := f.grant, f.start(t, 0, 1)
	revoked := *ended
	revoked.RevokedAt = f.world.Now()
	must(t, f.store.Decide(t.Context(), f.subject(""), func(oauth.State) (oauth.Change, error) { return oauth.Change{Grant: &revoked}, nil }))
	live := *ended
	live.ID = loop.NewGrantID(f.world)
	must(t, f.store.Decide(t.Context(), f.subject(""), func(oauth.State) (oauth.Change, error) { return oauth.Change{Grant: &live}, nil }))

	m, c := f.member.ID, f.client.ID
	for name, test := range map[string]struct {
		subject oauth.Subject
		want    loop.GrantID // empty: none
		chain   bool
		nobody  bool // neither member nor client is found
	}{
		"the chain's own, whatever else is named":  {subject: oauth.Subject{Member: m, Client: c, Grant: live.ID, Chain: id}, want: ended.ID, chain: true},
		"the named one where the chain is not yet": {subject: oauth.Subject{Member: m, Client: c, Grant: ended.ID, Chain: "code_none"}, want: ended.ID},
		"the live one where neither is there":      {subject: oauth.Subject{Member: m, Client: c, Chain: "code_none"}, want: live.ID},
		"the named one by its id alone":            {subject: oauth.Subject{Grant: ended.ID}, want: ended.ID},
		"the live one of member and client":        {subject: oauth.Subject{Member: m, Client: c}, want: live.ID},
		"none that is named and not there":         {subject: oauth.Subject{Member: m, Client: c, Grant: "grant_none"}},
		"none for another client":                  {subject: oauth.Subject{Member: "user_none", Client: "client_none"}, nobody: true},
		"no other member's chain":                  {subject: oauth.Subject{Member: "user_none", Client: "client_none", Chain: id}, nobody: true},
	} {
		must(t, f.store.Decide(t.Context(), test.subject, func(st oauth.State) (oauth.Change, error) {
			var got loop.GrantID
			if st.Grant != nil {
				got = st.Grant.ID
			}
			if got != test.want || (st.Chain != nil) != test.chain || (st.Member == nil) != test.nobody || (st.Client == nil) != test.nobody {
				t.Errorf("%s: found %+v", name, st)
			}
			return oauth.Change{}, nil
		}))
	}
}

func readsChain(t *testing.T, f *fixture) {
	want := f.chain(loop.NewChainID(f.world), f.world.Now())
	want.Session, want.Generation, want.KeyID, want.Salt = loop.NewSessionID(f.world), 7, 3, [16]byte{1, 2, 3}
	want.RotatedBy, want.RotatedFor = loop.NewRequestID(f.world), f.grant.Scopes
	want.AskedFor = loop.ScopeRequest{Own: loop.NewScopes(loop.ScopeOpenID, loop.ScopeEmail), Offline: true}
	must(t, f.store.Decide(t.Context(), f.subject(want.ID), func(oauth.State) (oauth.Change, error) { return oauth.Change{Chain: want, Keep: 1}, nil }))
	for how, got := range map[string]*loop.Chain{"decided on": f.read(t, want.ID), "read": f.readOnly(t, want.ID)} {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, it differs (-written +found):\n%s", how, diff)
		}
	}
	for member, id := range map[loop.MemberID]loop.ChainID{f.member.ID: "code_none", "user_none": want.ID} {
		if chain, err := f.store.Chain(t.Context(), member, id); !errors.Is(err, loop.ErrNotFound) {
			t.Errorf("got %+v, %v, want ErrNotFound", chain, err)
		}
	}
}

func (f *fixture) readOnly(t *testing.T, id loop.ChainID) *loop.Chain {
	t.Helper()
	chain, err := f.store.Chain(t.Context(), f.member.ID, id)
	must(t, err)
	return chain
}

func readsClient(t *testing.T, f *fixture) {
	must(t, f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		c.BAA = &loop.BAA{SignedOn: f.world.Now(), By: "an operator"}
		was := c.Shown()
		c.Appearance = loop.Appearance{ChangedAt: f.world.Now(), HostsSince: map[string]time.Time{"app.example.com": f.world.Now()}, Verified: &was}
		c.Secrets = []loop.ClientSecret{{Hash: [32]byte{1}, CreatedAt: f.world.Now()}}
		f.client = c.Clone()
		return nil, nil, nil
	}))
	for range 2 { // what a store keeps at hand is the same
		f.finds(t, f.client)
	}
	if c, err := f.store.Client(t.Context(), "client_none"); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("got %+v, %v, want ErrNotFound", c, err)
	}
}

// finds checks the client, for a reader and for a decision.
func (f *fixture) finds(t *testing.T, want *loop.Client) {
	t.Helper()
	got, err := f.store.Client(t.Context(), want.ID)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a reader finds another client (-want +found):\n%s", diff)
	}
	must(t, f.store.Decide(t.Context(), f.subject(""), func(st oauth.State) (oauth.Change, error) {
		if diff := cmp.Diff(want, st.Client); diff != "" {
			t.Errorf("a decision finds another client (-want +found):\n%s", diff)
		}
		return oauth.Change{}, nil
	}))
}

// changesClient: many read and decide while the client changes again and again,
// and every other change fails.
func changesClient(t *testing.T, f *fixture) {
	var (
		answered atomic.Int64 // the grace, in seconds, of the newest change that was answered
		over     atomic.Bool
		all      sync.WaitGroup
	)
	follow := func(read func() (*loop.Client, error)) {
		for !over.Load() {
			least := time.Duration(answered.Load()) * time.Second
			c, err := read()
			if err != nil || c.RefreshGrace < least {
				t.Errorf("a change to %v is answered, and somebody sees %+v, %v", least, c, err)
				return
			}
		}
	}
	for range 4 {
		all.Go(func() { follow(func() (*loop.Client, error) { return f.store.Client(t.Context(), f.client.ID) }) })
		all.Go(func() {
			follow(func() (c *loop.Client, err error) {
				err = f.store.Decide(t.Context(), f.subject(""), func(st oauth.State) (oauth.Change, error) {
					c = st.Client
					return oauth.Change{}, nil
				})
				return c, err
			})
		})
	}
	for i := range int64(100) {
		must(t, f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
			c.RefreshGrace = time.Duration(i+1) * time.Second
			return nil, nil, nil
		}))
		answered.Store(i + 1)
		err := f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
			c.RefreshGrace = 0
			return nil, nil, errRefused
		})
		if !errors.Is(err, errRefused) {
			t.Errorf("got %v", err)
		}
	}
	over.Store(true)
	all.Wait()
}

func changesNothing(t *testing.T, f *fixture) {
	f.finds(t, f.client)
	err := f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{}, func(c *loop.Client) ([]loop.Revocation, []audit.Record, error) {
		c.Name, c.RedirectURIs[0] = "Evening Labs", "https://other.example.com/cb"
		return nil, nil, errRefused
	})
	if !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
	}
	f.finds(t, f.client)
}

func oneAccount(t *testing.T, f *fixture) {
	twin := *f.member
	twin.ID = loop.NewMemberID(f.world)
	if err := f.store.AddMember(t.Context(), &twin, "hash", nil, f.record()); !errors.Is(err, member.ErrAddressTaken) {
		t.Errorf("got %v, want ErrAddressTaken", err)
	}
}

func noSession(t *testing.T, f *fixture) {
	must(t, f.store.ChangeMember(t.Context(), f.member.ID, silent, func(m *loop.Member) (member.Change, error) {
		m.Suspended = true
		return member.Change{}, nil
	}))
	now := f.world.Now()
	session := signin.Session{Hash: [32]byte{1}, ID: loop.NewSessionID(f.world), Member: f.member.ID, Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, SeenAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := f.store.StartSession(t.Context(), signin.Start{Session: session}, silent, f.record()); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if _, err := f.store.Session(t.Context(), session.Hash); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("a session is there: %v", err)
	}
}

func keyOf(id uint32, at time.Time) credential.Key {
	return credential.Key{Slot: credential.Slot{Purpose: credential.ForCodes}, ID: id, Sealed: []byte(fmt.Sprint(id)), CreatedAt: at, SealsFrom: at.Add(time.Minute)}
}

func oneChangesKeys(t *testing.T, f *fixture) {
	_, last, err := f.store.Keys(t.Context())
	must(t, err)
	var (
		won atomic.Int32
		all sync.WaitGroup
	)
	for range 20 {
		all.Go(func() {
			change := credential.KeyChange{Before: last, After: last + 2, Make: []credential.Key{keyOf(last+1, f.world.Now())}}
			switch err := f.store.ChangeKeys(t.Context(), change, []audit.Record{f.record()}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, credential.ErrKeysChanged):
				t.Error(err)
			}
		})
	}
	all.Wait()
	keys, now, err := f.store.Keys(t.Context())
	if err != nil || won.Load() != 1 || len(keys) != 1 || now != last+2 {
		t.Errorf("%d won, %d keys are there, the last change is %d, %v", won.Load(), len(keys), now, err)
	}
}

func allKeysOrNone(t *testing.T, f *fixture) {
	_, last, err := f.store.Keys(t.Context())
	must(t, err)
	first := keyOf(last+1, f.world.Now())
	must(t, f.store.ChangeKeys(t.Context(), credential.KeyChange{Before: last, After: last + 2, Make: []credential.Key{first}}, nil))
	resealed := first
	resealed.Sealed = []byte("anew")
	for name, change := range map[string]credential.KeyChange{
		"a key to delete that is not there":    {Before: last + 2, After: last + 3, Reseal: []credential.Key{resealed}, Drop: []uint32{last + 9}},
		"a key to seal anew that is not there": {Before: last + 2, After: last + 3, Drop: []uint32{first.ID}, Reseal: []credential.Key{keyOf(last+9, f.world.Now())}},
	} {
		if err := f.store.ChangeKeys(t.Context(), change, nil); !errors.Is(err, credential.ErrKeysChanged) {
			t.Errorf("%s: got %v, want ErrKeysChanged", name, err)
		}
	}
	keys, now, err := f.store.Keys(t.Context())
	if err != nil || now != last+2 || len(keys) != 1 || !bytes.Equal(keys[0].Sealed, first.Sealed) || keys[0].Slot != first.Slot ||
		!keys[0].CreatedAt.Equal(first.CreatedAt) || !keys[0].SealsFrom.Equal(first.SealsFrom) {
		t.Errorf("got %+v, the last change is %d, %v", keys, now, err)
	}
	must(t, f.store.ChangeKeys(t.Context(), credential.KeyChange{Before: last + 2, After: last + 3, Drop: []uint32{first.ID}}, nil))
	if keys, _, err := f.store.Keys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("a deleted key is there: %v, %v", keys, err)
	}
}
