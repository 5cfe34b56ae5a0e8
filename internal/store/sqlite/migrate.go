package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

//go:embed schema/engine/*.sql
var engineSchema embed.FS

// migration is one numbered file of a schema.
type migration struct {
	number int
	name   string
	text   string
}

// migrate brings a database to the newest schema: the engine's own tables, then
// the room's, each file in its own transaction. A database that has seen a
// migration that we don't know is refused.
func migrate(ctx context.Context, conn *sql.Conn, room fs.FS, w loop.World) error {
	_, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		part TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (part, number)) STRICT, WITHOUT ROWID`)
	if err != nil {
		return fmt.Errorf("preparing migrations: %w", err)
	}
	engine, err := fs.Sub(engineSchema, "schema/engine")
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name   string
		schema fs.FS
	}{{"engine", engine}, {"room", room}} {
		migrations, err := readMigrations(part.schema)
		if err != nil {
			return err
		}
		if err := migratePart(ctx, conn, part.name, migrations, w); err != nil {
			return err
		}
	}
	return nil
}

func migratePart(ctx context.Context, conn *sql.Conn, part string, migrations []migration, w loop.World) error {
	var applied int
	if err := conn.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM schema_migrations WHERE part = ?`, part).Scan(&applied); err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	if applied > len(migrations) {
		return fmt.Errorf("it was made by a newer version of loop (schema %d, this version knows %d): use that version, or another folder", applied, len(migrations))
	}
	for _, m := range migrations[applied:] {
		if err := apply(ctx, conn, part, m, w); err != nil {
			return fmt.Errorf("migrating to %s: %w", m.name, err)
		}
	}
	return nil
}

func apply(ctx context.Context, conn *sql.Conn, part string, m migration, w loop.World) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to take back
	if _, err := tx.ExecContext(ctx, m.text); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schema_migrations (part, number, name, applied_at) VALUES (?, ?, ?, ?)`, part, m.number, m.name, unixMicro(w.Now()))
	if err != nil {
		return err
	}
	return tx.Commit()
}

// readMigrations reads files named 0001_what.sql, without gaps.
func readMigrations(schema fs.FS) ([]migration, error) {
	names, err := fs.Glob(schema, "*.sql") // sorted by name
	if err != nil {
		return nil, err
	}
	var migrations []migration
	for i, name := range names {
		number, err := strconv.Atoi(strings.SplitN(name, "_", 2)[0])
		if err != nil || number != i+1 {
			return nil, fmt.Errorf("the migration %s is not numbered %04d", name, i+1)
		}
		text, err := fs.ReadFile(schema, name)
		if err != nil {
			return nil, err
		}
		migrations = append(migrations, migration{number, name, string(text)})
	}
	return migrations, nil
}
