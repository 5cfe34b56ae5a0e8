package credential

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

// full reports whether an error says that there is no room.
func full(err error) bool {
	e, ok := errors.AsType[*loop.Error](err)
	return ok && e.Code == loop.TemporarilyUnavailable && e.RetryAfter > 0
}

// waiting waits until so many wait.
func waiting(q *queue, count int) {
	for {
		if _, now, _ := q.load(); now == count {
			return
		}
		runtime.Gosched()
	}
}

func TestQueue_WhoProvesAPasswordComesBeforeWhoChoosesOne(t *testing.T) {
	t.Parallel()
	q := newQueue(1)
	leave, err := q.enter(t.Context(), loop.Network{}, proving)
	if err != nil {
		t.Fatal(err)
	}
	var (
		all   sync.WaitGroup
		order = make(chan turn, 6)
	)
	for i, wanted := range []turn{choosing, choosing, choosing, proving, proving, proving} {
		all.Go(func() {
			leave, err := q.enter(t.Context(), loop.Network{}, wanted)
			if err != nil {
				t.Error(err)
				return
			}
			order <- wanted
			leave()
		})
		waiting(q, i+1)
	}
	leave()
	all.Wait()
	close(order)
	var got []turn
	for one := range order {
		got = append(got, one)
	}
	if fmt.Sprint(got) != fmt.Sprint([]turn{proving, proving, proving, choosing, choosing, choosing}) {
		t.Errorf("they had their turns as %v", got)
	}
	if working, left, _ := q.load(); working != 0 || left != 0 || len(q.networks) != 0 {
		t.Errorf("%d work and %d wait at the end, of %d networks", working, left, len(q.networks))
	}
}

func TestQueue_OneNetworkLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	q := newQueue(1)
	busy, other := loop.NetworkOf("2001:db8::1"), loop.NetworkOf("2001:db8:0:1::1")
	leave, err := q.enter(t.Context(), busy, proving)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	order := make(chan loop.Network, insidePerNetwork)
	enter := func(from loop.Network, wanted turn) {
		leave, err := q.enter(t.Context(), from, wanted)
		if err != nil {
			t.Error(err)
			return
		}
		order <- from
		leave()
	}
	for range insidePerNetwork - 1 {
		all.Go(func() { enter(busy, choosing) })
	}
	waiting(q, insidePerNetwork-1)
	if _, err := q.enter(t.Context(), loop.NetworkOf("2001:db8::ffff"), proving); !full(err) {
		t.Errorf("one more of the network gets %v", err)
	}
	all.Go(func() { enter(other, proving) })
	waiting(q, insidePerNetwork)
	leave()
	all.Wait()
	if first := <-order; first != other {
		t.Errorf("%s is first", first)
	}
	if working, left, _ := q.load(); working != 0 || left != 0 || len(q.networks) != 0 {
		t.Errorf("%d work and %d wait at the end, of %d networks", working, left, len(q.networks))
	}
}

func TestQueue_IsBounded(t *testing.T) {
	t.Parallel()
	q := newQueue(1)
	leave, err := q.enter(t.Context(), loop.Network{}, proving)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for i := range waitingForEach {
		all.Go(func() { _, _ = q.enter(ctx, loop.Network{byte(1 + i%200)}, proving) })
	}
	waiting(q, waitingForEach)
	if _, err := q.enter(t.Context(), loop.NetworkOf("192.0.2.1"), proving); !full(err) {
		t.Errorf("one more gets %v", err)
	}
	stop()
	all.Wait()
	leave()
	if working, left, _ := q.load(); working != 0 || left != 0 || len(q.networks) != 0 {
		t.Errorf("%d work and %d wait at the end, of %d networks", working, left, len(q.networks))
	}
}
