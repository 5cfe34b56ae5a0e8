package credential

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// turn says who of those that wait is next.
type turn int

// Who proves a password comes before who chooses one: sign-ups must not keep
// members out.
const (
	proving turn = iota
	choosing
	turns
)

// Bounds of the queue: whoever comes later would wait for some seconds, and longer
// than people do.
const (
	waitingForEach   = 256 // for each that is hashed at once
	insidePerNetwork = 64  // that hash or wait, from one network
)

// queue lets a few in at a time, in order, and bounds who waits. Safe for
// concurrent use.
type queue struct {
	room int

	mu       sync.Mutex
	working  int
	waiting  [turns][]chan struct{} // closed when it is their turn
	networks map[loop.Network]int
}

func newQueue(room int) *queue { return &queue{room: room, networks: map[loop.Network]int{}} }

// enter waits for a turn; leave gives it to the next. TemporarilyUnavailable where
// too many wait, altogether or from the network, or ctx ends before.
func (q *queue) enter(ctx context.Context, from loop.Network, t turn) (leave func(), err error) {
	ready, err := q.line(from, t)
	if err != nil {
		return nil, err
	}
	leave = func() { q.leave(from) }
	select {
	case <-ready:
		return leave, nil
	case <-ctx.Done():
		q.abandon(from, t, ready)
		return nil, tooMany(ctx.Err())
	}
}

func (q *queue) line(from loop.Network, t turn) (ready chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	waiting := len(q.waiting[proving]) + len(q.waiting[choosing])
	if waiting >= waitingForEach*q.room || q.networks[from] >= insidePerNetwork {
		return nil, tooMany(nil)
	}
	q.networks[from]++
	ready = make(chan struct{})
	if q.working < q.room {
		q.working++
		close(ready)
	} else {
		q.waiting[t] = append(q.waiting[t], ready)
	}
	return ready, nil
}

// leave lets the next in.
func (q *queue) leave(from loop.Network) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(from)
	q.next()
}

// abandon takes out who waits no longer; where their turn had come, the next has it.
func (q *queue) abandon(from loop.Network, t turn, ready chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.forget(from)
	if at := slices.Index(q.waiting[t], ready); at >= 0 {
		q.waiting[t] = slices.Delete(q.waiting[t], at, at+1)
		return
	}
	q.next()
}

func (q *queue) next() {
	for t, waiting := range q.waiting {
		if len(waiting) > 0 {
			q.waiting[t] = waiting[1:]
			close(waiting[0])
			return
		}
	}
	q.working--
}

func (q *queue) forget(from loop.Network) {
	if q.networks[from]--; q.networks[from] == 0 {
		delete(q.networks, from)
	}
}

func (q *queue) load() (working, waiting, room int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.working, len(q.waiting[proving]) + len(q.waiting[choosing]), q.room
}

// tooMany is the answer where there is no room to hash.
func tooMany(cause error) error {
	e := loop.Errorf(loop.TemporarilyUnavailable, "Too many people are signing in at this moment. Try again.").Because(cause)
	e.RetryAfter = 5 * time.Second
	return e
}
