package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

//go:embed schema/engine/*.sql
var engineSchema embed.FS

// part is a numbered series of migrations.
type part struct {
	name       string
	migrations []store.Migration
}

// migrate brings a database to the newest schema: the engine's own tables, then
// the room's, each file in its own transaction. A database that has seen a
// migration that we don't know is refused.
func migrate(ctx context.Context, conn *sql.Conn, room fs.FS, w loop.World) error {
	parts, err := prepareMigrations(ctx, conn, room)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := migratePart(ctx, conn, p, w); err != nil {
			return err
		}
	}
	return nil
}

// prepareMigrations gives the parts of a database, once it has the table that says
// which migrations it has seen.
func prepareMigrations(ctx context.Context, conn *sql.Conn, room fs.FS) ([]part, error) {
	_, err := conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		part TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (part, number)) STRICT, WITHOUT ROWID`)
	if err != nil {
		return nil, fmt.Errorf("preparing migrations: %w", err)
	}
	engine, err := fs.Sub(engineSchema, "schema/engine")
	if err != nil {
		return nil, err
	}
	parts := []part{{name: "engine"}, {name: "room"}}
	for i, schema := range []fs.FS{engine, room} {
		if parts[i].migrations, err = store.ReadMigrations(schema); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

func migratePart(ctx context.Context, conn *sql.Conn, p part, w loop.World) error {
	var applied int
	if err := conn.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM schema_migrations WHERE part = ?`, p.name).Scan(&applied); err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	if applied > len(p.migrations) {
		return errNewer(applied, len(p.migrations))
	}
	for _, m := range p.migrations[applied:] {
		if err := apply(ctx, conn, p.name, m, w); err != nil {
			return fmt.Errorf("migrating to %s: %w", m.Name, err)
		}
	}
	return nil
}

func errNewer(applied, known int) error {
	return fmt.Errorf("it was made by a newer version of loop (schema %d, this version knows %d): use that version, or another folder", applied, known)
}

func apply(ctx context.Context, conn *sql.Conn, part string, m store.Migration, w loop.World) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to take back
	if _, err := tx.ExecContext(ctx, m.Text); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schema_migrations (part, number, name, applied_at) VALUES (?, ?, ?, ?)`, part, m.Number, m.Name, store.Micro(w.Now()))
	if err != nil {
		return err
	}
	return tx.Commit()
}
