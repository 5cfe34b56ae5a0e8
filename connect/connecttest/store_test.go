package connecttest_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/loop-health/loop/connect"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

// where is a place that processes can open a store in.
type where struct {
	kind, place string
}

// store opens the store of a place, with keys.
func (w where) store(ctx context.Context, keys *connect.KeyRing) (connect.Store, error) {
	if w.kind == "file" {
		return connect.NewFileStore(w.place, keys)
	}
	db, err := w.database()
	if err != nil {
		return nil, err
	}
	dialect := connect.SQLite
	if w.kind == "postgres" {
		dialect = connect.PostgreSQL
	}
	return connect.NewSQLStore(ctx, db, dialect, keys)
}

func (w where) database() (*sql.DB, error) {
	db, err := sql.Open(map[string]string{"sqlite": "sqlite", "postgres": "pgx"}[w.kind], w.place)
	if err == nil {
		db.SetMaxOpenConns(4)
	}
	return db, err
}

func (w where) open(t *testing.T, keys *connect.KeyRing) connect.Store {
	t.Helper()
	store, err := w.store(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// places are one of each kind that lasts.
func places(t *testing.T) []where {
	t.Helper()
	return []where{
		{"file", t.TempDir()},
		{"sqlite", filepath.Join(t.TempDir(), "tokens.db") + "?_pragma=busy_timeout(20000)&_pragma=journal_mode(wal)"},
		{"postgres", postgrestest.Database(t)},
	}
}

func TestMain(m *testing.M) {
	if run, ok := helpers[os.Getenv("CONNECT_TEST_HELPER")]; ok {
		os.Exit(run())
	}
	postgrestest.Main(m)
}

func onEachStore(t *testing.T, test func(t *testing.T, open func() connect.Store)) {
	t.Helper()
	memory := connect.NewMemoryStore()
	t.Run("memory", func(t *testing.T) { test(t, func() connect.Store { return memory }) })
	for _, place := range places(t) {
		keys := connect.NewKeyRing(connect.NewKeyBytes())
		t.Run(place.kind, func(t *testing.T) { test(t, func() connect.Store { return place.open(t, keys) }) })
	}
}

var pair = connect.Tokens{Access: "lph_at_one", Refresh: "lph_rt_one", Expiry: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC), Scopes: []string{"openid", "read:biomarkers"}}

func TestStore_KeepsTheContract(t *testing.T) {
	t.Parallel()
	onEachStore(t, func(t *testing.T, open func() connect.Store) {
		store := open()
		if _, err := store.Load(t.Context(), "user_1"); !errors.Is(err, connect.ErrNoTokens) {
			t.Fatalf("nobody's tokens: %v", err)
		}
		if err := store.Save(t.Context(), "user_1", 7, pair); !errors.Is(err, connect.ErrChanged) {
			t.Errorf("in place of a version that is not there: %v", err)
		}
		if err := store.Save(t.Context(), "user_1", 0, pair); err != nil {
			t.Fatal(err)
		}
		first, err := open().Load(t.Context(), "user_1") // as another process does
		if err != nil || fmt.Sprint(first.Scopes, first.Expiry, string(first.Access), string(first.Refresh)) != fmt.Sprint(pair.Scopes, pair.Expiry, "lph_at_one", "lph_rt_one") {
			t.Fatalf("got %+v, %v", first, err)
		}
		for _, version := range []int64{0, first.Version - 1, first.Version + 1} {
			if err := store.Save(t.Context(), "user_1", version, pair); !errors.Is(err, connect.ErrChanged) {
				t.Errorf("in place of version %d, of %d: %v", version, first.Version, err)
			}
		}
		if err := store.Save(t.Context(), "user_1", first.Version, pair); err != nil {
			t.Error(err)
		}
		if err := store.Save(t.Context(), "user_1", -1, pair); err != nil { // whatever there is
			t.Error(err)
		}
		last, err := store.Load(t.Context(), "user_1")
		if err != nil || last.Version <= first.Version {
			t.Errorf("version %d follows %d, %v", last.Version, first.Version, err)
		}
		for range 2 {
			if err := store.Delete(t.Context(), "user_1"); err != nil {
				t.Error(err)
			}
		}
		if err := store.Save(t.Context(), "user_1", 0, pair); err != nil {
			t.Error(err)
		}
		if again, err := store.Load(t.Context(), "user_1"); err != nil || again.Version <= last.Version {
			t.Errorf("forgotten and there again, version %d follows %d, %v", again.Version, last.Version, err)
		}
	})
}

// Of many who save over the same version one does; of many who want the lock one has it.
func TestStore_OnceIsOnce(t *testing.T) {
	t.Parallel()
	onEachStore(t, func(t *testing.T, open func() connect.Store) {
		stores := []connect.Store{open(), open(), open()}
		var saved, inside, most int
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 12 {
			store := stores[i%len(stores)]
			all.Go(func() {
				err := store.Save(t.Context(), "user_1", 0, pair)
				mu.Lock()
				if err == nil {
					saved++
				}
				mu.Unlock()
				if err != nil && !errors.Is(err, connect.ErrChanged) {
					t.Error(err)
				}
				unlock, err := store.Lock(t.Context(), "user_2")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				inside++
				most = max(most, inside)
				mu.Unlock()
				mu.Lock()
				inside--
				mu.Unlock()
				unlock()
			})
		}
		all.Wait()
		if saved != 1 || most != 1 {
			t.Errorf("%d saved, and %d had the lock at once", saved, most)
		}
		if _, err := stores[0].Load(t.Context(), "user_2"); !errors.Is(err, connect.ErrNoTokens) {
			t.Errorf("a lock left tokens behind: %v", err)
		}
		if err := stores[0].Save(t.Context(), "user_2", 0, pair); err != nil {
			t.Errorf("behind a lock nothing can be saved: %v", err)
		}
	})
}

func TestSQLStore_KeysRotateAndWhoHasTheDatabaseHasNoToken(t *testing.T) {
	t.Parallel()
	place := places(t)[1]
	old, next := connect.NewKeyBytes(), connect.NewKeyBytes()
	before := place.open(t, connect.NewKeyRing(old))
	for i := range 5 {
		if err := before.Save(t.Context(), fmt.Sprint("user_", i), 0, pair); err != nil {
			t.Fatal(err)
		}
	}
	db, err := place.database()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // it was only asked
	var sealed []byte
	if err := db.QueryRowContext(t.Context(), `SELECT sealed FROM connect_tokens LIMIT 1`).Scan(&sealed); err != nil || bytes.Contains(sealed, []byte("lph_")) {
		t.Errorf("%d bytes, with a token in them, or %v", len(sealed), err)
	}
	both, ok := place.open(t, connect.NewKeyRing(next, old)).(*connect.SQLStore)
	if !ok {
		t.Fatal("it is another store")
	}
	if count, err := both.Reseal(t.Context()); err != nil || count != 5 {
		t.Errorf("%d were sealed anew, %v", count, err)
	}
	if count, err := both.Reseal(t.Context()); err != nil || count != 0 {
		t.Errorf("and %d once more, %v", count, err)
	}
	if _, err := place.open(t, connect.NewKeyRing(next)).Load(t.Context(), "user_3"); err != nil {
		t.Errorf("without the old key: %v", err)
	}
	if _, err := before.Load(t.Context(), "user_3"); err == nil {
		t.Error("the old key still opens it")
	}
}
