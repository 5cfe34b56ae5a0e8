package credential_test

import (
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/sqlite"
)

// newStore is a store that has no keys yet.
func newStore(t *testing.T, w *movable) *sqlite.Identity {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "identity.db"), sqlite.IdentitySchema(), w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.StartAudit(t.Context(), "identity", audit.NewKeys([32]byte{1}, [32]byte{2})); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.NewIdentity(t.Context(), db, w, nil, oauth.NewRevocations())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// openKeeper is one process on the store.
func openKeeper(t *testing.T, store *sqlite.Identity, w *movable, master *credential.Master) *credential.Keeper {
	t.Helper()
	keeper, err := credential.OpenKeeper(t.Context(), store, w, master)
	if err != nil {
		t.Fatal(err)
	}
	if err := keeper.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return keeper
}

var operator = audit.Actor{Kind: audit.ByOperator}

// twoProcesses are two that share a store, and their clock.
func twoProcesses(t *testing.T) (w *movable, one, other *credential.Keeper) {
	t.Helper()
	w = &movable{now: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)}
	master, _ := credential.NewMaster(w)
	store := newStore(t, w)
	one = openKeeper(t, store, w, master)
	return w, one, openKeeper(t, store, w, master)
}

// opens reports whether one process opens what another seals now.
func opens(from, by *credential.Keeper) bool {
	_, _, err := by.Ring.Open(credential.ForCodes, from.Ring.Seal(credential.ForCodes, []byte("x")))
	return err == nil
}

func TestKeeper_AKeySealsOnlyOnceEveryProcessHasIt(t *testing.T) {
	t.Parallel()
	w, one, other := twoProcesses(t)
	first := one.Ring.Newest(credential.ForCodes)
	if _, err := one.RotateNow(t.Context(), []credential.Slot{{Purpose: credential.ForCodes}}, operator); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(5*time.Minute - time.Microsecond)
	if one.Ring.Newest(credential.ForCodes) != first || !opens(one, other) {
		t.Error("it seals with a key that the other process has not read yet")
	}
	if err := other.Rotate(t.Context()); err != nil { // as each process does every minute
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Microsecond)
	if one.Ring.Newest(credential.ForCodes) == first || !opens(one, other) || !opens(other, one) {
		t.Error("after five minutes the new key does not seal everywhere")
	}
}

func TestKeeper_OfProcessesThatRotateAtOnceOneMakesTheKeys(t *testing.T) {
	t.Parallel()
	w, one, other := twoProcesses(t)
	w.now = w.now.Add(90 * day)
	var all sync.WaitGroup
	for _, keeper := range []*credential.Keeper{one, other, one, other} {
		all.Go(func() {
			if err := keeper.Rotate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	lives, err := other.Lives(t.Context())
	if want := 2*len(credential.Slots()) - 1; err != nil || len(lives) != want { // the audit key has no successor
		t.Errorf("there are %d keys, want %d, %v", len(lives), want, err)
	}
}

func TestKeeper_AProcessWithTheOldMasterKeyGoesOnWithWhatItHas(t *testing.T) {
	t.Parallel()
	w, one, other := twoProcesses(t)
	next, _ := credential.NewMaster(w)
	if _, err := one.Rewrap(t.Context(), next, operator); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(90 * day)
	if err := other.Rotate(t.Context()); err == nil {
		t.Error("it seals new keys under a master key that was replaced")
	}
	if !opens(one, other) || !opens(other, one) {
		t.Error("it stopped to work")
	}
}
