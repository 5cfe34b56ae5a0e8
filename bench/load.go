package main

import (
	"context"
	"slices"
	"sync"
	"time"
)

// warmUp runs before every measurement: connections, caches, the first commits.
const warmUp = 300 * time.Millisecond

// operation is one request, or the few that belong together. Each worker has
// its own.
type operation func() error

// sample is what one measurement found.
type sample struct {
	perSecond float64
	p50, p99  time.Duration
	errors    int
	first     error // the first of them
	done      int   // all operations, those of the warm-up and those that failed among them
	spent     usage // by the platform, for all of them
}

// measure runs the operations side by side, each again and again until the span
// is over or it has no more to do (errSpent), and returns how it went.
func measure(ctx context.Context, operations []operation, span time.Duration) sample {
	found := make([]worker, len(operations))
	var group sync.WaitGroup
	begun := time.Now()
	for i, do := range operations {
		group.Go(func() { found[i].run(ctx, do, begun, span) })
	}
	group.Wait()
	return summarize(found, begun.Add(warmUp))
}

// worker is what one of them did after the warm-up.
type worker struct {
	took   []time.Duration
	done   int // during the warm-up too
	errors int
	first  error
	ended  time.Time
}

func (w *worker) run(ctx context.Context, do operation, begun time.Time, span time.Duration) {
	w.took = make([]time.Duration, 0, 1<<16)
	counting, over := begun.Add(warmUp), begun.Add(warmUp+span)
	for {
		started := time.Now()
		if started.After(over) || ctx.Err() != nil {
			return
		}
		err := do()
		if err == errSpent { //nolint:errorlint // it is never wrapped
			return
		}
		w.ended = time.Now()
		w.done++
		switch {
		case err != nil:
			w.errors++
			if w.first == nil {
				w.first = err
			}
		case started.After(counting):
			w.took = append(w.took, w.ended.Sub(started))
		}
	}
}

// summarize adds the workers up. The time counted runs from the end of the
// warm-up to the last answer.
func summarize(workers []worker, counting time.Time) sample {
	var all []time.Duration
	var s sample
	last := counting
	for _, w := range workers {
		all = append(all, w.took...)
		s.errors += w.errors
		s.done += w.done
		if s.first == nil {
			s.first = w.first
		}
		if w.ended.After(last) {
			last = w.ended
		}
	}
	if len(all) == 0 {
		return s
	}
	slices.Sort(all)
	s.perSecond = float64(len(all)) / last.Sub(counting).Seconds()
	s.p50, s.p99 = all[len(all)/2], all[len(all)*99/100]
	return s
}
