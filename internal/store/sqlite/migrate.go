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
		migrations, err := store.ReadMigrations(part.schema)
		if err != nil {
			return err
		}
		if err := migratePart(ctx, conn, part.name, migrations, w); err != nil {
			return err
		}
	}
	return nil
}

func migratePart(ctx context.Context, conn *sql.Conn, part string, migrations []store.Migration, w loop.World) error {
	var applied int
	if err := conn.QueryRowContext(ctx, `SELECT coalesce(max(number), 0) FROM schema_migrations WHERE part = ?`, part).Scan(&applied); err != nil {
		return fmt.Errorf("reading migrations: %w", err)
	}
	if applied > len(migrations) {
		return fmt.Errorf("it was made by a newer version of loop (schema %d, this version knows %d): use that version, or another folder", applied, len(migrations))
	}
	for _, m := range migrations[applied:] {
		if err := apply(ctx, conn, part, m, w); err != nil {
			return fmt.Errorf("migrating to %s: %w", m.Name, err)
		}
	}
	return nil
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
