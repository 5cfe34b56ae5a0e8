package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/store"
)

// How long it is tried to find out what became of a commit, and how often.
const (
	settleTimeout  = 8 * time.Second
	settleInterval = 50 * time.Millisecond
)

// settle finds out what became of a transaction whose commit was sent and not
// answered. It returns nil where the transaction is durable, and else an error
// that says whether anything can have been written.
//
// The transaction's newest audit record decides: it is there or it is not. Where it
// is not, it can still come for as long as the server works on the connection that
// was lost: so that one is ended first, and then looked again.
func (w *writer) settle(tx *Tx, cause error) error {
	if cause == nil {
		cause = errors.New("the server warned that the commit may not have reached its standby")
	}
	lane, backend := w.lane, w.backend
	w.hangUp()
	w.lane = nil
	if lane == nil || !lane.moved() { // nothing that could be looked for
		return store.Uncertain(cause)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tx.ctx), settleTimeout)
	defer cancel()
	for {
		outcome, err := w.outcome(ctx, lane, backend)
		switch {
		case err == nil && outcome == durable:
			return nil
		case err == nil && outcome == undone:
			return store.Unavailable(cause)
		case ctx.Err() != nil:
			return store.Uncertain(errors.Join(cause, err))
		}
		wait(ctx, settleInterval)
	}
}

type outcome int

const (
	unknown outcome = iota
	durable
	undone
)

// outcome looks once, on a connection of its own.
func (w *writer) outcome(ctx context.Context, lane *lane, backend backend) (outcome, error) {
	var warned bool
	config := w.database.connect.Copy()
	config.OnNotice = warnings(&warned)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return unknown, connectFault(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it is over
	var alive bool
	err = conn.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2`,
		backend.pid, backend.started).Scan(&alive)
	if err != nil {
		return unknown, err
	}
	stored, err := lane.isStored(ctx, conn)
	switch {
	case err != nil:
		return unknown, err
	case !stored && alive:
		return unknown, nil
	case !stored:
		return undone, nil
	}
	// What can be seen here is not yet on the standby. A commit of a later position
	// in the log is answered once everything before it is there.
	if _, err := conn.Exec(ctx, durableNothing); err != nil || warned {
		return unknown, err
	}
	return durable, nil
}

// wait waits for a while, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
