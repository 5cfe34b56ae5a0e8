package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// passkeys are the parts of the contract for passkeys and what works once.
var passkeys = map[string]func(*testing.T, *fixture){
	"a passkey reads as it was written, and as it is used":    readsPasskey,
	"a passkey that can't be added changes nothing":           refusesPasskey,
	"a proof works once, however many come at once":           usesProofOnce,
	"a browser has one session, however many begin at once":   oneSessionABrowser,
	"a passkey that is removed signs nobody in":               removedPasskey,
	"a member ends one session, or all others":                endsSessions,
	"of passkeys that are added at once, no more than fit in": boundsPasskeys,
}

func (f *fixture) passkey(id string) *signin.Passkey {
	return &signin.Passkey{
		ID: []byte(id), Member: f.member.ID, PublicKey: []byte("key of " + id), Counter: 1<<32 - 2, Synced: true, Name: "My phone", CreatedAt: f.world.Now(),
	}
}

func (f *fixture) spent(n byte) signin.Spent {
	return signin.Spent{Hash: [32]byte{n}, ExpiresAt: f.world.Now().Add(time.Minute)}
}

// signIn is a session that begins by a passkey.
func (f *fixture) signIn(n byte, proof signin.Proof) signin.Start {
	now := f.world.Now()
	return signin.Start{Proof: proof, Session: signin.Session{
		Hash: [32]byte{n}, ID: loop.NewSessionID(f.world), Member: f.member.ID, Authentication: loop.Authentication{At: now, Methods: loop.BySoftwareKey},
		SeenAt: now, ExpiresAt: now.Add(time.Hour),
	}}
}

// hasPasskeys compares a member's passkeys.
func (f *fixture) hasPasskeys(t *testing.T, want ...signin.Passkey) {
	t.Helper()
	got, err := f.store.Passkeys(t.Context(), f.member.ID)
	must(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the passkeys differ (-want +found):\n%s", diff)
	}
}

func readsPasskey(t *testing.T, f *fixture) {
	want := f.passkey("one")
	must(t, f.store.AddPasskey(t.Context(), want, f.spent(1), nil, f.record()))
	f.hasPasskeys(t, *want)
	start := f.signIn(1, signin.Proof{Passkey: &signin.PasskeyUse{ID: want.ID, Before: want.Counter, After: want.Counter + 1}})
	must(t, f.store.StartSession(t.Context(), start, silent, f.record()))
	want.Counter, want.UsedAt = want.Counter+1, start.Session.Authentication.At
	f.hasPasskeys(t, *want)
}

