//go:build !race

// SQLite is Go here, and the detector of races makes filling it ten times as slow:
// ./scripts/test explains plans in a part of its own.

package sqlite_test

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/sqlite"
	"github.com/loop-health/loop/internal/store/storetest"
)

// fill makes members with a grant, a chain and a session each, as an installation
// has them after years.
const fill = `
CREATE TEMP TABLE numbers AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200000) SELECT n FROM n;
INSERT INTO clients (id, name, type, redirect_uris, allowed_scopes, required_scopes, home_page, policy_page, terms_page, access_token_ttl, refresh_grace,
	require_nonce, mode, baa_signed_on, baa_by, first_party, verified, enabled, owner, created_at, updated_at)
	VALUES ('filler', '', 'public', '[]', '', '', '', '', '', 0, 0, 0, '', 0, '', 0, 0, 1, '', 0, 0);
INSERT INTO members (id, email, email_verified, name, locale, sex, test, suspended, notice, password, created_at, updated_at)
	SELECT 'user_' || n, n || '@members.example', 0, '', '', '', 0, 0, '', '', 0, 0 FROM numbers;
INSERT INTO grants (member_id, id, client_id, scopes, declined, created_at, updated_at, revoked_at, reason)
	SELECT 'user_' || n, 'grt_' || n, 'filler', '', '', 0, 0, 0, '' FROM numbers;
INSERT INTO chains (member_id, id, grant_id, client_id, scopes, session_id, auth_time, generation, key_id, salt, rotated_at, rotated_by, rotated_for, created_at, idle_expires_at, ended_at, ending)
	SELECT 'user_' || n, 'chn_' || n, 'grt_' || n, 'filler', '', 'ses_' || n, 0, 1, 1, zeroblob(16), 0, '', '', 0, 9e15, 0, '' FROM numbers;
INSERT INTO sessions (hash, id, member_id, auth_time, seen_at, expires_at) SELECT randomblob(32), 'ses_' || n, 'user_' || n, 0, 0, 9e15 FROM numbers;
INSERT INTO deliveries (id, kind, destination, order_key, payload, attempts, due_at, claimed_until, settled_at, outcome)
	SELECT 'dlv_' || n, 'test', 'client_' || n % 50, 'k' || n % 1000, x'00', 0, n, 0, iif(n % 10 = 0, 0, n), '' FROM numbers;
ANALYZE;`

// walks is what goes through a whole table, as it must: how its text ends.
var walks = map[string]string{
	"FROM members ORDER BY id DESC":      "loop user list shows every member",
	"FROM grants ORDER BY id DESC":       "loop grant list shows every grant",
	"LIMIT $1) AS waiting GROUP BY kind": "a scrape counts what is on its way, 10,000 at most, in an index of that alone",
	"FROM revocations ORDER BY number":   "a start loads what is revoked, which is swept by the hour",
	"UPDATE grants SET revoked_at = $1, updated_at = $1, reason = $2 WHERE revoked_at = 0": "a restore ends every consent",
	"UPDATE chains SET ended_at = $1, ending = $2 WHERE ended_at = 0":                      "and every chain",
}

// large is a walk through a table that grows with members and time, or by its
// alias.
var large = regexp.MustCompile(`^SCAN (chains|grants|members|sessions|audit_records|results|result_chunks|assertions|pushed_requests|deliveries|ended_portal_sessions|revocations|[cgmr]|newer)\b`)

// Promise: what a request costs does not grow with the number of members, grants,
// chains, sessions and records.
func TestPlans_NoStatementGoesThroughALargeTable(t *testing.T) {
	statements := make(map[string]string) // with the schema that each is of
	var mu sync.Mutex
	collect := func(db *sqlite.Database, schema string) {
		mu.Lock()
		defer mu.Unlock()
		for _, text := range db.StatementTexts() {
			statements[text] = schema
		}
	}
	t.Run("identity", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) (storetest.Store, loop.World) {
			t.Helper()
			s, db, w := openIdentity(t)
			t.Cleanup(func() {
				collect(db, "identity")
			})
			return s, w
		})
	})
	t.Run("clinical", func(t *testing.T) {
		storetest.RunResults(t, func(t *testing.T) (storetest.ResultStore, loop.World) {
			t.Helper()
			s, db, w := openClinical(t)
			t.Cleanup(func() { collect(db, "clinical") })
			return s, w
		})
	})
	if len(statements) < 60 {
		t.Errorf("only %d statements were found", len(statements))
	}
	_, identity, _ := openIdentity(t)
	if err := identity.Write(t.Context(), func(tx *sqlite.Tx) error {
		for statement := range strings.SplitSeq(fill, ";\n") {
			if _, err := tx.Count(statement); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, clinical, _ := openClinical(t)
	walked := make(map[string]bool)
	for text, schema := range statements {
		db := identity
		if schema == "clinical" {
			db = clinical
		}
		for _, step := range plan(t, db, text) {
			if !large.MatchString(step) {
				continue
			}
			walk := walkOf(text)
			if walk == "" {
				t.Errorf("%s\n\tgoes through a table: %s", text, step)
			}
			walked[walk] = true
		}
	}
	for walk, reason := range walks {
		if !walked[walk] {
			t.Errorf("no statement with %q goes through a table any more (%s)", walk, reason)
		}
	}
}

// walkOf finds what allows a statement to go through a table; empty: nothing does.
func walkOf(text string) string {
	for part := range walks {
		if strings.HasSuffix(text, part) {
			return part
		}
	}
	return ""
}

var parameter = regexp.MustCompile(`[?$](\d*)`)

// plan asks SQLite how it would run a statement.
func plan(t *testing.T, db *sqlite.Database, text string) (steps []string) {
	t.Helper()
	if first, _, _ := strings.Cut(text, " "); strings.Contains("BEGIN COMMIT ROLLBACK SAVEPOINT RELEASE ANALYZE", strings.ToUpper(first)) {
		return nil
	}
	most := 0
	for _, found := range parameter.FindAllStringSubmatch(text, -1) {
		number, err := strconv.Atoi(found[1])
		if err != nil {
			number = most + 1
		}
		most = max(most, number)
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, most)...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close() //nolint:errcheck // Err says what went wrong
	for rows.Next() {
		var (
			id, parent, unused int
			step               string
		)
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
