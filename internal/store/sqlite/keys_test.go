package sqlite_test

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/sqlite"
)

func openDatabase(t *testing.T, path string, schema fs.FS) (*sqlite.Database, loop.World) {
	t.Helper()
	w := loop.NewClock(loop.Machine{})
	db, err := sqlite.Open(t.Context(), path, schema, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, w
}

func openKeys(t *testing.T, path string) *sqlite.Identity {
	t.Helper()
	db, w := openDatabase(t, path, sqlite.IdentitySchema())
	if _, err := db.StartAudit(t.Context(), "identity", audit.NewKeys([32]byte{1}, [32]byte{2})); err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.NewIdentity(t.Context(), db, w, openMemberKeys(t), oauth.NewRevocations())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestKeys_OfADatabaseFromBeforeTheyRotated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "identity.db")
	first, err := fs.ReadFile(sqlite.IdentitySchema(), "0001_identity.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, _ := openDatabase(t, path, fstest.MapFS{"0001_identity.sql": {Data: first}})
	err = db.Write(t.Context(), func(tx *sqlite.Tx) error {
		_, err := tx.Count(`INSERT INTO keys (id, purpose, sealed, created_at) VALUES (8, 'audit', x'01', 1000000), (9, 'signing', x'02', 2000000)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	store := openKeys(t, path)
	keys, last, err := store.Keys(t.Context())
	if err != nil || len(keys) != 2 || last != 9 {
		t.Fatalf("got %d keys, the last change %d, %v", len(keys), last, err)
	}
	if keys[0].Algorithm != "" || keys[1].Algorithm != jose.ES256 || !keys[1].SealsFrom.Equal(time.Unix(2, 0)) {
		t.Errorf("got %+v", keys)
	}
}
