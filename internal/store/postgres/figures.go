package postgres

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/loop-health/loop/internal/store"
)

// OnCommit calls f with every commit from now on, once it was answered.
func (d *Database) OnCommit(f func(store.Commit)) { d.observe.Store(&f) }

// Figures is how the database does. Connections are those that read and those that
// write.
func (d *Database) Figures() store.Figures {
	pool := d.readers.Stat()
	writing := len(d.every) - len(d.writers)
	return store.Figures{
		Waiting: int(d.waiting.Load()),
		Open:    int(pool.TotalConns()) + len(d.every), InUse: int(pool.AcquiredConns()) + writing,
		Waited: uint64(max(0, pool.EmptyAcquireCount())), WaitedFor: pool.EmptyAcquireWaitTime(),
		Statements: d.statements.run.Load(),
	}
}

// Ready says whether the database can be read and written at this moment: it makes a
// durable write that changes nothing.
func (d *Database) Ready(ctx context.Context) error {
	var one int
	if err := d.QueryRow(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("it can't be read: %w", err)
	}
	err := d.Write(ctx, func(tx *Tx) error {
		tx.Exec(durableNothing)
		return nil
	})
	if err != nil {
		return fmt.Errorf("it can't be written: %w", store.Cause(err))
	}
	return nil
}

// durableNothing changes nothing, and its commit is answered once everything before
// it is durable, on the standby too where there is a synchronous one.
const durableNothing = `SELECT pg_logical_emit_message(true, 'loop', '')`

// counter counts the statements that are run.
type counter struct {
	run  atomic.Uint64
	seen atomic.Pointer[func(text string)] // nil: they are not reported
}

// TraceQueryStart counts one (pgx.QueryTracer).
func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	c.run.Add(1)
	if seen := c.seen.Load(); seen != nil {
		(*seen)(data.SQL)
	}
	return ctx
}

// TraceQueryEnd does nothing (pgx.QueryTracer).
func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart counts all of a batch (pgx.BatchTracer).
func (c *counter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	c.run.Add(uint64(data.Batch.Len())) //nolint:gosec // G115: a length
	return ctx
}

// TraceBatchQuery does nothing (pgx.BatchTracer).
func (c *counter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd does nothing (pgx.BatchTracer).
func (c *counter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
