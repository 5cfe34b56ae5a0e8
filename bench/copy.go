package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// copyTables puts the rows of the folder's SQLite files into PostgreSQL. Both schemas
// are of one version, and name tables and columns alike; the record and what the
// engine keeps for itself begin anew.
func (p *platform) copyTables(ctx context.Context) error {
	to, err := pgx.Connect(ctx, p.database)
	if err != nil {
		return err
	}
	defer func() { _ = to.Close(ctx) }()
	// Rows come table by table, in no order that foreign keys would allow.
	if _, err := to.Exec(ctx, `SET session_replication_role = replica`); err != nil {
		return err
	}
	for _, name := range []string{"identity", "clinical", "memberkeys"} {
		file := filepath.Join(p.folder, ".loop", name+".db")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			continue // an older binary has no keys of members
		}
		from, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
		if err != nil {
			return err
		}
		err = copyDatabase(ctx, from, to, name)
		_ = from.Close()
		if err != nil {
			return fmt.Errorf("copying %s to PostgreSQL: %w", name, err)
		}
	}
	return nil
}

func copyDatabase(ctx context.Context, from *sql.DB, to *pgx.Conn, schema string) error {
	tables, err := column(ctx, from, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'audit_%' AND name <> 'schema_migrations'`)
	if err != nil {
		return err
	}
	if _, err := to.Exec(ctx, `SET search_path = `+pgx.Identifier{schema}.Sanitize()+`, shared`); err != nil {
		return err
	}
	for _, table := range tables {
		if err := copyTable(ctx, from, to, table); err != nil {
			return fmt.Errorf("table %s: %w", table, err)
		}
	}
	return nil
}

// copyTable replaces the rows of a table.
func copyTable(ctx context.Context, from *sql.DB, to *pgx.Conn, table string) error {
	columns, err := column(ctx, from, `SELECT name FROM pragma_table_info('`+table+`')`)
	if err != nil {
		return err
	}
	boolean, err := columnsOf(ctx, to, table)
	if err != nil {
		return err
	}
	query := `SELECT "` + strings.Join(columns, `", "`) + `" FROM "` + table + `"`
	if i := slices.Index(columns, "only"); i >= 0 {
		columns[i] = "single" // what a table of one row calls it there: PostgreSQL reserves the other word
	}
	rows, err := from.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var copied [][]any
	for rows.Next() {
		row, places := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			places[i] = &row[i]
		}
		if err := rows.Scan(places...); err != nil {
			return err
		}
		for i, name := range columns {
			if boolean[name] {
				row[i] = row[i] != int64(0)
			}
		}
		copied = append(copied, row)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if _, err := to.Exec(ctx, `DELETE FROM `+table); err != nil { // a counter has a row from the beginning
		return err
	}
	_, err = to.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromRows(copied))
	return err
}

// columnsOf names the columns of a table, and says of each whether it holds true or
// false, which SQLite keeps as a number.
func columnsOf(ctx context.Context, to *pgx.Conn, table string) (map[string]bool, error) {
	rows, err := to.Query(ctx, `SELECT attname, atttypid = 'boolean'::regtype FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`, table)
	if err != nil {
		return nil, err
	}
	boolean := make(map[string]bool)
	var name string
	var is bool
	_, err = pgx.ForEachRow(rows, []any{&name, &is}, func() error { boolean[name] = is; return nil })
	return boolean, err
}

// column reads the only column of a query.
func column(ctx context.Context, db *sql.DB, query string) (values []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}
