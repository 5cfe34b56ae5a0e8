//go:build unix && !race

package postgres_test

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/postgres"
	"github.com/loop-health/loop/internal/store/storetest"
)

// fill makes members with a grant, a chain, a session, a result and a record each,
// as an installation has them after years.
var fill = []string{
	`INSERT INTO identity.members (id, email, email_verified, name, locale, sex, test, suspended, notice, created_at, updated_at, password)
		SELECT 'user_' || n, n || '@members.example', false, '', '', '', false, false, '', 0, 0, '' FROM generate_series(1, 200000) AS n`,
	`INSERT INTO identity.grants (member_id, id, client_id, scopes, declined, created_at, updated_at, revoked_at, reason)
		SELECT 'user_' || n, 'grt_' || n, 'filler', '', '', 0, 0, 0, '' FROM generate_series(1, 200000) AS n`,
	`INSERT INTO identity.chains (member_id, id, grant_id, client_id, scopes, session_id, auth_time, generation, key_id, salt, rotated_at, rotated_by, rotated_for,
		created_at, idle_expires_at, ended_at, ending, rotated_key, resources, key)
		SELECT 'user_' || n, 'chn_' || n, 'grt_' || n, 'filler', '', 'ses_' || n, 0, 1, 1, '\x00', 0, '', '', 0, 9e15, 0, '', '', '', '' FROM generate_series(1, 200000) AS n`,
	`INSERT INTO identity.sessions (hash, id, member_id, auth_time, seen_at, expires_at)
		SELECT sha256(n::text::bytea), 'ses_' || n, 'user_' || n, 0, n * 1000000::bigint, n * 1000000::bigint FROM generate_series(1, 200000) AS n`,
	`INSERT INTO identity.audit_records SELECT 'identity 1', n, n, '', '', '', '', '', '', '', '', '', '\x00', '\x00' FROM generate_series(1, 200000) AS n`,
	`INSERT INTO clinical.audit_records SELECT * FROM identity.audit_records`,
	`INSERT INTO clinical.results (member_id, collected_at, id, arrival, code, comparator, value, unit, reference_low, reference_high, flag, source, parsed_at)
		SELECT 'user_' || n % 2000, n, 'bmk_' || n, n, 'tsh', '', '1', '', '', '', '', '', 0 FROM generate_series(1, 200000) AS n`, // of older versions, before they are moved
	`INSERT INTO clinical.result_chunks (member_id, number, first_arrival, last_arrival, oldest, newest, low_id, high_id, sealed)
		SELECT 'user_' || n % 2000, n, n, n, n, n, 'bmk_' || n, 'bmk_' || n, '\x00' FROM generate_series(1, 200000) AS n`,
	`INSERT INTO identity.deliveries (id, kind, destination, order_key, payload, attempts, due_at, claimed_until, settled_at, outcome)
		SELECT 'dlv_' || n, 'test', 'client_' || n % 50, 'k' || n % 1000, '\x00', 0, n, 0, CASE WHEN n % 10 = 0 THEN 0 ELSE n END, '' FROM generate_series(1, 200000) AS n`,
	`ANALYZE`,
}

var large = regexp.MustCompile(`Seq Scan on (chains|grants|members|sessions|audit_records|results|result_chunks|deliveries)\b`)

// Promise: what a request costs does not grow with the number of members, grants,
// chains, sessions, results and records.
func TestPlans_NoStatementGoesThroughALargeTable(t *testing.T) {
	texts := map[postgres.Schema]*sync.Map{postgres.Identity: {}, postgres.Clinical: {}}
	watched := func(t *testing.T, schema postgres.Schema) (*postgres.Database, *loop.Clock) {
		t.Helper()
		config, w := migrated(t)
		db := open(t, schema, config)
		db.OnStatement(func(text string) { texts[schema].Store(text, nil) })
		return db, w
	}
	t.Run("identity", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) (storetest.Store, loop.World) {
			t.Helper()
			db, w := watched(t, postgres.Identity)
			s := serveOn(t, db, w)
			return s, w
		})
	})
	t.Run("clinical", func(t *testing.T) {
		storetest.RunResults(t, func(t *testing.T) (storetest.ResultStore, loop.World) {
			t.Helper()
			config, w := migrated(t)
			db := open(t, postgres.Clinical, config)
			db.OnStatement(func(text string) { texts[postgres.Clinical].Store(text, nil) })
			return postgres.NewClinical(db, openMemberKeys(t, config)), w
		})
	})
	filled, _ := migrated(t)
	conn := connect(t, filled.URL)
	for _, statement := range fill {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	for schema, seen := range texts {
		asked := 0
		for text := range seen.Range {
			if !changesOrReads.MatchString(text.(string)) {
				continue
			}
			asked++
			if steps := plan(t, conn, schema, text.(string)); large.MatchString(steps) {
				t.Errorf("%s\n\tgoes through a table:\n%s", text, steps)
			}
		}
		if asked < 5 {
			t.Errorf("only %d statements of %s were found", asked, schema)
		}
	}
}

// changesOrReads recognises a statement that has a plan.
var changesOrReads = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b`)

var parameter = regexp.MustCompile(`\$(\d+)`)

// plan asks PostgreSQL how it runs a statement whatever its parameters are.
func plan(t *testing.T, conn *pgx.Conn, schema postgres.Schema, text string) string {
	t.Helper()
	most := 0
	for _, found := range parameter.FindAllStringSubmatch(text, -1) {
		number, err := strconv.Atoi(found[1])
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, number)
	}
	execute := "EXPLAIN EXECUTE asked"
	if most > 0 {
		execute += "(" + strings.TrimSuffix(strings.Repeat("NULL,", most), ",") + ")"
	}
	for _, statement := range []string{"SET search_path = " + string(schema) + ", shared", "SET plan_cache_mode = force_generic_plan", "DEALLOCATE ALL", "PREPARE asked AS " + text} {
		if _, err := conn.Exec(t.Context(), statement, pgx.QueryExecModeSimpleProtocol); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	rows, err := conn.Query(t.Context(), execute, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	steps, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return strings.Join(steps, "\n")
}