func refusesPasskey(t *testing.T, f *fixture) {
	one := f.passkey("one")
	must(t, f.store.AddPasskey(t.Context(), one, f.spent(1), nil, f.record()))
	other := f.addMember(t, "grace@members.example")
	taken, gone := f.passkey("one"), f.passkey("two")
	taken.Member, gone.Member = other.ID, "user_none"
	for name, c := range map[string]struct {
		passkey *signin.Passkey
		spends  byte
		want    error
	}{
		"an id that another member has":    {taken, 2, signin.ErrPasskeyRefused},
		"a member who is not there":        {gone, 3, signin.ErrPasskeyRefused},
		"a challenge that was used before": {f.passkey("two"), 1, signin.ErrUsedBefore},
	} {
		if err := f.store.AddPasskey(t.Context(), c.passkey, f.spent(c.spends), nil, f.record()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, f.change(t, f.member.ID, nil, func(m *loop.Member) { m.Suspended = true }))
	if err := f.store.AddPasskey(t.Context(), f.passkey("two"), f.spent(4), nil, f.record()); !errors.Is(err, signin.ErrPasskeyRefused) {
		t.Errorf("a suspended member: %v", err)
	}
	f.hasPasskeys(t, *one)
	must(t, f.change(t, f.member.ID, nil, func(m *loop.Member) { m.Suspended = false }))
	must(t, f.store.AddPasskey(t.Context(), f.passkey("two"), f.spent(2), nil, f.record())) // what was refused used up nothing
}

func usesProofOnce(t *testing.T, f *fixture) {
	must(t, f.store.AddPasskey(t.Context(), f.passkey("one"), f.spent(1), nil, f.record()))
	spent := f.spent(2)
	var all sync.WaitGroup
	var began atomic.Int32
	for n := range byte(20) {
		all.Go(func() {
			err := f.store.StartSession(t.Context(), f.signIn(n, signin.Proof{Spends: &spent}), silent, f.record())
			if err == nil {
				began.Add(1)
			} else if !errors.Is(err, signin.ErrUsedBefore) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if began.Load() != 1 {
		t.Errorf("%d sessions began", began.Load())
	}
}

func oneSessionABrowser(t *testing.T, f *fixture) {
	var all sync.WaitGroup
	for n := range byte(20) {
		all.Go(func() {
			start := f.signIn(n, signin.Proof{})
			start.Session.Browser, start.Session.Device = [32]byte{7}, "Firefox Android"
			must(t, f.store.StartSession(t.Context(), start, silent, f.record()))
		})
	}
	all.Wait()
	var live []*signin.Session
	for n := range byte(20) {
		if s, err := f.store.Session(t.Context(), [32]byte{n}); err == nil {
			live = append(live, s)
		}
	}
	if len(live) != 1 || live[0].Browser != [32]byte{7} || live[0].Device != "Firefox Android" {
		t.Errorf("%d sessions are left: %+v", len(live), live)
	}
}

func removedPasskey(t *testing.T, f *fixture) {
	one := f.passkey("one")
	must(t, f.store.AddPasskey(t.Context(), one, f.spent(1), nil, f.record()))
	other := f.addMember(t, "grace@members.example")
	if err := f.store.RemovePasskey(t.Context(), other.ID, one.ID, nil, f.record()); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("by another member: %v", err)
	}
	f.hasPasskeys(t, *one)
	must(t, f.store.RemovePasskey(t.Context(), f.member.ID, one.ID, nil, f.record()))
	if err := f.store.RemovePasskey(t.Context(), f.member.ID, one.ID, nil, f.record()); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	start := f.signIn(1, signin.Proof{Passkey: &signin.PasskeyUse{ID: one.ID, Before: one.Counter, After: one.Counter + 1}})
	if err := f.store.StartSession(t.Context(), start, silent, f.record()); !errors.Is(err, signin.ErrUsedBefore) {
		t.Errorf("it signs in: %v", err)
	}
	f.hasSession(t, &start.Session, false)
}

func boundsPasskeys(t *testing.T, f *fixture) {
	var all sync.WaitGroup
	for n := range byte(signin.MaxPasskeys + 5) {
		all.Go(func() {
			err := f.store.AddPasskey(t.Context(), f.passkey(fmt.Sprint("passkey ", n)), f.spent(n), nil, f.record())
			if err != nil && !errors.Is(err, signin.ErrPasskeyRefused) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got, err := f.store.Passkeys(t.Context(), f.member.ID); err != nil || len(got) != signin.MaxPasskeys {
		t.Errorf("%d passkeys, %v", len(got), err)
	}
}

func endsSessions(t *testing.T, f *fixture) {
	other := f.session(t, 9, f.addMember(t, "grace@members.example"), [32]byte{})
	one, two, three := f.session(t, 1, f.member, [32]byte{}), f.session(t, 2, f.member, [32]byte{}), f.session(t, 3, f.member, [32]byte{})
	end := func(ending signin.Ending) {
		t.Helper()
		must(t, f.store.EndSessions(t.Context(), ending, silent, f.record()))
	}
	end(signin.Ending{Member: f.member.ID, Only: other.ID})
	f.hasSession(t, other, true)
	end(signin.Ending{Member: f.member.ID, Only: one.ID})
	end(signin.Ending{Member: f.member.ID, Only: one.ID}) // again
	if all, err := f.store.Sessions(t.Context(), f.member.ID); err != nil || len(all) != 2 {
		t.Errorf("%d sessions are listed, %v", len(all), err)
	}
	end(signin.Ending{Member: f.member.ID, But: two.ID})
	f.hasSession(t, two, true)
	f.hasSession(t, three, false)
	f.hasSession(t, other, true)
}
