package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loop-health/loop/internal/store"
)

// writer is a place for one connection that writes. It connects when there is
// something to write, and anew after a failure.
type writer struct {
	database *Database
	conn     *pgx.Conn // nil: not connected
	lane     *lane     // nil before StartAudit
	backend  backend
	of       uint64 // the connection's generation
	warned   bool   // the server had something to say about the present commit
}

// backend names a process of the server: pids come again.
type backend struct {
	pid     uint32
	started time.Time
}

// write carries out one act.
func (w *writer) write(ctx context.Context, act func(*Tx) error) error {
	if err := w.connect(ctx); err != nil {
		return store.Unavailable(err)
	}
	tx := newTx(ctx, w)
	err := w.carryOut(tx, act)
	for _, f := range tx.atEnd {
		f()
	}
	return err
}

func (w *writer) carryOut(tx *Tx, act func(*Tx) error) error {
	if err := protect(act, tx); err != nil {
		return w.undo(tx, err)
	}
	w.warned = false
	err := tx.commit()
	switch {
	case err == nil && !w.warned:
	case isRefusal(err):
		return w.undo(tx, err)
	default: // the commit was sent, and no clear answer came
		if err := w.settle(tx, err); err != nil {
			return err
		}
	}
	if w.lane != nil {
		w.lane.committed()
	}
	for _, f := range tx.afterCommit {
		f()
	}
	return nil
}

// isRefusal reports whether the server itself undid the transaction, on a
// connection that goes on: then nothing was committed.
func isRefusal(err error) bool {
	if _, ok := errors.AsType[expectedError](err); ok {
		return true
	}
	refused, ok := errors.AsType[*pgconn.PgError](err)
	return ok && refused.SeverityUnlocalized == "ERROR"
}

// undo takes everything back after an error before the commit, and returns it: the
// act's own error as it is, a failure of the database as loop.TemporarilyUnavailable.
func (w *writer) undo(tx *Tx, cause error) error {
	if w.lane != nil {
		w.lane.rollback()
	}
	if err := tx.rollback(); err != nil || w.conn.IsClosed() {
		w.hangUp()
	}
	if expected, ok := errors.AsType[expectedError](cause); ok {
		return expected.error
	}
	_, refused := errors.AsType[*pgconn.PgError](cause)
	if refused || pgconn.Timeout(cause) || w.conn == nil {
		return store.Unavailable(cause)
	}
	return cause
}

// protect keeps a panic of one act from ending the process with a transaction open.
func protect(act func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", cause, debug.Stack())
		}
	}()
	return act(tx)
}

// connect connects, and takes up a lane of the audit chain, where that is missing.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil && (w.conn.IsClosed() || w.of != w.database.generation.Load()) {
		w.hangUp()
	}
	if w.conn == nil {
		if err := w.dial(ctx); err != nil {
			return err
		}
	}
	if w.lane != nil || w.database.laneName == "" {
		return nil
	}
	var err error
	if w.lane, err = takeLane(ctx, w.conn, w.database); err != nil {
		w.hangUp()
	}
	return err
}

func (w *writer) dial(ctx context.Context) error {
	config := w.database.connect.Copy()
	config.OnNotice = warnings(&w.warned)
	w.of = w.database.generation.Load()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return connectFault(err)
	}
	w.conn = conn
	err = conn.QueryRow(ctx, `SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()`).Scan(&w.backend.pid, &w.backend.started)
	if err != nil {
		w.hangUp()
		return connectFault(err)
	}
	return nil
}

// warnings notes that the server warned. It does where a commit did not wait for
// its standby to the end, and calls the commit a success.
func warnings(warned *bool) pgconn.NoticeHandler {
	return func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		*warned = *warned || notice.SeverityUnlocalized == "WARNING"
	}
}

// hangUp gives the connection up, and its lane with it.
func (w *writer) hangUp() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = w.conn.Close(ctx) // it is given up, whatever comes of it
	w.conn, w.lane = nil, nil
}
