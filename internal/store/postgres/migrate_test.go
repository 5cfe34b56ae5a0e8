//go:build unix

package postgres_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

func empty(t *testing.T) postgres.Config {
	t.Helper()
	return postgres.Config{URL: postgrestest.Database(t), World: loop.Machine{}, Log: slog.New(slog.DiscardHandler)}
}

func TestMigrate_ManyAtOnceTakeEachStepOnce(t *testing.T) {
	t.Parallel()
	config := empty(t)
	var mu sync.Mutex
	taken := make(map[string]int)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			steps, err := postgres.Migrate(t.Context(), config)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, step := range steps {
				taken[step.Schema+" "+step.Name]++
			}
		})
	}
	all.Wait()
	steps, err := postgres.MigrationStatus(t.Context(), config)
	if err != nil || len(steps) == 0 {
		t.Fatalf("%d steps, %v", len(steps), err)
	}
	for _, step := range steps {
		if name := step.Schema + " " + step.Name; !step.Applied || taken[name] != 1 {
			t.Errorf("%s is applied %v, and was taken %d times", name, step.Applied, taken[name])
		}
	}
}

// A step is taken whole or not at all, and those before it stay.
func TestMigrate_AStepThatFailsLeavesNothingOfItself(t *testing.T) {
	t.Parallel()
	config := empty(t)
	run(t, config, `CREATE SCHEMA clinical`)
	run(t, config, `CREATE TABLE clinical.results (mine int)`) // in the way
	taken, err := postgres.Migrate(t.Context(), config)
	if err == nil || !strings.Contains(err.Error(), "migrating clinical to 0001_results.sql") || len(taken) == 0 {
		t.Fatalf("it took %d steps, %v", len(taken), err)
	}
	run(t, config, `DROP TABLE clinical.results`)
	rest, err := postgres.Migrate(t.Context(), config)
	if err != nil || len(rest) == 0 || rest[0].Name != "0001_results.sql" {
		t.Errorf("with nothing in the way it took %+v, %v", rest, err)
	}
	if again, err := postgres.Migrate(t.Context(), config); err != nil || len(again) != 0 {
		t.Errorf("then it took %+v, %v", again, err)
	}
}

func TestOpen_ASchemaThatDoesNotFitIsOneSentenceWithItsCure(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		migrated bool
		alter    string
		says     string
	}{
		"none at all":                  {false, ``, "loop migrate up"},
		"one that lacks a step":        {true, `DELETE FROM shared.schema_migrations WHERE part = 'identity'`, "loop migrate up"},
		"one that this can't run on":   {true, `INSERT INTO shared.schema_migrations VALUES ('identity', 'identity', 999, '0999_contract.sql', 999, 0)`, "newer version of loop"},
		"one with a step that expands": {true, `INSERT INTO shared.schema_migrations VALUES ('identity', 'identity', 999, '0999_expand.sql', 1, 0)`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := empty(t)
			if c.migrated {
				config, _ = migrated(t)
				run(t, config, c.alter)
			}
			db, err := postgres.Open(t.Context(), postgres.Identity, config)
			if db != nil {
				defer db.Close() //nolint:errcheck // it was only opened
			}
			if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("got %v", err)
			}
		})
	}
}
