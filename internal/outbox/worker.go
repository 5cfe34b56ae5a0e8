package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Deliverer sends the messages of one kind.
type Deliverer interface {
	// Kind is the kind of its messages.
	Kind() Kind
	// Policy is how they are sent.
	Policy() Policy
	// Deliver makes one attempt; ErrObsolete where nobody is left to receive the
	// message. After any other error it is sent again, until it is given up.
	Deliver(ctx context.Context, delivery Delivery) error
	// Records gives what the audit record keeps of a message that has an outcome.
	Records(delivery Delivery) []audit.Record
}

// What a Deliverer returns besides failures after which a message is sent again. A
// *loop.Error in any of them is kept with the message.
var (
	// ErrObsolete: nobody is left to receive the message.
	ErrObsolete = errors.New("nobody is left to receive the message")
	// ErrHopeless: the attempt failed, and no other will do better.
	ErrHopeless = errors.New("the message can't be delivered")
)

// Worker delivers the messages of one kind. It is safe for concurrent use, and any
// number of processes may have one.
type Worker struct {
	store     Store
	deliverer Deliverer
	policy    Policy
	world     loop.World
	log       *slog.Logger

	turn     sync.Mutex // whose it is to claim
	attempts sync.WaitGroup
	underWay atomic.Int64  // attempts
	freed    chan struct{} // an attempt has ended: there may be more to claim
	counts   counts
}

// NewWorker makes a worker that sends by the deliverer.
func NewWorker(store Store, deliverer Deliverer, w loop.World, log *slog.Logger) *Worker {
	return &Worker{store: store, deliverer: deliverer, policy: deliverer.Policy(), world: w, log: log, freed: make(chan struct{}, 1)}
}

// lookEvery is how often a worker looks for what is due.
const lookEvery = 2 * time.Second

// Run delivers what is due until ctx ends, and comes back once no attempt is under
// way. An attempt that ctx cuts off is made again by the next worker.
func (w *Worker) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		if err := w.begin(ctx); err != nil && ctx.Err() == nil {
			w.log.ErrorContext(ctx, "claiming messages that are due", "kind", w.deliverer.Kind(), "cause", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-w.freed:
		}
	}
	w.turn.Lock()
	defer w.turn.Unlock()
	w.attempts.Wait()
}

// Once waits for the attempts that are under way, makes one at all that is due then,
// and comes back when these are over.
func (w *Worker) Once(ctx context.Context) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.attempts.Wait()
	err := w.claim(ctx)
	w.attempts.Wait()
	return err
}

func (w *Worker) begin(ctx context.Context) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	return w.claim(ctx)
}

// claim claims as much as may be under way, and begins the attempts. It does not wait
// for them: a slow destination holds up nobody else.
func (w *Worker) claim(ctx context.Context) error {
	room := w.policy.AtOnce - int(w.underWay.Load())
	if room <= 0 {
		return nil
	}
	now := w.world.Now()
	claimed, err := w.store.ClaimDeliveries(ctx, Claim{
		Kind: w.deliverer.Kind(), Now: now, Until: now.Add(w.policy.Timeout + claimMargin),
		AtMost: room, PerDestination: w.policy.PerDestination,
	})
	for _, delivery := range claimed {
		w.underWay.Add(1)
		w.attempts.Go(func() {
			w.attempt(ctx, delivery)
			w.underWay.Add(-1)
			select {
			case w.freed <- struct{}{}:
			default: // it is known
			}
		})
	}
	return err
}

// attempt makes one attempt and writes what became of it. Where that can't be
// written, the claim ends by itself, and the attempt is made again.
func (w *Worker) attempt(ctx context.Context, delivery Delivery) {
	failure := w.deliver(ctx, delivery)
	if failure != nil && ctx.Err() != nil {
		w.settle(ctx, delivery, nil) // cut off: due as it was
		return
	}
	wait, again := w.judge(&delivery, failure)
	w.counts.add(delivery.Outcome)
	if again {
		delivery.DueAt = w.world.Now().Add(wait)
		w.log.WarnContext(ctx, "a message was not delivered and is sent again", "kind", delivery.Kind, "destination", delivery.Destination, "attempts", delivery.Attempts, "cause", failure)
		w.settle(ctx, delivery, nil)
		return
	}
	delivery.SettledAt = w.world.Now()
	records := w.deliverer.Records(delivery)
	if !w.policy.Keeps {
		delivery.Payload = []byte{}
	}
	w.settle(ctx, delivery, records)
}

// judge notes what an attempt came to, and says how long to wait for another one, if
// there is to be one.
func (w *Worker) judge(delivery *Delivery, failure error) (wait time.Duration, again bool) {
	delivery.Failure = ""
	if known, ok := errors.AsType[*loop.Error](failure); ok {
		delivery.Failure = known.Description
	}
	switch {
	case errors.Is(failure, ErrObsolete):
		delivery.Outcome = Obsolete
		return 0, false
	case failure == nil:
		delivery.Attempts++
		delivery.Outcome, delivery.FailingSince = Delivered, time.Time{}
		return 0, false
	}
	delivery.Attempts++
	if delivery.FailingSince.IsZero() {
		delivery.FailingSince = w.world.Now()
	}
	if !errors.Is(failure, ErrHopeless) {
		wait, again = w.policy.wait(delivery.Attempts, w.world)
	}
	if !again {
		delivery.Outcome = GivenUp
	}
	return wait, again
}

// deliver makes one attempt within its time. A panic is a failed attempt: one
// message must not end the process again and again.
func (w *Worker) deliver(ctx context.Context, delivery Delivery) (err error) {
	ctx, cancel := context.WithTimeout(ctx, w.policy.Timeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a delivery: %v\n%s", cause, debug.Stack())
		}
	}()
	return w.deliverer.Deliver(ctx, delivery)
}

// settleTimeout bounds how long what became of an attempt may take to be written:
// a claim lasts longer.
const settleTimeout = claimMargin / 2

func (w *Worker) settle(ctx context.Context, delivery Delivery, records []audit.Record) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout) // also when the worker stops
	defer cancel()
	if err := w.store.SettleDelivery(ctx, delivery, records); err != nil {
		w.log.ErrorContext(ctx, "writing what became of a message", "kind", delivery.Kind, "destination", delivery.Destination, "cause", err)
	}
}
