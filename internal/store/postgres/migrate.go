package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

//go:embed schema
var files embed.FS

// part is one numbered series of migrations in one schema: audit's tables are in
// both identity's and clinical's.
type part struct {
	schema     Schema
	name       string
	migrations []migration
}

// migration is a step of a schema. Steps only ever add: expand first, and contract
// once no binary needs what goes. So a binary runs on a schema with later steps
// than it knows, unless one of them says that it doesn't.
type migration struct {
	store.Migration
	oldest int // the number that a binary must know to run on a schema with this step
}

// oldestLine is how a migration that contracts says whom it leaves behind.
var oldestLine = regexp.MustCompile(`(?m)^-- Needs a binary that knows (\d{4})\.$`)

// parts are all series, in the order in which they are applied.
func parts() ([]part, error) {
	all := []part{{schema: shared, name: "shared"}}
	for _, r := range rooms {
		all = append(all, part{schema: r.schema, name: "audit"}, part{schema: r.schema, name: string(r.schema)})
	}
	all = append(all, part{schema: MemberKeys, name: string(MemberKeys)})
	for i := range all {
		sub, err := fs.Sub(files, "schema/"+all[i].name)
		if err != nil {
			return nil, err
		}
		if all[i].migrations, err = readMigrations(sub); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readMigrations(sub fs.FS) ([]migration, error) {
	read, err := store.ReadMigrations(sub)
	if err != nil {
		return nil, err
	}
	migrations := make([]migration, len(read))
	for i, m := range read {
		migrations[i] = migration{Migration: m, oldest: 1}
		if said := oldestLine.FindStringSubmatch(m.Text); said != nil {
			if migrations[i].oldest, err = strconv.Atoi(said[1]); err != nil {
				return nil, err
			}
		}
	}
	return migrations, nil
}

// Step is one migration and whether a database has it.
type Step struct {
	Schema  string
	Part    string
	Number  int
	Name    string
	Applied bool
}

// MigrationStatus lists the migrations of all schemas that this binary knows, in the
// order in which they are applied.
func MigrationStatus(ctx context.Context, config Config) ([]Step, error) {
	conn, err := connectTo(ctx, config)
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	return status(ctx, conn)
}

func status(ctx context.Context, conn querier) ([]Step, error) {
	all, err := parts()
	if err != nil {
		return nil, err
	}
	var steps []Step
	for _, p := range all {
		known, err := appliedTo(ctx, conn, p)
		if err != nil {
			return nil, err
		}
		if err := known.fits(p); err != nil {
			return nil, err
		}
		for _, m := range p.migrations {
			steps = append(steps, Step{string(p.schema), p.name, m.Number, m.Name, m.Number <= known.number})
		}
	}
	return steps, nil
}

// Migrate brings every schema to its newest step, each step in a transaction of its
// own, and says which it took. Only one process does it at a time; a step that was
// taken is not taken again.
func Migrate(ctx context.Context, config Config) ([]Step, error) {
	conn, err := reached(ctx, config, func() (*pgx.Conn, error) { return connectTo(ctx, config) })
	if err != nil {
		return nil, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over, and its lock with it
	for _, prepare := range []string{
		fmt.Sprintf(`SELECT pg_advisory_lock(%d, 0)`, locksMigrating),
		`CREATE SCHEMA IF NOT EXISTS shared`,
		`CREATE TABLE IF NOT EXISTS shared.schema_migrations (
			schema text NOT NULL, part text NOT NULL, number integer NOT NULL, name text NOT NULL,
			oldest integer NOT NULL, applied_at bigint NOT NULL, PRIMARY KEY (schema, part, number))`,
	} {
		if _, err := conn.Exec(ctx, prepare); err != nil {
			return nil, fmt.Errorf("preparing migrations: %w", err)
		}
	}
	return migrateAll(ctx, conn, config.World)
}

func migrateAll(ctx context.Context, conn *pgx.Conn, w loop.World) (taken []Step, err error) {
	all, err := parts()
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		known, err := appliedTo(ctx, conn, p)
		if err != nil {
			return taken, err
		}
		if err := known.fits(p); err != nil {
			return taken, err
		}
		for _, m := range p.migrations[min(known.number, len(p.migrations)):] {
			if err := apply(ctx, conn, p, m, w); err != nil {
				return taken, fmt.Errorf("migrating %s to %s: %w", p.schema, m.Name, err)
			}
			taken = append(taken, Step{string(p.schema), p.name, m.Number, m.Name, true})
		}
	}
	return taken, nil
}

func apply(ctx context.Context, conn *pgx.Conn, p part, m migration, w loop.World) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		schema := pgx.Identifier{string(p.schema)}.Sanitize()
		for _, statement := range []string{
			`CREATE SCHEMA IF NOT EXISTS ` + schema,
			`SET LOCAL search_path = ` + schema + `, shared`,
			m.Text,
		} {
			if _, err := tx.Exec(ctx, statement, pgx.QueryExecModeSimpleProtocol); err != nil { // a file has many statements
				return err
			}
		}
		_, err := tx.Exec(ctx, `INSERT INTO shared.schema_migrations (schema, part, number, name, oldest, applied_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			p.schema, p.name, m.Number, m.Name, m.oldest, store.Micro(w.Now()))
		return err
	})
}

// applied is how far a series has come in a database.
type applied struct {
	number int // of the newest step
	oldest int // that a binary must know
}

// querier is a connection or a pool of them.
type querier interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

func appliedTo(ctx context.Context, conn querier, p part) (a applied, err error) {
	var there bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('shared.schema_migrations') IS NOT NULL`).Scan(&there); err != nil || !there {
		return a, readingMigrations(err)
	}
	err = conn.QueryRow(ctx, `SELECT coalesce(max(number), 0), coalesce(max(oldest), 0) FROM shared.schema_migrations WHERE schema = $1 AND part = $2`,
		p.schema, p.name).Scan(&a.number, &a.oldest)
	return a, readingMigrations(err)
}

func readingMigrations(err error) error {
	if err != nil {
		return fmt.Errorf("reading the database's migrations: %w", err)
	}
	return nil
}

// fits reports whether this binary can run on what a database has.
func (a applied) fits(p part) error {
	if a.oldest <= len(p.migrations) {
		return nil
	}
	return fmt.Errorf("the database was made for a newer version of loop (schema %s %s %d; this version knows %d, and at least %d is needed): use that version",
		p.schema, p.name, a.number, len(p.migrations), a.oldest)
}

// errBehind is what a server says on a database that is not ready for it.
var errBehind = errors.New("the database lacks migrations of this version of loop: run loop migrate up with the same --database, then start again")

// checkSchema says what to do where the database is not ready for this binary.
func (d *Database) checkSchema(ctx context.Context) error {
	steps, err := status(ctx, d)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(steps, func(s Step) bool {
		return !s.Applied && (s.Schema == string(d.schema) || s.Schema == string(shared))
	}) {
		return errBehind
	}
	return nil
}

// connectTo opens one connection for work on the schemas, which can take as long as
// it takes.
func connectTo(ctx context.Context, config Config) (*pgx.Conn, error) {
	connect, _, err := sessions(ctx, shared, config, settings{"statement_timeout": "0", "lock_timeout": "0"})
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, connect)
	if err != nil {
		return nil, connectFault(err)
	}
	return conn, nil
}

// Exclusively keeps every other process that calls it waiting until ended is called,
// or this one is gone.
func Exclusively(ctx context.Context, config Config) (ended func(), err error) {
	conn, err := reached(ctx, config, func() (*pgx.Conn, error) { return connectTo(ctx, config) })
	if err != nil {
		return nil, err
	}
	ended = func() { _ = conn.Close(context.WithoutCancel(ctx)) } // and its lock with it
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1, 0)`, locksStarting); err != nil {
		ended()
		return nil, fmt.Errorf("waiting for other processes to have started: %w", err)
	}
	return ended, nil
}
