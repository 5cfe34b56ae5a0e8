//go:build unix

package postgres_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
	"github.com/loop-health/loop/internal/store/storetest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// migrated gives the configuration of an empty database with all migrations.
func migrated(t *testing.T) (postgres.Config, *loop.Clock) {
	t.Helper()
	w := loop.NewClock(loop.Machine{})
	config := postgres.Config{URL: postgrestest.Database(t), Connections: 4, World: w, Log: slog.New(slog.DiscardHandler)}
	if _, err := postgres.Migrate(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return config, w
}

func open(t *testing.T, schema postgres.Schema, config postgres.Config) *postgres.Database {
	t.Helper()
	db, err := postgres.Open(t.Context(), schema, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.StartAudit(t.Context(), string(schema), audit.NewKeys([32]byte{1}, [32]byte{2})); err != nil {
		t.Fatal(err)
	}
	return db
}

func openMemberKeys(t *testing.T, config postgres.Config) *credential.MemberKeys {
	t.Helper()
	config.Connections = postgres.KeyConnections(config.Connections)
	db, err := postgres.Open(t.Context(), postgres.MemberKeys, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return credentialtest.OpenMemberKeys(t, postgres.NewMemberKeys(db), config.World)
}

func openClinical(t *testing.T, config postgres.Config) *postgres.ClinicalStore {
	t.Helper()
	return postgres.NewClinical(open(t, postgres.Clinical, config), openMemberKeys(t, config))
}

func TestIdentity_KeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) (storetest.Store, loop.World) {
		t.Helper()
		config, w := migrated(t)
		return serve(t, config, w), w
	})
}

func TestStores_OfAClosedDatabaseAnswerAlike(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	first, second := open(t, postgres.Identity, config), open(t, postgres.Clinical, config)
	identity, clinical := serveOn(t, first, w), postgres.NewClinical(second, openMemberKeys(t, config))
	for _, db := range []*postgres.Database{first, second} {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Closed(t, identity, clinical)
}

// Sec142: two processes share one count.
func TestIdentity_CountsTriesForAllProcesses(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	storetest.RunTries(t, func(t *testing.T) signin.Tries {
		t.Helper()
		return serve(t, config, w)
	})
}

func TestIdentity_TriesNeverMakeTheTableGrow(t *testing.T) {
	t.Parallel()
	config, w := migrated(t)
	s := serve(t, config, w)
	for i := range 200 {
		var key signin.TryKey
		key[1], key[31] = byte(i%2), byte(i) // two places
		err := s.ChangeTries(t.Context(), []signin.TryKey{key}, func(_ time.Time, counts []signin.TryCount) {
			if counts[0] != (signin.TryCount{}) {
				t.Errorf("key %d has the count of another", i)
			}
			counts[0] = signin.TryCount{Count: 1, Since: w.Now(), NotBefore: w.Now()}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(t.Context(), config.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // it is over
	var rows int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM identity.sign_in_tries`).Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestClinical_KeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.RunResults(t, func(t *testing.T) (storetest.ResultStore, loop.World) {
		t.Helper()
		config, w := migrated(t)
		return openClinical(t, config), w
	})
}

// An older process can only be one whose lease says nothing of chunks: while it serves,
// results are added as it reads them.
func TestClinical_MovesWhatOlderVersionsKept(t *testing.T) {
	t.Parallel()
	storetest.RunPlainResults(t, func(t *testing.T) (storetest.ResultStore, func() error, func(bool), loop.World) {
		t.Helper()
		config, w := migrated(t)
		s, conn := openClinical(t, config), connect(t, config.URL)
		return s, func() error { return s.MoveResults(t.Context()) }, func(plain bool) {
			statements := []string{`DELETE FROM shared.leases`}
			if plain {
				statements = []string{
					`UPDATE clinical.result_form SET chunks = false`,
					`INSERT INTO shared.leases (id, applied, expires_at) VALUES ('older', 0, clock_timestamp() + interval '1 hour')`,
				}
			}
			for _, statement := range statements {
				if _, err := conn.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			if !plain {
				beginChunks(t, s, conn)
			}
		}, w
	})
}

func TestIdentity_SealsWhatOlderVersionsKept(t *testing.T) {
	t.Parallel()
	storetest.RunMembersInClear(t, func(t *testing.T) storetest.InClear {
		t.Helper()
		config, w := migrated(t)
		s, conn := serve(t, config, w), connect(t, config.URL)
		exec := func(statement string) {
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		return storetest.InClear{Store: s, World: w, Seal: s.SealMembers, Raw: func(query string) (rows int) {
			if err := conn.QueryRow(t.Context(), strings.Replace(query, "FROM ", "FROM identity.", 1)).Scan(&rows); err != nil {
				t.Fatal(err)
			}
			return rows
		}, Set: func(inClear bool) {
			if inClear {
				exec(`UPDATE identity.member_form SET sealed_since = -1`)
				exec(`INSERT INTO shared.leases (id, applied, expires_at) VALUES ('older', 0, clock_timestamp() + interval '1 hour')`)
				return
			}
			exec(`DELETE FROM shared.leases WHERE id = 'older'`)
			if err := s.BeginSealed(t.Context()); err != nil {
				t.Fatal(err)
			}
		}}
	})
}

// beginChunks has results added in chunks, and looks that no older process can start.
func beginChunks(t *testing.T, s *postgres.ClinicalStore, conn *pgx.Conn) {
	t.Helper()
	if err := s.BeginChunks(t.Context()); err != nil {
		t.Fatal(err)
	}
	var chunks bool
	var oldest int
	err := conn.QueryRow(t.Context(), `SELECT chunks, (SELECT max(oldest) FROM shared.schema_migrations WHERE schema = 'clinical' AND part = 'clinical') FROM clinical.result_form`).Scan(&chunks, &oldest)
	if err != nil || !chunks || oldest != 3 {
		t.Fatalf("results are added in chunks: %t, an older process needs %d, %v", chunks, oldest, err)
	}
}

func TestMemberKeys_KeepTheContract(t *testing.T) {
	t.Parallel()
	storetest.RunMemberKeys(t, func(t *testing.T) (credential.MemberKeyStore, loop.World) {
		t.Helper()
		config, w := migrated(t)
		db, err := postgres.Open(t.Context(), postgres.MemberKeys, config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return postgres.NewMemberKeys(db), w
	})
}

// connect opens a connection to a database of a test.
func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}
