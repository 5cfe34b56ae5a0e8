//go:build unix

package postgres_test

import (
	"log/slog"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
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
	identity, clinical := serveOn(t, first, w), postgres.NewClinical(second)
	for _, db := range []*postgres.Database{first, second} {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Closed(t, identity, clinical)
}

func TestClinical_KeepsTheContract(t *testing.T) {
	t.Parallel()
	storetest.RunResults(t, func(t *testing.T) (storetest.ResultStore, loop.World) {
		t.Helper()
		config, w := migrated(t)
		return postgres.NewClinical(open(t, postgres.Clinical, config)), w
	})
}
