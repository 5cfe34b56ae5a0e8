package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/postgres/postgrestest"
)

// Sec362.
func TestCheckObjects_NamesWhatNoMigrationHasMade(t *testing.T) {
	t.Parallel()
	config := postgres.Config{URL: postgrestest.Database(t), World: loop.Machine{}}
	if _, err := postgres.Migrate(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := postgres.CheckObjects(t.Context(), config); err != nil {
		t.Fatalf("of a new database: %v", err)
	}
	const makeFunction = `CREATE FUNCTION public.evil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE FUNCTION public.number() RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'; `
	for name, test := range map[string]struct{ made, said string }{
		"a trigger":              {`CREATE TRIGGER spy BEFORE UPDATE ON identity.members FOR EACH ROW EXECUTE FUNCTION public.evil()`, "trigger spy on members"},
		"a rule":                 {`CREATE RULE spy AS ON INSERT TO clinical.results DO INSTEAD NOTHING`, "rule spy on results"},
		"a policy":               {`CREATE POLICY spy ON identity.grants USING (true)`, "policy spy on grants"},
		"a view":                 {`CREATE VIEW identity.spy AS SELECT * FROM identity.members`, "view spy"},
		"a function":             {`CREATE FUNCTION shared.lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1'`, "function lower"},
		"another body of ours":   {`CREATE OR REPLACE FUNCTION shared.one_row(changed bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END'`, "function one_row"},
		"a default that calls":   {`ALTER TABLE identity.chains ALTER COLUMN generation SET DEFAULT public.number()`, "function number by default"},
		"an event trigger":       {`CREATE FUNCTION public.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER spy ON ddl_command_end EXECUTE FUNCTION public.watch()`, "trigger spy on all tables"},
		"a constraint's trigger": {`CREATE CONSTRAINT TRIGGER spy AFTER INSERT ON identity.audit_records DEFERRABLE FOR EACH ROW EXECUTE FUNCTION public.evil()`, "trigger spy on audit_records"},
	} {
		t.Run(name, func(t *testing.T) {
			own := postgres.Config{URL: postgrestest.Database(t), World: loop.Machine{}}
			if _, err := postgres.Migrate(t.Context(), own); err != nil {
				t.Fatal(err)
			}
			conn, err := pgx.Connect(t.Context(), own.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context()) //nolint:errcheck // the test is over
			if _, err := conn.Exec(t.Context(), makeFunction+test.made); err != nil {
				t.Fatal(err)
			}
			if err := postgres.CheckObjects(t.Context(), own); err == nil || !strings.Contains(err.Error(), test.said) || strings.Count(err.Error(), "the database holds") != 1 {
				t.Errorf("it says %v", err)
			}
		})
	}
}
