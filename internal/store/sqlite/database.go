// Package sqlite keeps the platform's state in SQLite files: one engine
// (database.go, writer.go, tx.go, migrate.go), and on it what identity and
// clinical keep, one file per type.
//
// Everything is written by one goroutine that commits what has queued up in one
// transaction; everything else reads from a pool. The rules of what is written
// are in the rooms that declare the interfaces.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// Database is one SQLite file, open.
type Database struct {
	world   loop.World
	log     *slog.Logger
	path    string
	readers *sql.DB
	writers *sql.DB
	writer  *writer
	reading statements
	lane    *lane // nil until StartAudit
}

// Open opens the file, creates it where it is missing, and applies the
// migrations of the schema that it lacks. A file from a newer version is refused
// in one sentence.
func Open(ctx context.Context, path string, schema fs.FS, w loop.World, log *slog.Logger) (*Database, error) {
	d := &Database{world: w, log: log, path: path}
	if err := d.open(ctx, schema); err != nil {
		_ = d.Close()
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return d, nil
}

func (d *Database) open(ctx context.Context, schema fs.FS) error {
	if err := createPrivate(d.path); err != nil {
		return err
	}
	var err error
	if d.writers, err = sql.Open("sqlite", dataSource(d.path, "rwc")); err != nil {
		return err
	}
	d.writers.SetMaxOpenConns(1)
	conn, err := d.writers.Conn(ctx)
	if err != nil {
		return err
	}
	if err := migrate(ctx, conn, schema, d.world); err != nil {
		_ = conn.Close()
		return err
	}
	if d.readers, err = sql.Open("sqlite", dataSource(d.path, "ro")); err != nil {
		_ = conn.Close()
		return err
	}
	pool := max(4, 2*runtime.NumCPU())
	d.readers.SetMaxOpenConns(pool)
	d.readers.SetMaxIdleConns(pool)
	d.reading.prepare = func(ctx context.Context, query string) (*sql.Stmt, error) {
		return d.readers.PrepareContext(ctx, query)
	}
	d.writer = newWriter(conn, d.world)
	return nil
}

// dataSource names the file with the settings that every connection has: a
// write-ahead log that is synced at each commit.
func dataSource(path, mode string) string {
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)",
		"secure_delete(ON)", "temp_store(MEMORY)", "cache_size(-32768)", "journal_size_limit(67108864)",
	}, "mode": {mode}, "_txlock": {"immediate"}}
	if mode == "ro" {
		pragmas.Set("_pragma", "busy_timeout(10000)")
		pragmas.Add("_pragma", "query_only(ON)")
		pragmas.Add("_pragma", "cache_size(-16384)")
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()}).String()
}

// QueryContext reads rows from the pool.
func (d *Database) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := d.reading.get(ctx, query) //nolint:sqlclosecheck // kept: Close closes it
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

// QueryRowContext reads one row from the pool. It is over before a cancellation
// could help, and watching for one would cost more than the read.
func (d *Database) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	ctx = context.WithoutCancel(ctx)
	stmt, err := d.reading.get(ctx, query) //nolint:sqlclosecheck // kept: Close closes it
	if err != nil {
		return d.readers.QueryRowContext(ctx, query, args...) // says the same error when it is scanned
	}
	return stmt.QueryRowContext(ctx, args...)
}

// Row reads one row from the pool (tables.Reader).
func (d *Database) Row(ctx context.Context, query string, args ...any) tables.Scanner {
	return d.QueryRowContext(ctx, query, args...)
}

// Rows gives every row of a query to scan (tables.Reader).
func (d *Database) Rows(ctx context.Context, scan func(tables.Scanner) error, query string, args ...any) error {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return store.Unreadable(err)
	}
	return eachRow(rows, scan)
}

// eachRow gives every row to scan, until it returns an error, and closes them.
func eachRow(rows *sql.Rows, scan func(tables.Scanner) error) error {
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return store.Unreadable(err)
	}
	return nil
}

// Do is Write for acts that are the same on every engine (tables.Database).
func (d *Database) Do(ctx context.Context, act func(tables.Act) error) error {
	return d.Write(ctx, func(tx *Tx) error { return act(tx) })
}

// Close commits what is queued and closes the file.
func (d *Database) Close() error {
	var first error
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	if d.writer != nil {
		keep(d.writer.close())
	}
	d.reading.close()
	if d.readers != nil {
		keep(d.readers.Close())
	}
	if d.writers != nil {
		keep(d.writers.Close())
	}
	return first
}

// statements keeps what has been prepared, by its text. The texts are the
// code's own, so there are only so many.
type statements struct {
	prepare func(ctx context.Context, query string) (*sql.Stmt, error)
	run     atomic.Uint64 // how many were asked for
	mu      sync.RWMutex
	byText  map[string]*sql.Stmt
}

func (s *statements) get(ctx context.Context, query string) (*sql.Stmt, error) {
	s.run.Add(1)
	s.mu.RLock()
	stmt, ok := s.byText[query]
	s.mu.RUnlock()
	if ok {
		return stmt, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt, ok := s.byText[query]; ok {
		return stmt, nil
	}
	stmt, err := s.prepare(ctx, query) //nolint:sqlclosecheck // kept: close closes it
	if err != nil {
		return nil, fmt.Errorf("preparing a statement: %w", err)
	}
	if s.byText == nil {
		s.byText = map[string]*sql.Stmt{}
	}
	s.byText[query] = stmt
	return stmt, nil
}

func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stmt := range s.byText {
		_ = stmt.Close()
	}
	s.byText = nil
}
