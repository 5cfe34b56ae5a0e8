package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// factors are the parts of the contract for second factors.
var factors = map[string]func(*testing.T, *fixture){
	"a second factor reads as it was written, and is one": keepsFactor,
	"a code works once, however many come at once":        usesCodeOnce,
}

func (f *fixture) factor(t *testing.T, step int64) signin.RecoveryHashes {
	t.Helper()
	var codes signin.RecoveryHashes
	for i := range codes {
		codes[i] = [32]byte{byte(i + 1)}
	}
	factor := &signin.Factor{Member: f.member.ID, Sealed: []byte("sealed"), CreatedAt: f.world.Now()}
	must(t, f.store.AddFactor(t.Context(), factor, step, codes, nil, f.record()))
	return codes
}

// codesLeft checks how many recovery codes there are; -1: no second factor at all.
func (f *fixture) codesLeft(t *testing.T, want int) {
	t.Helper()
	got, err := f.store.Factor(t.Context(), f.member.ID)
	if want < 0 && !errors.Is(err, loop.ErrNotFound) || want >= 0 && (err != nil || got.CodesLeft != want || string(got.Sealed) != "sealed") {
		t.Errorf("the second factor is %+v, %v, want %d codes", got, err, want)
	}
}

func keepsFactor(t *testing.T, f *fixture) {
	f.codesLeft(t, -1)
	codes := f.factor(t, 100)
	f.codesLeft(t, signin.RecoveryCodes)
	again := &signin.Factor{Member: f.member.ID, Sealed: []byte("another"), CreatedAt: f.world.Now()}
	if err := f.store.AddFactor(t.Context(), again, 100, codes, nil, f.record()); !errors.Is(err, signin.ErrUsedBefore) {
		t.Errorf("a second one: %v", err)
	}
	f.codesLeft(t, signin.RecoveryCodes)
	must(t, f.store.SetRecoveryCodes(t.Context(), f.member.ID, codes, nil, f.record()))
	must(t, f.store.RemoveFactor(t.Context(), f.member.ID, nil, f.record()))
	f.codesLeft(t, -1)
	if err := f.store.RemoveFactor(t.Context(), f.member.ID, nil, f.record()); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("removed again: %v", err)
	}
	if err := f.store.SetRecoveryCodes(t.Context(), f.member.ID, codes, nil, f.record()); !errors.Is(err, loop.ErrNotFound) {
		t.Errorf("codes without a factor: %v", err)
	}
}

func usesCodeOnce(t *testing.T, f *fixture) {
	codes := f.factor(t, 100)
	began := func(first byte, use signin.CodeUse) int32 {
		var all sync.WaitGroup
		var began atomic.Int32
		for n := range byte(10) {
			all.Go(func() {
				err := f.store.StartSession(t.Context(), f.signIn(first+n, signin.Proof{Code: &use}), silent, f.record())
				if err == nil {
					began.Add(1)
				} else if !errors.Is(err, signin.ErrUsedBefore) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		return began.Load()
	}
	if n := began(0, signin.CodeUse{Step: 100}); n != 0 {
		t.Errorf("the step that set it up works %d times", n)
	}
	if n := began(10, signin.CodeUse{Step: 101}); n != 1 {
		t.Errorf("a step works %d times", n)
	}
	if n := began(20, signin.CodeUse{Recovery: &codes[0]}); n != 1 {
		t.Errorf("a recovery code works %d times", n)
	}
	f.codesLeft(t, signin.RecoveryCodes-1)
}
