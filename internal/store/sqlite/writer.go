package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Bounds of the writer: how many acts one commit can carry, and how many can
// wait for the next.
const (
	maxBatch = 256
	maxQueue = 1024
)

// act is one transaction's worth of work on its way to the writer.
type act struct {
	ctx   context.Context //nolint:containedctx // it travels through the queue with its work
	do    func(*Tx) error
	again bool // it may be carried out twice
	done  chan error
}

// writer is the one goroutine that writes. It commits what has queued up in one
// transaction (group commit), and answers each after the commit. Each act has a
// savepoint of its own where it has company, but for those that may be carried out
// twice: they do without, and if one of them fails half way, all begin anew with them.
type writer struct {
	conn    *sql.Conn
	tx      *Tx
	ended   chan struct{}
	observe atomic.Pointer[func(store.Commit)] // nil: commits are not reported

	mu     sync.RWMutex
	closed bool
	queue  chan *act
}

func newWriter(conn *sql.Conn, world loop.World) *writer {
	w := &writer{conn: conn, queue: make(chan *act, maxQueue), ended: make(chan struct{})}
	w.tx = &Tx{world: world}
	w.tx.statements.prepare = func(ctx context.Context, query string) (*sql.Stmt, error) { return conn.PrepareContext(ctx, query) }
	go w.run()
	return w
}

// Write runs the act in a transaction and returns once it is durable. An error of
// the act undoes the act alone and is returned as it is; a failure of the
// database is loop.TemporarilyUnavailable. The act must not wait for anything
// but the database: all others wait for it.
func (d *Database) Write(ctx context.Context, do func(*Tx) error) error {
	return d.writer.write(&act{ctx: ctx, do: do, done: make(chan error, 1)})
}

// WriteAgain is Write for an act that may be carried out twice: it does nothing but
// read, decide and write.
func (d *Database) WriteAgain(ctx context.Context, do func(*Tx) error) error {
	return d.writer.write(&act{ctx: ctx, do: do, again: true, done: make(chan error, 1)})
}

func (w *writer) write(a *act) error {
	if err := w.enqueue(a); err != nil {
		return err
	}
	return <-a.done
}

func (w *writer) enqueue(a *act) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return store.Unavailable(errors.New("the database is closed"))
	}
	select {
	case w.queue <- a:
		return nil
	case <-a.ctx.Done():
		return store.Unavailable(a.ctx.Err())
	}
}

func (w *writer) run() {
	defer close(w.ended)
	batch := make([]*act, 0, maxBatch)
	for first := range w.queue {
		batch = append(batch[:0], first)
		for len(batch) < maxBatch && len(w.queue) > 0 {
			batch = append(batch, <-w.queue)
		}
		w.measured(batch)
	}
}

// measured commits a batch and reports it to whoever observes. The batch is answered
// before that: nobody waits for a figure.
func (w *writer) measured(batch []*act) {
	began := time.Now()
	err := w.commit(batch)
	if observe := w.observe.Load(); observe != nil {
		(*observe)(store.Commit{Acts: len(batch), Took: time.Since(began), Failed: err != nil})
	}
}

// commit carries out a batch in one transaction and answers every act of it. Its
// error is the database's, and what the acts without one of their own are answered.
func (w *writer) commit(batch []*act) error {
	results, err := w.transact(batch)
	answer(batch, results, err)
	return err
}

func (w *writer) transact(batch []*act) (results []error, err error) {
	if _, err := w.tx.settle(); err != nil {
		return nil, store.Unavailable(err)
	}
	attempt := w.attempt
	switch {
	case len(batch) == 1:
		attempt = w.attemptAlone
	case allAgain(batch):
		attempt = w.attemptBare
	}
	results, err = w.attemptAll(batch, attempt)
	if errors.Is(err, errHalfWay) {
		results, err = w.attemptAll(batch, w.attempt)
	}
	if err != nil {
		return results, store.Unavailable(err)
	}
	if err := w.tx.control("COMMIT"); err != nil {
		return results, w.afterFailedCommit(err)
	}
	w.tx.committed()
	return results, nil
}

