package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/store"
)

// OnCommit calls f with every commit from now on. It MUST return at once: the
// writer waits for it.
func (d *Database) OnCommit(f func(store.Commit)) { d.writer.observe.Store(&f) }

// Figures is how the database does.
func (d *Database) Figures() store.Figures {
	pool := d.readers.Stats()
	return store.Figures{
		Waiting: len(d.writer.queue), Open: pool.OpenConnections, InUse: pool.InUse,
		Waited: uint64(max(0, pool.WaitCount)), WaitedFor: pool.WaitDuration,
		Statements: d.reading.run.Load() + d.writer.tx.statements.run.Load(),
	}
}

// Ready says whether the database can be read and written at this moment: it
// makes a durable write that changes nothing, so that a full disk, or one that
// can only be read, is found before a request finds it.
func (d *Database) Ready(ctx context.Context) error {
	var one int
	if err := d.QueryRowContext(ctx, `SELECT 1`).Scan(&one); err != nil {
		return fmt.Errorf("it can't be read: %w", err)
	}
	err := d.Write(ctx, func(tx *Tx) error {
		tx.Exec(`PRAGMA user_version = 0`) // written, whatever it was
		return nil
	})
	if err != nil {
		return fmt.Errorf("it can't be written: %w", store.Cause(err))
	}
	return nil
}
