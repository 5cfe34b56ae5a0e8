package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Bounds of a gathering: how many acts one commit can carry, how many transactions are
// under way at once, and how many acts can wait for the next.
const (
	maxTogether = 64
	maxAtOnce   = 4
	maxWaiting  = 4096
)

// One transaction begins beside another once so many acts wait, or one has waited for
// so long: that is longer than a commit takes where the database is near.
const (
	enoughTogether = 8
	longEnough     = 4 * time.Millisecond
)

// gathering carries out acts of one kind together: all that wait when a connection is
// free share a transaction, of two round trips and one commit (group commit). None of
// them waits for another's sake:
//
//   - an act that ends with an error of its own leaves nothing in what is committed;
//   - one that would have to wait for somebody's lock is taken out and carried out by
//     itself, and so are all of a transaction that the server has undone;
//   - two acts that would meet are in different transactions.
//
// An act is answered once what it wrote is durable. It can be carried out twice, and
// MUST do nothing but read, decide and write.
type gathering[T any] struct {
	database *Database
	// read has the transaction read what the acts rest on, in one round trip, and marks
	// those that must be carried out alone; nil: they rest on nothing.
	read func(tx *Tx, together []*errand[T]) error
	// act decides, and gathers what is written.
	act func(tx *Tx, of T) error
	// last gathers what comes behind all that is written, so that what many wait for is
	// locked for a short time; nil: nothing does.
	last func(tx *Tx, of T)
	// alone carries out one act by itself, and waits where it has to.
	alone func(ctx context.Context, of T) error

	mu      sync.Mutex
	waiting []*errand[T]
	running int  // transactions
	timed   bool // another one may begin in a while
}

// errand is an act on its way.
type errand[T any] struct {
	ctx   context.Context //nolint:containedctx // it waits with its work
	apart string          // acts with the same one are not carried out together; empty: they may be
	of    T
	alone bool
	err   error
	done  chan error
}

// errAlone has whoever waits for an act carry it out by itself.
var errAlone = errors.New("it is carried out alone")

// do carries out an act, and returns once it is durable. Acts with the same apart are
// not carried out together; an empty one is no hindrance.
func (g *gathering[T]) do(ctx context.Context, apart string, of T) error {
	e := &errand[T]{ctx: ctx, apart: apart, of: of, done: make(chan error, 1)}
	if !g.enqueue(e) {
		return store.Unavailable(errors.New("too many acts are waiting for a connection that writes"))
	}
	return g.wait(e)
}

// wait returns once an act is durable, or has failed.
func (g *gathering[T]) wait(e *errand[T]) error {
	if err := <-e.done; !errors.Is(err, errAlone) {
		return err
	}
	return g.alone(e.ctx, e.of)
}

func (g *gathering[T]) enqueue(e *errand[T]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) >= maxWaiting {
		return false
	}
	g.waiting = append(g.waiting, e)
	g.database.waiting.Add(1)
	switch {
	case g.running == 0, len(g.waiting) >= enoughTogether:
		g.begin()
	case !g.timed:
		g.timed = true
		time.AfterFunc(longEnough, g.beginAnother)
	}
	return true
}

// begin has one more transaction begin, where that may be.
func (g *gathering[T]) begin() {
	if g.running < maxAtOnce && len(g.waiting) > 0 {
		g.running++
		go g.run()
	}
}

// beginAnother is begin once an act has waited for a while.
func (g *gathering[T]) beginAnother() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timed = false
	g.begin()
}

// run carries out what waits, until nothing does.
func (g *gathering[T]) run() {
	for together := g.next(); together != nil; together = g.next() {
		var carried *Tx
		err := g.database.writeAll(context.Background(), len(together), func(tx *Tx) error {
			carried = tx
			return g.carryOut(tx, together)
		})
		forOne := err != nil && carried != nil && carried.isForOne(err)
		for _, e := range together {
			e.done <- e.outcome(err, forOne)
		}
	}
}

// next takes the acts that go together, the oldest first; nil where none waits, and
// then the caller MUST end.
func (g *gathering[T]) next() (together []*errand[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) == 0 {
		g.running--
		return nil
	}
	taken := make(map[string]bool, len(g.waiting))
	left := g.waiting[:0]
	for _, e := range g.waiting {
		if len(together) == maxTogether || e.apart != "" && taken[e.apart] {
			left = append(left, e)
			continue
		}
		taken[e.apart] = true
		together = append(together, e)
	}
	clear(g.waiting[len(left):])
	g.waiting = left
	g.database.waiting.Add(-int64(len(together)))
	return together
}

// carryOut decides on all acts, and gathers what they write.
func (g *gathering[T]) carryOut(tx *Tx, together []*errand[T]) error {
	for _, e := range together {
		if err := e.ctx.Err(); err != nil {
			e.err = store.Unavailable(err) // who asked has gone
		}
	}
	if g.read != nil {
		if err := g.read(tx, together); err != nil {
			return err
		}
	}
	for _, e := range together {
		if e.alone || e.err != nil {
			continue
		}
		e.err = tx.part(func(part *Tx) error { return g.act(part, e.of) })
	}
	for _, e := range together {
		if g.last != nil && !e.alone && e.err == nil {
			g.last(tx, e.of)
		}
	}
	return nil
}

// outcome is what became of an act: its own error, or that of the transaction. What was
// undone for one act's sake is tried again, each alone.
func (e *errand[T]) outcome(transaction error, forOne bool) error {
	switch {
	case e.alone, forOne:
		return errAlone
	case transaction != nil:
		return transaction
	}
	return e.err
}

// isForOne reports whether the transaction was undone for something that need not be
// the fault of all: a row that was not as it was read, a lock that was not to be had.
func (tx *Tx) isForOne(err error) bool {
	_, refused := errors.AsType[*pgconn.PgError](err)
	return (tx.missed || refused) && !errors.Is(err, loop.ErrOutcomeUnknown)
}
