package sqlite_test

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/sqlite"
)

// before gives identity's migrations that come before one.
func before(t *testing.T, migration string) fs.FS {
	t.Helper()
	all, err := fs.Glob(sqlite.IdentitySchema(), "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range all {
		if name >= migration {
			continue
		}
		text, err := fs.ReadFile(sqlite.IdentitySchema(), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: text}
	}
	return files
}

// Logouts that the version before had on their way are delivered by this one.
func TestDeliveries_TakeOverTheLogoutsOfTheVersionBefore(t *testing.T) {
	t.Parallel()
	w := loop.NewClock(loop.Machine{})
	path := filepath.Join(t.TempDir(), "identity.db")
	old, err := sqlite.Open(t.Context(), path, before(t, "0009_deliveries.sql"), w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	now := w.Now()
	err = old.Write(t.Context(), func(tx *sqlite.Tx) error {
		const insert = `INSERT INTO logouts (client_id, session_id, member_id, attempts, due_at, ended_at) VALUES ('client_1', $1, 'user_1', 3, $2, $3)`
		tx.Exec(insert, "waits", store.Micro(now), store.Micro(now))
		tx.Exec(insert, "sent", 0, store.Micro(now))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(t.Context(), path, sqlite.IdentitySchema(), w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := sqlite.NewIdentity(t.Context(), db, w, openMemberKeys(t), oauth.NewRevocations())
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := s.ClaimDeliveries(t.Context(), outbox.Claim{Kind: "logout", Now: now, Until: now.Add(time.Minute), AtMost: 10, PerDestination: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(claimed) != 1 || claimed[0].ID != "logout/client_1/waits" || claimed[0].Destination != "client_1" || claimed[0].Attempts != 3 ||
		string(claimed[0].Payload) != `{"member":"user_1","session":"waits"}` {
		t.Errorf("taken over are %+v", claimed)
	}
}
