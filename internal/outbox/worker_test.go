package outbox_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/outbox"
)

// world is a clock that the test moves.
type world struct {
	mu  sync.Mutex
	now time.Time
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Elapsed follows the clock.
func (w *world) Elapsed() time.Duration { return w.Now().Sub(time.Unix(0, 0)) }

func (w *world) Read(p []byte) (int, error) { return rand.Read(p) }

func (w *world) advance(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(by)
}

// memory is a store of deliveries, as a worker needs it.
type memory struct {
	mu      sync.Mutex
	all     []*outbox.Delivery
	records []audit.Record
	settled chan string // the ids of what is settled
}

func newMemory(messages ...outbox.Message) *memory {
	m := &memory{settled: make(chan string, 100)}
	for i, message := range messages {
		m.all = append(m.all, &outbox.Delivery{Message: message, Number: int64(i)})
	}
	return m
}

func (m *memory) ClaimDeliveries(_ context.Context, claim outbox.Claim) (claimed []outbox.Delivery, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	running := make(map[string]int)
	for _, d := range m.all {
		if d.ClaimedUntil.After(claim.Now) {
			running[d.Destination]++
		}
	}
	for _, d := range m.all {
		free := d.SettledAt.IsZero() && !d.DueAt.After(claim.Now) && !d.ClaimedUntil.After(claim.Now)
		if free && len(claimed) < claim.AtMost && running[d.Destination] < claim.PerDestination {
			running[d.Destination]++
			d.ClaimedUntil = claim.Until
			claimed = append(claimed, *d)
		}
	}
	return claimed, nil
}

func (m *memory) SettleDelivery(ctx context.Context, delivery outbox.Delivery, records []audit.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := slices.IndexFunc(m.all, func(d *outbox.Delivery) bool { return d.Number == delivery.Number })
	if !m.all[at].ClaimedUntil.Equal(delivery.ClaimedUntil) {
		return outbox.ErrClaimLost
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	delivery.ClaimedUntil = time.Time{}
	*m.all[at] = delivery
	m.records = append(m.records, records...)
	m.settled <- delivery.ID
	return nil
}

// only is the one delivery as it is stored.
func (m *memory) only() outbox.Delivery {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.all[0]
}

// deliverer is what a test does with each attempt.
type deliverer func(ctx context.Context, delivery outbox.Delivery) error

func (deliverer) Kind() outbox.Kind { return "test" }

func (deliverer) Policy() outbox.Policy {
	return outbox.Policy{Retries: []time.Duration{time.Minute, time.Hour}, Timeout: time.Minute, AtOnce: 3, PerDestination: 1}
}

func (d deliverer) Deliver(ctx context.Context, delivery outbox.Delivery) error {
	return d(ctx, delivery)
}

func (deliverer) Records(delivery outbox.Delivery) []audit.Record {
	return []audit.Record{{Detail: audit.Detail{"outcome": string(delivery.Outcome)}}}
}

var errAnswer = errors.New("the app answered 503")

// failing fails every attempt.
func failing(context.Context, outbox.Delivery) error { return errAnswer }

func newWorker(t *testing.T, m *memory, deliver deliverer) (*outbox.Worker, *world) {
	t.Helper()
	w := &world{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	return outbox.NewWorker(m, deliver, w, slog.New(slog.DiscardHandler)), w
}

func once(t *testing.T, w *outbox.Worker) {
	t.Helper()
	if err := w.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWorker_SettlesEachAttemptByWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deliver  deliverer
		outcome  outbox.Outcome // empty: it is on its way
		attempts int
		counts   outbox.Counts
	}{
		"delivered":            {func(context.Context, outbox.Delivery) error { return nil }, outbox.Delivered, 1, outbox.Counts{Delivered: 1}},
		"failed":               {failing, "", 1, outbox.Counts{Failed: 1}},
		"nobody is left":       {func(context.Context, outbox.Delivery) error { return outbox.ErrObsolete }, outbox.Obsolete, 0, outbox.Counts{Obsolete: 1}},
		"a panic is a failure": {func(context.Context, outbox.Delivery) error { panic("of one message") }, "", 1, outbox.Counts{Failed: 1}},
		"a timeout is a failure": {func(ctx context.Context, _ outbox.Delivery) error {
			if _, bounded := ctx.Deadline(); !bounded {
				return nil
			}
			return context.DeadlineExceeded
		}, "", 1, outbox.Counts{Failed: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMemory(outbox.Message{ID: "m"})
			worker, w := newWorker(t, m, c.deliver)
			once(t, worker)
			d := m.only()
			if d.Outcome != c.outcome || d.Attempts != c.attempts || d.SettledAt.IsZero() != (c.outcome == "") || !d.ClaimedUntil.IsZero() {
				t.Errorf("it is stored as %+v", d)
			}
			if c.outcome == "" && !d.DueAt.After(w.Now()) {
				t.Errorf("it is due again at once")
			}
			if (len(m.records) == 1) != (c.outcome != "") {
				t.Errorf("recorded are %+v", m.records)
			}
			if got := worker.Counts(); got != c.counts {
				t.Errorf("counted are %+v", got)
			}
		})
	}
}

func TestWorker_SendsAgainLaterAndLaterAndThenGivesUp(t *testing.T) {
	t.Parallel()
	m := newMemory(outbox.Message{ID: "m"})
	worker, w := newWorker(t, m, failing)
	for i, wait := range deliverer(nil).Policy().Retries {
		once(t, worker)
		d := m.only()
		if again := d.DueAt.Sub(w.Now()); d.Attempts != i+1 || again > wait || again < wait*9/10 {
			t.Errorf("after attempt %d it is due in %v, want %v or up to a tenth less", d.Attempts, again, wait)
		}
		w.advance(wait)
	}
	once(t, worker)
	if d := m.only(); d.Outcome != outbox.GivenUp || d.Attempts != 3 || !d.SettledAt.Equal(w.Now()) || worker.Counts().GivenUp != 1 {
		t.Errorf("after the last attempt it is stored as %+v", d)
	}
	w.advance(1000 * time.Hour)
	once(t, worker)
	if d := m.only(); d.Attempts != 3 {
		t.Errorf("an attempt is made at what was given up: %+v", d)
	}
}

// Messages that failed together are not sent again together.
func TestWorker_SpreadsWhatFailedTogether(t *testing.T) {
	t.Parallel()
	due := make(map[time.Time]bool)
	for range 20 {
		m := newMemory(outbox.Message{ID: "m"})
		worker, _ := newWorker(t, m, failing)
		once(t, worker)
		due[m.only().DueAt] = true
	}
	if len(due) < 10 {
		t.Errorf("20 that failed together are due at %d moments", len(due))
	}
}

func TestWorker_ASlowDestinationHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	m := newMemory(
		outbox.Message{ID: "slow 1", Destination: "slow"}, outbox.Message{ID: "slow 2", Destination: "slow"},
		outbox.Message{ID: "quick 1", Destination: "quick"}, outbox.Message{ID: "quick 2", Destination: "quick"}, outbox.Message{ID: "quick 3", Destination: "quick"},
	)
	answer := make(chan struct{})
	worker, _ := newWorker(t, m, func(_ context.Context, d outbox.Delivery) error {
		if d.Destination == "slow" {
			<-answer
		}
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		worker.Run(ctx)
		close(ended)
	}()
	for _, want := range []string{"quick 1", "quick 2", "quick 3"} {
		if got := <-m.settled; got != want {
			t.Errorf("%s is settled, want %s", got, want)
		}
	}
	close(answer)
	for _, want := range []string{"slow 1", "slow 2"} {
		if got := <-m.settled; got != want {
			t.Errorf("%s is settled, want %s", got, want)
		}
	}
	stop()
	<-ended
}

// A stop cuts an attempt off, which is then due as it was: the next worker need not
// wait for the end of the claim.
func TestWorker_AStopGivesItsClaimsBack(t *testing.T) {
	t.Parallel()
	m := newMemory(outbox.Message{ID: "m"})
	begun := make(chan struct{})
	worker, w := newWorker(t, m, func(ctx context.Context, _ outbox.Delivery) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		worker.Run(ctx)
		close(ended)
	}()
	<-begun
	stop()
	<-ended
	if d := m.only(); d.Attempts != 0 || d.Outcome != "" || !d.ClaimedUntil.IsZero() || d.DueAt.After(w.Now()) {
		t.Errorf("it is stored as %+v", d)
	}
}
