package outbox

import "sync/atomic"

// Counts are the attempts since the start, by what became of them.
type Counts struct{ Delivered, Failed, GivenUp, Obsolete uint64 }

type counts struct{ delivered, failed, givenUp, obsolete atomic.Uint64 }

// add counts an attempt; without an outcome it failed and is made again.
func (c *counts) add(outcome Outcome) {
	switch outcome {
	case Delivered:
		c.delivered.Add(1)
	case GivenUp:
		c.givenUp.Add(1)
	case Obsolete:
		c.obsolete.Add(1)
	default:
		c.failed.Add(1)
	}
}

// Kind is the kind of the messages that the worker delivers.
func (w *Worker) Kind() Kind { return w.deliverer.Kind() }

// Counts are the worker's attempts since the start.
func (w *Worker) Counts() Counts {
	return Counts{w.counts.delivered.Load(), w.counts.failed.Load(), w.counts.givenUp.Load(), w.counts.obsolete.Load()}
}
