package tables

import (
	"io/fs"
	"os"
	"regexp"
	"slices"
	"testing"
)

// staysOf are the tables with a column member_id that an erasure leaves alone, each with
// its reason.
var staysOf = map[string]string{
	"grants":         "the erasure ends them; they hold ids, and nothing of the member's own",
	"chains":         "the erasure ends them; they hold ids and hashes",
	"logouts":        "sent or given up within a day, and dropped with the tables of earlier versions; they hold ids",
	"audit_records":  "evidence of who did what, by ids; a chain of hashes that allows no gap",
	"audit_tallies":  "refusals of this hour, which become records",
	"member_keys":    "destroyed before anything else, by the store of keys itself",
	"erased_members": "the list of those who were erased, by ids: a restore needs it",
}

// TestAnErasureLeavesNoTableOut holds the erasure to the schemas: a table that names
// members is emptied of them, or it is said here why not.
func TestAnErasureLeavesNoTableOut(t *testing.T) {
	t.Parallel()
	emptied := slices.Concat(ofIdentity, ofClinical)
	for _, engine := range []string{"sqlite", "postgres"} {
		found := tablesOfMembers(t, os.DirFS("../"+engine+"/schema"))
		for table := range found {
			if staysOf[table] == "" && !slices.Contains(emptied, table) {
				t.Errorf("%s: the table %s has a column member_id and is in none of the lists", engine, table)
			}
		}
		for _, table := range emptied {
			if !found[table] {
				t.Errorf("%s: there is no table %s with a column member_id", engine, table)
			}
		}
		for table := range staysOf {
			if !found[table] {
				t.Errorf("%s: the exception %s is no table with a column member_id", engine, table)
			}
		}
	}
}

var (
	madeTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`)
	renamed   = regexp.MustCompile(`ALTER TABLE (\w+) RENAME TO (\w+)`)
	altered   = regexp.MustCompile(`ALTER TABLE (\w+) ADD COLUMN member_id\b`)
	ofMembers = regexp.MustCompile(`(?m)^\s*member_id\s`)
)

// tablesOfMembers are the tables of a schema's migrations that have a column member_id.
func tablesOfMembers(t *testing.T, schema fs.FS) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	files, err := fs.Glob(schema, "*/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d migrations, %v", len(files), err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(schema, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range madeTable.FindAllSubmatch(text, -1) {
			if ofMembers.Match(table[2]) {
				found[string(table[1])] = true
			}
		}
		for _, table := range renamed.FindAllSubmatch(text, -1) {
			if found[string(table[1])] {
				delete(found, string(table[1]))
				found[string(table[2])] = true
			}
		}
		for _, table := range altered.FindAllSubmatch(text, -1) {
			found[string(table[1])] = true
		}
	}
	return found
}
