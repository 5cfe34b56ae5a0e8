package sqlite_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/sqlite"
	"github.com/loop-health/loop/internal/store/storetest"
)

func TestIdentity_KeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (storetest.Store, loop.World) {
		t.Helper()
		w := loop.NewClock(loop.Machine{}, time.Time{}) // to the microsecond, as what is stored
		db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "identity.db"), sqlite.IdentitySchema(), w, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := db.StartAudit(t.Context(), "identity", audit.NewKeys([32]byte{1}, [32]byte{2})); err != nil {
			t.Fatal(err)
		}
		store, err := sqlite.NewIdentity(t.Context(), db, w, oauth.NewRevocations())
		if err != nil {
			t.Fatal(err)
		}
		return store, w
	})
}

func TestClinical_KeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.RunResults(t, func(t *testing.T) (storetest.ResultStore, loop.World) {
		t.Helper()
		w := loop.NewClock(loop.Machine{}, time.Time{})
		db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "clinical.db"), sqlite.ClinicalSchema(), w, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if _, err := db.StartAudit(t.Context(), "clinical", audit.NewKeys([32]byte{1}, [32]byte{2})); err != nil {
			t.Fatal(err)
		}
		return sqlite.NewClinical(db), w
	})
}
