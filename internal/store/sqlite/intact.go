package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// CheckSchema says whether the file holds what the migrations that it has seen
// make, and nothing else. A trigger or a view would act in the platform's name,
// and a table that was made anew may lack what its constraints promise.
func (d *Database) CheckSchema(ctx context.Context, room fs.FS) error {
	found, err := objects(ctx, d.readers)
	if err != nil {
		return fmt.Errorf("reading the schema of %s: %w", d.path, err)
	}
	want, err := d.expectedObjects(ctx, room)
	if err != nil {
		return fmt.Errorf("checking the schema of %s: %w", d.path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if _, known := want[name]; !known {
			return fmt.Errorf("%s holds a %s, which loop did not make: find out who did, and remove it", d.path, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if text, there := found[name]; !there || text != want[name] {
			return fmt.Errorf("%s is not as loop made it: its %s is missing or was changed", d.path, name)
		}
	}
	return nil
}

// expectedObjects are those that the migrations make which the file has seen.
func (d *Database) expectedObjects(ctx context.Context, room fs.FS) (map[string]string, error) {
	seen, err := d.migrationsSeen(ctx)
	if err != nil {
		return nil, err
	}
	empty, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer empty.Close() //nolint:errcheck // nothing is kept
	empty.SetMaxOpenConns(1)
	conn, err := empty.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if err := migrateAsFarAs(ctx, conn, room, loop.Machine{}, seen); err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	return objects(ctx, empty)
}

// migrationsSeen is the number of the newest migration of each part.
func (d *Database) migrationsSeen(ctx context.Context) (map[string]int, error) {
	rows, err := d.readers.QueryContext(ctx, `SELECT part, max(number) FROM schema_migrations GROUP BY part`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	seen := make(map[string]int)
	for rows.Next() {
		var (
			part   string
			number int
		)
		if err := rows.Scan(&part, &number); err != nil {
			return nil, err
		}
		seen[part] = number
	}
	return seen, rows.Err()
}

// objects reads what a database holds: its text by kind and name. The tables of
// statistics that an operator's ANALYZE makes are SQLite's own.
func objects(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE name NOT IN ('sqlite_stat1', 'sqlite_stat4')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	all := make(map[string]string)
	for rows.Next() {
		var kind, name, table, text string
		if err := rows.Scan(&kind, &name, &table, &text); err != nil {
			return nil, err
		}
		what := kind + " " + name
		if name != table {
			what += " on " + table
		}
		all[what] = withoutComments(text)
	}
	return all, rows.Err()
}

// withoutComments leaves what SQLite goes by: comments and line breaks of a
// migration may change, and the databases that it has made keep the old ones.
func withoutComments(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		code, _, _ := strings.Cut(line, "--")
		words = append(words, strings.Fields(code)...)
	}
	return strings.Join(words, " ")
}

// migrateAsFarAs applies the migrations up to a number of each part.
func migrateAsFarAs(ctx context.Context, conn *sql.Conn, room fs.FS, w loop.World, last map[string]int) error {
	parts, err := prepareMigrations(ctx, conn, room)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if last[p.name] > len(p.migrations) {
			return errNewer(last[p.name], len(p.migrations))
		}
		p.migrations = p.migrations[:last[p.name]]
		if err := migratePart(ctx, conn, p, w); err != nil {
			return err
		}
	}
	return nil
}
