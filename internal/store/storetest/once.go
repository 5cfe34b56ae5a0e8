package storetest

import (
	"errors"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
)

// What works once, and what must not outlive its end, however many try at a time.

// winners runs an act many times at once and counts the runs without an error;
// every other must end with an error that is expected.
func winners(t *testing.T, expected func(error) bool, act func() error) int32 {
	t.Helper()
	var (
		won atomic.Int32
		all sync.WaitGroup
	)
	for range 50 {
		all.Go(func() {
			switch err := act(); {
			case err == nil:
				won.Add(1)
			case !expected(err):
				t.Error(err)
			}
		})
	}
	all.Wait()
	return won.Load()
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// oneAssertion: RFC 7523 §3, an assertion's jti is good once for its client.
func oneAssertion(t *testing.T, f *fixture) {
	hash, until := [32]byte{7}, f.world.Now().Add(time.Minute)
	use := func(client loop.ClientID, hash [32]byte) error {
		return f.store.UseAssertion(t.Context(), client, hash, until)
	}
	if won := winners(t, is(clientauth.ErrUsed), func() error { return use(f.client.ID, hash) }); won != 1 {
		t.Errorf("%d used one assertion", won)
	}
	must(t, use("client_other", hash))
	must(t, use(f.client.ID, [32]byte{8}))
}

// onePushed: RFC 9126 §7.3, a pushed request is answered once.
func onePushed(t *testing.T, f *fixture) {
	pushed := &oauth.PushedRequest{
		Hash: [32]byte{9}, Client: f.client.ID, Key: "thumbprint",
		Parameters: url.Values{"scope": {"openid"}, "resource": {"https://a.example", "https://b.example"}}, ExpiresAt: f.world.Now().Add(time.Minute),
	}
	must(t, f.store.AddPushedRequest(t.Context(), pushed))
	read := func(want *oauth.PushedRequest) {
		t.Helper()
		got, err := f.store.PushedRequest(t.Context(), pushed.Hash)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("it differs (-want +found):\n%s", diff)
		}
	}
	read(pushed)
	answeredBefore := func(err error) bool { return loop.AsError(err).Code == loop.InvalidRequestURI }
	won := winners(t, answeredBefore, func() error {
		return f.store.Decide(t.Context(), f.subject(""), func(oauth.State) (oauth.Change, error) {
			return oauth.Change{Completes: pushed.Hash[:]}, nil
		})
	})
	if won != 1 {
		t.Errorf("%d answered one pushed request", won)
	}
	answered, err := f.store.PushedRequest(t.Context(), pushed.Hash)
	must(t, err)
	if answered.CompletedAt.IsZero() {
		t.Error("it is not noted that it was answered")
	}
	if _, err := f.store.PushedRequest(t.Context(), [32]byte{}); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("one that nobody pushed: %v, want ErrNotFound", err)
	}
}

// oneRotates: of many that refresh one generation, one does; the others find it
// gone.
func oneRotates(t *testing.T, f *fixture) {
	id := f.start(t, 0, 1)
	won := winners(t, is(errRefused), func() error {
		return f.store.Decide(t.Context(), f.subject(id), func(st oauth.State) (oauth.Change, error) {
			if st.Chain.Generation != 1 {
				return oauth.Change{}, errRefused
			}
			next := *st.Chain
			next.Generation++
			return oauth.Change{Chain: &next}, nil
		})
	})
	if got := f.read(t, id).Generation; won != 1 || got != 2 {
		t.Errorf("%d refreshed it, and its generation is %d", won, got)
	}
}

// revokesAmongRefreshes: while many refresh, the grant is revoked. Nobody who
// decides afterwards finds grant or chain alive, and no refresh brings it back.
func revokesAmongRefreshes(t *testing.T, f *fixture) {
	id := f.start(t, 0, 1)
	var revoked atomic.Bool
	refresh := func() error {
		after := revoked.Load()
		return f.store.Decide(t.Context(), f.subject(id), func(st oauth.State) (oauth.Change, error) {
			live := st.Grant.Live(f.world.Now()) && st.Chain.EndedAt.IsZero()
			if after && live {
				t.Error("the revocation is answered, and a refresh finds the chain alive")
			}
			if !live {
				return oauth.Change{}, errRefused
			}
			next := *st.Chain
			next.Generation++
			return oauth.Change{Chain: &next}, nil
		})
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				switch err := refresh(); {
				case errors.Is(err, errRefused):
					return
				case err != nil:
					t.Error(err)
					return
				}
			}
		})
	}
	must(t, f.store.Decide(t.Context(), oauth.Subject{Grant: f.grant.ID}, func(st oauth.State) (oauth.Change, error) {
		ended := *st.Grant
		ended.RevokedAt = f.world.Now()
		return oauth.Change{Grant: &ended, Revoke: []loop.Revocation{oauth.NewRevocation(f.world, loop.RevokeGrant, string(f.grant.ID))}}, nil
	}))
	revoked.Store(true)
	all.Wait()
	if chain := f.read(t, id); chain.Ending != loop.EndingRevoked {
		t.Errorf("afterwards the chain is %+v", chain)
	}
}
