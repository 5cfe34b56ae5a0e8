package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// Time limits. What takes longer is given up, so that nothing waits for long
// behind it; a transaction as a whole has actTimeout.
const (
	statementTimeout = 5 * time.Second
	lockTimeout      = 3 * time.Second
	actTimeout       = 10 * time.Second
	connectTimeout   = 5 * time.Second
)

// DefaultConnections is how many connections a schema's readers have at most, and
// its writers.
const DefaultConnections = 8

// Config is what a database needs.
type Config struct {
	URL         string // postgres://…, as libpq takes it; several hosts for a failover
	Direct      string // the same server past the pooler that URL leads through; empty: URL is for all
	Connections int    // of the readers at most, and of the writers; 0: DefaultConnections
	World       loop.World
	Log         *slog.Logger
	// Wait is how long a start waits for a server that does not take connections yet; 0:
	// not at all.
	Wait time.Duration
}

// Database is one schema of a PostgreSQL database, with what all roles share.
type Database struct {
	schema  Schema
	config  Config
	readers *pgxpool.Pool
	connect *pgx.ConnConfig // of what writes, and of what leads
	writers chan *writer    // those that are free
	every   []*writer
	closed  chan struct{}
	once    sync.Once

	generation atomic.Uint64 // of connections: those of one before are given up
	waiting    atomic.Int64  // acts without a writer
	statements *counter
	observe    atomic.Pointer[func(store.Commit)] // nil: commits are not reported

	setLocally string // what each transaction of a reader sets first; empty: its connection has it

	keys     audit.Keys
	laneName string // empty before StartAudit
}

// Open opens a schema. It MUST have been migrated (Migrate): one that lacks a
// migration, or that has one which this binary cannot run with, is an error that
// says what to do.
func Open(ctx context.Context, schema Schema, config Config) (*Database, error) {
	d := &Database{schema: schema, config: config, closed: make(chan struct{}), statements: new(counter)}
	if err := d.openReaders(ctx); err != nil {
		return nil, err
	}
	if err := d.checkSchema(ctx); err != nil {
		d.readers.Close()
		return nil, err
	}
	most := d.readers.Config().MaxConns
	d.writers = make(chan *writer, most)
	for range most {
		w := &writer{database: d}
		d.every = append(d.every, w)
		d.writers <- w
	}
	return d, nil
}

// openReaders makes the pool that reads, and finds out how to connect for the rest.
func (d *Database) openReaders(ctx context.Context) (err error) {
	if d.connect, _, err = sessions(ctx, d.schema, d.config, nil); err != nil {
		return err
	}
	pool, err := parse(d.schema, d.config.URL, d.config)
	if err != nil {
		return err
	}
	if d.config.Direct == "" {
		pool.ConnConfig = d.connect.Copy()
	} else {
		pooled, err := isPooled(ctx, pool.ConnConfig)
		if err != nil {
			return err
		}
		if pooled {
			d.setLocally = takeSettings(pool.ConnConfig).query(true)
			pool.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
		}
	}
	d.connect.Tracer, pool.ConnConfig.Tracer = d.statements, d.statements
	if d.readers, err = pgxpool.NewWithConfig(ctx, pool); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	return nil
}

// sessions is how to connect where a connection keeps something from one transaction
// to the next, and whether a pooler gives it sessions. More is set beside what every
// connection has.
func sessions(ctx context.Context, schema Schema, config Config, more settings) (connect *pgx.ConnConfig, pooled bool, err error) {
	address, name := config.URL, "the database's address"
	if config.Direct != "" {
		address, name = config.Direct, "database_direct"
	}
	parsed, err := parse(schema, address, config)
	if err != nil {
		return nil, false, err
	}
	connect = parsed.ConnConfig
	maps.Copy(connect.RuntimeParams, more)
	pooled, last, err := sessionsLast(ctx, connect)
	switch {
	case err != nil:
		return nil, pooled, err
	case !last:
		return nil, pooled, byTransaction(name)
	case pooled:
		onPooledSessions(connect)
	}
	return connect, pooled, nil
}

// parse reads an address. What the platform depends on is set on every
// connection, whatever the server's own settings are.
func parse(schema Schema, address string, config Config) (*pgxpool.Config, error) {
	parsed, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The error repeats the address without its password, but not without
		// the rest: none of it is said.
		return nil, errors.New("the database's address cannot be read: it has the form postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full")
	}
	parsed.MaxConns = int32(config.Connections) //nolint:gosec // G115: an operator's small number
	if config.Connections <= 0 {
		parsed.MaxConns = DefaultConnections
	}
	parsed.ConnConfig.ConnectTimeout = connectTimeout
	if len(parsed.ConnConfig.Fallbacks) > 0 && parsed.ConnConfig.ValidateConnect == nil {
		parsed.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite // of several hosts, the one that takes writes
	}
	for name, value := range map[string]string{
		"application_name":                    "loop " + string(schema),
		"search_path":                         string(schema) + "," + string(shared),
		"statement_timeout":                   milliseconds(statementTimeout),
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(actTimeout),
		"synchronous_commit":                  "on", // at least; a role or database may not weaken it
	} {
		parsed.ConnConfig.RuntimeParams[name] = value
	}
	return parsed, nil
}

func milliseconds(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }

// QueryRow reads one row from the pool.
func (d *Database) QueryRow(ctx context.Context, query string, args ...any) pgx.Row {
	if d.setLocally != "" {
		return pooledRow{ctx, d, query, args}
	}
	return d.readers.QueryRow(ctx, query, args...)
}

// Row reads one row from the pool (tables.Reader).
func (d *Database) Row(ctx context.Context, query string, args ...any) tables.Scanner {
	return d.QueryRow(ctx, query, args...)
}

