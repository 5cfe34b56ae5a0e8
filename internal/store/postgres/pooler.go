package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A pooler, such as PgBouncer, passes a client's statements on over connections of
// its own. By session, a client has one of them for itself until it closes: that is
// as good as no pooler, once what a start-up message would set is set by a statement,
// for poolers leave that out or refuse it. By transaction, the next transaction may
// be on another one, and nothing lasts: no setting, no prepared statement, no lock of
// a session, no notification. What writes, what leads and what hears of revocations
// needs those; what reads does not.

// settings are what each connection has set, by name.
type settings map[string]string

// query sets them, for a transaction or for a session.
func (s settings) query(local bool) string {
	var calls []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		calls = append(calls, fmt.Sprintf("set_config('%s', '%s', %t)", name, strings.ReplaceAll(s[name], "'", "''"), local))
	}
	return "SELECT " + strings.Join(calls, ", ")
}

// takeSettings takes out of a configuration what a pooler would not pass on. It
// passes the name on; options are the operator's own affair.
func takeSettings(config *pgx.ConnConfig) settings {
	taken, left := settings{}, map[string]string{}
	for name, value := range config.RuntimeParams {
		if name == "application_name" || name == "options" {
			left[name] = value
		} else {
			taken[name] = value
		}
	}
	config.RuntimeParams = left
	return taken
}

// bare is a configuration for a connection through whatever there is: nothing is set,
// and nothing must last for longer than a statement.
func bare(config *pgx.ConnConfig) *pgx.ConnConfig {
	bare := config.Copy()
	takeSettings(bare)
	bare.DefaultQueryExecMode = pgx.QueryExecModeExec
	return bare
}

// onPooledSessions has connections set by a statement, once they are made, what a
// pooler does not pass on. It is also the first that waits for one of the pooler's
// own connections.
func onPooledSessions(config *pgx.ConnConfig) {
	set := takeSettings(config).query(false)
	config.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		_, err := conn.Exec(ctx, set).ReadAll()
		if refused, ok := errors.AsType[*pgconn.PgError](err); pgconn.Timeout(err) || ok && strings.Contains(refused.Message, "query_wait_timeout") {
			err = &noSessionError{err}
		}
		return err
	}
}

// noSessionError says that the pooler had no connection of its own to give.
type noSessionError struct{ cause error }

// Unwrap gives what the pooler says.
func (e *noSessionError) Unwrap() error { return e.cause }

// Error says what to do.
func (e *noSessionError) Error() string {
	return fmt.Sprintf("the connection pooler has no session left: make its pool larger (default_pool_size in PgBouncer), or connections fewer: %v", e.cause)
}

// byTransaction is the error of an address, under its name in the configuration, that
// leads through a pooler which shares sessions.
func byTransaction(name string) error {
	return fmt.Errorf("%s leads through a connection pooler that gives each transaction another session (pool_mode=transaction in PgBouncer), where locks and notifications are lost: name the PostgreSQL server's own address in database_direct, or have the pooler pool by session", name)
}

// isPooled reports whether there is a pooler on the way: it makes up the number of
// the server's process that it names to its clients, since theirs changes.
func isPooled(ctx context.Context, config *pgx.ConnConfig) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, bare(config))
	if err != nil {
		return false, connectFault(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	return behindPooler(ctx, conn)
}

func behindPooler(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	if err := conn.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
		return false, connectFault(err)
	}
	return pid != conn.PgConn().PID(), nil
}

// How long a pooler may take to end what a closed connection has left in its session.
const (
	cleanTimeout  = 2 * time.Second
	cleanInterval = 10 * time.Millisecond
)

// sessionsLast reports whether a connection keeps its session, and ends it when it
// closes, a pooler on the way or not. It takes a lock that nobody else wants: that
// must be there for the next statement, and gone soon after the connection. By
// transaction it may stay on the server until the pooler replaces its connection.
func sessionsLast(ctx context.Context, config *pgx.ConnConfig) (pooled, last bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, bare(config))
	if err != nil {
		return false, false, connectFault(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	if pooled, err = behindPooler(ctx, conn); err != nil || !pooled {
		return pooled, err == nil, err
	}
	mark := int64(conn.PgConn().PID() >> 1) // made up by the pooler, at random
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1::int, $2::int)`, locksProbing, mark); err != nil {
		return true, false, fmt.Errorf("looking for the pooler's mode: %w", err)
	}
	if held, err := isMarked(ctx, conn, mark); err != nil || !held {
		return true, false, err
	}
	if err := conn.Close(ctx); err != nil {
		return true, false, fmt.Errorf("looking for the pooler's mode: %w", err)
	}
	last, err = isUnmarkedSoon(ctx, config, mark)
	return true, last, err
}

// isUnmarkedSoon looks again and again, on a connection of its own.
func isUnmarkedSoon(ctx context.Context, config *pgx.ConnConfig, mark int64) (bool, error) {
	conn, err := pgx.ConnectConfig(ctx, bare(config))
	if err != nil {
		return false, connectFault(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	until, cancel := context.WithTimeout(ctx, cleanTimeout)
	defer cancel()
	for until.Err() == nil {
		if held, err := isMarked(ctx, conn, mark); err != nil || !held {
			return err == nil, err
		}
		wait(until, cleanInterval)
	}
	return false, ctx.Err()
}

func isMarked(ctx context.Context, conn *pgx.Conn, mark int64) (held bool, err error) {
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::int AND objid = $2::int)`,
		locksProbing, mark).Scan(&held)
	if err != nil {
		err = fmt.Errorf("looking for the pooler's mode: %w", err)
	}
	return held, err
}
