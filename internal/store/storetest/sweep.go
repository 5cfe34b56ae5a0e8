package storetest

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/signin"
)

// sweeps are the parts of the contract for what expires.
var sweeps = map[string]func(*testing.T, *fixture){
	"a sweep deletes what has expired, and nothing else": sweepsExpired,
	"a sweep deletes more than a transaction may":        sweepsMany,
}

// What stops a replay is kept for a day longer than it could be replayed.
const (
	justKept = -23 * time.Hour
	longGone = -25 * time.Hour
)

// putTwice stores one of each that expires: the first is kept, the second not.
func (f *fixture) putTwice(t *testing.T) (chains [2]loop.ChainID) {
	t.Helper()
	now := f.world.Now()
	for i, old := range []bool{false, true} {
		n, expires, replayable := byte(i+1), now.Add(time.Hour), now.Add(justKept)
		if old {
			expires, replayable = now.Add(-time.Second), now.Add(longGone)
		}
		expired := signin.Session{Hash: [32]byte{n}, ID: loop.NewSessionID(f.world), Member: f.member.ID, Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, SeenAt: now, ExpiresAt: expires}
		idle := expired
		idle.Hash, idle.ExpiresAt = [32]byte{n, n}, now.Add(time.Hour)
		if old {
			idle.SeenAt = now.Add(-signin.SessionIdle - time.Second)
		}
		for _, session := range []signin.Session{expired, idle} {
			must(t, f.store.StartSession(t.Context(), signin.Start{Session: session}, silent, f.record()))
		}
		must(t, f.store.UseAssertion(t.Context(), f.client.ID, [32]byte{n}, replayable))
		must(t, f.store.EndPortalSession(t.Context(), [32]byte{n}, replayable))
		must(t, f.store.AddPushedRequest(t.Context(), &oauth.PushedRequest{Hash: [32]byte{n}, Client: f.client.ID, Parameters: url.Values{}, ExpiresAt: replayable}))
		form := f.newForm(n, f.client.ID)
		form.ExpiresAt = replayable
		must(t, f.store.ChangeClient(t.Context(), f.client.ID, registration.Terms{Form: form}, func(*loop.Client) ([]loop.Revocation, []audit.Record, error) {
			return []loop.Revocation{{Kind: loop.RevokeToken, ID: string(n), ExpiresAt: replayable}}, nil, nil
		}))
		chain := f.chain(loop.NewChainID(f.world), now)
		chain.IdleExpiresAt = replayable
		chains[i] = chain.ID
		must(t, f.store.Decide(t.Context(), f.subject(chain.ID), func(oauth.State) (oauth.Change, error) {
			return oauth.Change{Chain: chain, Keep: 2}, nil
		}))
	}
	return chains
}

func sweepsExpired(t *testing.T, f *fixture) {
	chains := f.putTwice(t)
	backlog, err := f.store.Backlog(t.Context(), f.world.Now())
	must(t, err)
	for _, what := range []string{"sessions", "idle sessions", "assertions", "ended portal sessions", "pushed requests", "sent forms"} {
		if backlog[what] != 1 {
			t.Errorf("%d %s are due to be swept", backlog[what], what)
		}
	}
	for range 2 { // there is nothing left the second time
		must(t, f.store.Sweep(t.Context(), f.world.Now()))
	}
	if backlog, err = f.store.Backlog(t.Context(), f.world.Now()); err != nil {
		t.Fatal(err)
	}
	for what, rows := range backlog {
		if rows != 0 {
			t.Errorf("after a sweep, %d %s are due", rows, what)
		}
	}
	for i, want := range []bool{true, false} {
		if diff := cmp.Diff(stored(want), f.found(t, byte(i+1), chains[i])); diff != "" {
			t.Errorf("of the pair's %d, this is there (-want +found):\n%s", i+1, diff)
		}
	}
}

// stored is what found gives where all of it is there, or nothing.
func stored(all bool) map[string]bool {
	return map[string]bool{"session": all, "idle session": all, "assertion": all, "portal session": all, "pushed request": all, "form": all, "chain": all}
}

// found says what is there of putTwice's n.
func (f *fixture) found(t *testing.T, n byte, chain loop.ChainID) map[string]bool {
	t.Helper()
	there := func(err error) bool {
		if err != nil && !errors.Is(err, loop.ErrNotFound) {
			t.Error(err)
		}
		return err == nil
	}
	_, session := f.store.Session(t.Context(), [32]byte{n})
	_, idle := f.store.Session(t.Context(), [32]byte{n, n})
	_, pushed := f.store.PushedRequest(t.Context(), [32]byte{n})
	_, form := f.store.SentForm(t.Context(), [32]byte{n})
	_, refreshed := f.store.Chain(t.Context(), f.member.ID, chain)
	ended, err := f.store.PortalSessionEnded(t.Context(), [32]byte{n}, [32]byte{})
	must(t, err)
	return map[string]bool{
		"session": there(session), "idle session": there(idle), "pushed request": there(pushed), "form": there(form), "chain": there(refreshed),
		"portal session": ended,
		"assertion":      errors.Is(f.store.UseAssertion(t.Context(), f.client.ID, [32]byte{n}, f.world.Now()), clientauth.ErrUsed),
	}
}

func sweepsMany(t *testing.T, f *fixture) {
	const many = 501 // one more than a transaction sweeps
	var all sync.WaitGroup
	for i := range many {
		hash := [32]byte(fmt.Appendf(nil, "%032d", i))
		all.Go(func() {
			if err := f.store.UseAssertion(t.Context(), f.client.ID, hash, f.world.Now().Add(longGone)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if backlog, err := f.store.Backlog(t.Context(), f.world.Now()); err != nil || backlog["assertions"] != many {
		t.Errorf("%d are due, %v", backlog["assertions"], err)
	}
	must(t, f.store.Sweep(t.Context(), f.world.Now()))
	if backlog, err := f.store.Backlog(t.Context(), f.world.Now()); err != nil || backlog["assertions"] != 0 {
		t.Errorf("after a sweep, %d are due, %v", backlog["assertions"], err)
	}
}