// pooledRow is a row that is read when it is scanned.
type pooledRow struct {
	ctx   context.Context //nolint:containedctx // of this one read
	d     *Database
	query string
	args  []any
}

// Scan reads the row's columns; sql.ErrNoRows where there is none.
func (r pooledRow) Scan(dest ...any) error {
	return r.d.read(r.ctx, `BEGIN READ ONLY`, func(batch *pgx.Batch) {
		batch.Queue(r.query, r.args...).QueryRow(func(row pgx.Row) error { return row.Scan(dest...) })
	})
}

// read sends what is queued in a transaction of its own, at once.
func (d *Database) read(ctx context.Context, begin string, queue func(*pgx.Batch)) error {
	batch := &pgx.Batch{}
	batch.Queue(begin)
	if d.setLocally != "" {
		batch.Queue(d.setLocally)
	}
	queue(batch)
	batch.Queue(`COMMIT`)
	return d.readers.SendBatch(ctx, batch).Close()
}

// Rows gives every row of a query to scan (tables.Reader).
func (d *Database) Rows(ctx context.Context, scan func(tables.Scanner) error, query string, args ...any) error {
	if d.setLocally != "" {
		return d.pooledRows(ctx, scan, query, args...)
	}
	rows, err := d.readers.Query(ctx, query, args...)
	if err != nil {
		return store.Unreadable(err)
	}
	return eachRow(rows, scan)
}

func (d *Database) pooledRows(ctx context.Context, scan func(tables.Scanner) error, query string, args ...any) error {
	var scanned error
	err := d.read(ctx, `BEGIN READ ONLY`, func(batch *pgx.Batch) {
		batch.Queue(query, args...).Query(func(rows pgx.Rows) error {
			scanned = eachRow(rows, scan)
			return scanned
		})
	})
	if scanned == nil && err != nil {
		return store.Unreadable(err)
	}
	return scanned
}

// eachRow gives every row to scan, until it returns an error, and closes them. A
// failure of the database is loop.TemporarilyUnavailable.
func eachRow(rows pgx.Rows, scan func(tables.Scanner) error) error {
	defer rows.Close()
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

// list reads all rows of a query.
func list[T any](ctx context.Context, d *Database, scan func(tables.Scanner) (T, error), query string, args ...any) (all []T, err error) {
	err = d.Rows(ctx, into(&all, scan), query, args...)
	return all, err
}

// collect reads what is left of a result, and closes it.
func collect[T any](rows pgx.Rows, scan func(tables.Scanner) (T, error)) ([]T, error) {
	var all []T
	err := eachRow(rows, into(&all, scan))
	return all, err
}

// into has each row that is scanned appended.
func into[T any](all *[]T, scan func(tables.Scanner) (T, error)) func(tables.Scanner) error {
	return func(row tables.Scanner) error {
		one, err := scan(row)
		if err == nil {
			*all = append(*all, one)
		}
		return err
	}
}

// Write runs the act in a transaction and returns once it is durable. An error of
// the act undoes it and is returned as it is; a failure of the database is
// loop.TemporarilyUnavailable, with loop.ErrOutcomeUnknown in it where nobody can
// know what became of the commit. A caller who goes away does not end it half way.
func (d *Database) Write(ctx context.Context, act func(*Tx) error) error {
	return d.writeAll(ctx, 1, act)
}

// writeAll is Write for so many acts in one transaction.
func (d *Database) writeAll(ctx context.Context, acts int, act func(*Tx) error) error {
	w, err := d.take(ctx)
	if err != nil {
		return store.Unavailable(err)
	}
	defer func() { d.writers <- w }()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), actTimeout)
	defer cancel()
	began := time.Now()
	err = w.write(ctx, act)
	if observe := d.observe.Load(); observe != nil {
		(*observe)(store.Commit{Acts: acts, Took: time.Since(began), Failed: isUnanswered(err)})
	}
	return err
}

// alone runs a statement that no transaction may be around and that may take its time,
// in the place of a connection that writes: no more are open than were configured.
func (d *Database) alone(ctx context.Context, statement string) error {
	w, err := d.take(ctx)
	if err != nil {
		return store.Unavailable(err)
	}
	defer func() { d.writers <- w }()
	w.hangUp()
	conn, err := connectTo(ctx, d.config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	_, err = conn.Exec(ctx, statement)
	return err
}

// isUnanswered reports whether an error is the database's, not the act's own.
func isUnanswered(err error) bool {
	public, ok := errors.AsType[*loop.Error](err)
	return ok && public.Code == loop.TemporarilyUnavailable
}

var errClosed = errors.New("the database is closed")

// take waits for a writer that is free.
func (d *Database) take(ctx context.Context) (*writer, error) {
	d.waiting.Add(1)
	defer d.waiting.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, actTimeout)
	defer cancel()
	select {
	case <-d.closed:
		return nil, errClosed
	default:
	}
	select {
	case w := <-d.writers:
		return w, nil
	case <-d.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, fmt.Errorf("all %d connections that write are busy: %w", len(d.every), ctx.Err())
	}
}

// Renew gives all connections up, each as soon as it is free: they were cut, or may
// lead to a server that is none any more. Those who find it out by themselves would
// have to send somebody something.
func (d *Database) Renew() {
	d.generation.Add(1)
	d.readers.Reset()
}

// Close waits for the acts that are under way, and closes the connections.
func (d *Database) Close() error {
	d.once.Do(func() {
		close(d.closed)
		for range d.every {
			(<-d.writers).hangUp()
		}
		d.readers.Close()
	})
	return nil
}
