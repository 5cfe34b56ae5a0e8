package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATEs of a refused connection.
const (
	wrongPassword  = "28P01"
	wrongUser      = "28000"
	noDatabase     = "3D000"
	startingUp     = "57P03"
	tooManyClients = "53300"
)

// connectFault says in one sentence why there is no connection, and what to do. The
// driver repeats itself for each address and each way that it tried.
func connectFault(err error) error {
	return fmt.Errorf("connecting to the database: %w", &connectError{cause: err})
}

// connectError is a refused connection.
type connectError struct{ cause error }

// Unwrap gives what the driver says.
func (e *connectError) Unwrap() error { return e.cause }

// Error is the sentence.
func (e *connectError) Error() string {
	if pooler, ok := errors.AsType[*noSessionError](e.cause); ok {
		return pooler.Error()
	}
	if refused, ok := errors.AsType[*pgconn.PgError](e.cause); ok {
		return refusal(refused)
	}
	if dns, ok := errors.AsType[*net.DNSError](e.cause); ok {
		return fmt.Sprintf("the name %s is not known: look whether the host in the address is right", dns.Name)
	}
	if dial, ok := errors.AsType[*net.OpError](e.cause); ok && dial.Op == "dial" {
		return fmt.Sprintf("nobody answers at %s: look whether PostgreSQL runs there, and whether the address is right (%v)", dial.Addr, dial.Err)
	}
	return e.cause.Error()
}

func refusal(refused *pgconn.PgError) string {
	switch refused.Code {
	case wrongPassword, wrongUser:
		return fmt.Sprintf("the server refuses the user or the password: %s", refused.Message)
	case noDatabase:
		return fmt.Sprintf("%s: create it (createdb), or name another in the address", refused.Message)
	case startingUp:
		return fmt.Sprintf("the server does not take connections yet: %s", refused.Message)
	case tooManyClients:
		return fmt.Sprintf("the server has no room for another connection: raise its max_connections, or lower connections here (%s)", refused.Message)
	}
	return fmt.Sprintf("the server refuses the connection: %s (%s)", refused.Message, refused.Code)
}

// comesUp reports whether an error may be gone once the server has started: nobody
// answers, its name is not known yet, or it says that it starts.
func comesUp(err error) bool {
	refused, isRefused := errors.AsType[*pgconn.PgError](err)
	if isRefused {
		return refused.Code == startingUp
	}
	_, unknown := errors.AsType[*net.DNSError](err)
	dial, dialled := errors.AsType[*net.OpError](err)
	return unknown || dialled && dial.Op == "dial"
}

// askInterval is how often a server that is not up yet is asked again.
const askInterval = 500 * time.Millisecond

// reached does what connects, and again while the server is not up, for as long as the
// configuration says. That it waits is said once.
func reached[T any](ctx context.Context, config Config, connect func() (T, error)) (T, error) {
	until := time.Now().Add(config.Wait)
	value, err := connect()
	if comesUp(err) && config.Wait > 0 {
		config.Log.WarnContext(ctx, "the database does not answer yet: waiting for it", "at_most", config.Wait.String(), "cause", err)
	}
	for comesUp(err) && ctx.Err() == nil && time.Now().Before(until) {
		wait(ctx, askInterval)
		value, err = connect()
	}
	return value, err
}
