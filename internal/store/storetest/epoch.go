package storetest

import (
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/signin"
)

// beginsEpoch: what was given before a restore is over, in one act, and the
// counter goes on from the epoch's own.
func beginsEpoch(t *testing.T, f *fixture) {
	first, err := f.store.Epoch(t.Context())
	if err != nil || first.Number != 1 {
		t.Fatalf("the first epoch is %+v, %v", first, err)
	}
	now := f.world.Now()
	must(t, f.store.Decide(t.Context(), f.subject("chain_1"), func(oauth.State) (oauth.Change, error) {
		return oauth.Change{Chain: f.chain("chain_1", now), Keep: 1}, nil
	}))
	must(t, f.store.StartSession(t.Context(), signin.Start{Session: signin.Session{
		Hash: [32]byte{1}, ID: loop.NewSessionID(f.world), Member: f.member.ID, Authentication: loop.Authentication{At: now, Methods: loop.ByPassword}, SeenAt: now, ExpiresAt: now.Add(time.Hour),
	}}, silent, f.record()))

	next := first.Next(loop.Epoch{Number: 7, Counter: 1000})
	rec := audit.Record{At: f.world.Now(), Event: audit.EpochBegun, Actor: audit.Actor{Kind: audit.ByOperator}}
	ended, err := f.store.BeginEpoch(t.Context(), next, "restored", rec)
	if want := (oauth.Ended{Grants: 1, Chains: 1, Sessions: 1}); err != nil || ended != want {
		t.Errorf("it ended %+v, %v", ended, err)
	}
	if at, err := f.store.Epoch(t.Context()); err != nil || at != (loop.Epoch{Number: 8, Counter: 1001}) {
		t.Errorf("the epoch is %+v, %v", at, err)
	}
	if chain := f.read(t, "chain_1"); chain.Ending != loop.EndingRevoked || !chain.EndedAt.Equal(rec.At) {
		t.Errorf("the chain is %+v", chain)
	}
	if grant, err := f.store.LiveGrant(t.Context(), f.member.ID, f.client.ID); grant != nil || err != nil {
		t.Errorf("a grant lives: %+v, %v", grant, err)
	}
	must(t, f.store.Decide(t.Context(), f.subject(""), func(st oauth.State) (oauth.Change, error) {
		if st.Counter != next.Counter {
			t.Errorf("what is issued now carries %d", st.Counter)
		}
		return oauth.Change{Revoke: []loop.Revocation{{Kind: loop.RevokeToken, ID: "at_1", ExpiresAt: now.Add(time.Hour)}}}, nil
	}))
	if at, err := f.store.Epoch(t.Context()); err != nil || at != (loop.Epoch{Number: 8, Counter: 1002}) {
		t.Errorf("after a revocation the epoch is %+v, %v", at, err)
	}
}