func allAgain(batch []*act) bool {
	return !slices.ContainsFunc(batch, func(a *act) bool { return !a.again })
}

// afterFailedCommit answers the acts of a batch whose commit failed what became of
// them: nil where they turn out to be durable. Where they are not to be seen,
// a crash could still bring them back from the log.
func (w *writer) afterFailedCommit(cause error) error {
	_ = w.tx.control("ROLLBACK") // it may have ended by itself
	w.tx.unsettled = true
	durable, err := w.tx.settle()
	if durable {
		return nil
	}
	return store.Uncertain(errors.Join(cause, err))
}

// answer returns to each act how it ended: its own error, else the batch's.
func answer(batch []*act, results []error, all error) {
	for i, a := range batch {
		if results != nil && results[i] != nil {
			a.done <- results[i]
			continue
		}
		a.done <- all
	}
}

// attemptAll begins a transaction and runs the acts of a batch. Their errors are the
// results; with the second one the transaction is of no use any more, and all of them
// are undone.
func (w *writer) attemptAll(batch []*act, attempt func(*act) (result, broken error)) (results []error, broken error) {
	w.tx.begin()
	broken = w.tx.control("BEGIN IMMEDIATE")
	results = make([]error, len(batch))
	for i, a := range batch {
		if broken != nil {
			break
		}
		if err := a.ctx.Err(); err != nil {
			results[i] = store.Unavailable(err)
			continue
		}
		results[i], broken = attempt(a)
	}
	if broken != nil {
		_ = w.tx.control("ROLLBACK") // it may have ended by itself
		w.tx.rollback()
	}
	return results, broken
}

// attemptAlone runs an act that has the transaction for itself: that is its savepoint.
func (w *writer) attemptAlone(a *act) (result, broken error) {
	broken = w.carryOut(a)
	return ofDatabase(broken), broken
}

// errHalfWay is that of an act that failed after it had written, with nothing to go
// back to.
var errHalfWay = errors.New("an act failed half way")

// attemptBare runs an act without a savepoint.
func (w *writer) attemptBare(a *act) (result, broken error) {
	w.tx.mark()
	err := w.carryOut(a)
	if err == nil {
		return nil, nil
	}
	w.tx.undo()
	if _, failed := errors.AsType[*sqlite.Error](err); failed || w.tx.wrote {
		return nil, errHalfWay
	}
	return err, nil
}

// attempt runs one act in its own savepoint.
func (w *writer) attempt(a *act) (result, broken error) {
	if err := w.tx.control("SAVEPOINT act"); err != nil {
		return store.Unavailable(err), err
	}
	w.tx.mark()
	err := w.carryOut(a)
	if err == nil {
		err = w.tx.control("RELEASE act")
	}
	if err == nil {
		return nil, nil
	}
	w.tx.undo()
	if failed := w.tx.control("ROLLBACK TO act"); failed != nil { // the database ended the transaction by itself
		broken = errors.Join(err, failed)
	}
	return ofDatabase(err), broken
}

// carryOut runs an act. A statement that failed is its error, whatever the act made
// of it.
func (w *writer) carryOut(a *act) error {
	w.tx.failed = nil
	err := protect(a.do, w.tx)
	if w.tx.failed != nil {
		return w.tx.failed
	}
	return err
}

// ofDatabase recognises a failure of the database, after which the act is undone,
// from the act's own answer.
func ofDatabase(err error) error {
	if _, failed := errors.AsType[*sqlite.Error](err); failed {
		return store.Unavailable(err)
	}
	return err
}

// protect keeps a panic of one act from ending the writer.
func protect(do func(*Tx) error, tx *Tx) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a transaction: %v\n%s", cause, debug.Stack())
		}
	}()
	return do(tx)
}

// close commits what is queued and ends the goroutine.
func (w *writer) close() error {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.ended
	w.tx.statements.close()
	return w.conn.Close()
}

// createPrivate makes the file where it is missing, for its owner's eyes only;
// SQLite gives its side files the same mode.
func createPrivate(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // G304: the path is the operator's
	if err != nil {
		return err
	}
	return file.Close()
}
