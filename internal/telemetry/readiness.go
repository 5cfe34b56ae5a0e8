package telemetry

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Check is one thing without which the platform cannot serve. Run says in its
// error what is missing; it may be asked each second.
type Check struct {
	Name string
	Run  func(context.Context) error
}

// Bounds of the checks: how old an answer may be, and how long one may take.
const (
	checkEvery   = time.Second
	checkTimeout = 2 * time.Second
)

// The states before and after a platform's life.
var (
	errStarting = errors.New("the platform is starting")
	errStopping = errors.New("the platform is stopping")
	errHangs    = errors.New("it has not answered in time")
)

// Readiness says whether the platform can serve. It is red until Watch, and from
// Stop on. Safe for concurrent use.
type Readiness struct {
	mu      sync.Mutex
	checks  []*watched
	state   error // beside the checks; nil while the platform serves
	askedAt time.Time
	found   map[string]error
}

// watched is a check with the run that has not come back.
type watched struct {
	Check
	running chan error // nil: none
}

// NewReadiness is that of a platform that starts.
func NewReadiness() *Readiness { return &Readiness{state: errStarting} }

// Watch begins to ask the checks: the platform serves.
func (r *Readiness) Watch(checks ...Check) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, check := range checks {
		r.checks = append(r.checks, &watched{Check: check})
	}
	r.state, r.found = nil, nil
}

// Stop turns it red for good: a platform that stops shows it here first, so that
// its load balancer stops sending.
func (r *Readiness) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = errStopping
}

// Ready asks every check, at most once a second, and gives what each found: nil
// where all is well. The platform can serve if all are nil.
func (r *Readiness) Ready() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != nil {
		return map[string]error{"platform": r.state}
	}
	if r.found == nil || time.Since(r.askedAt) >= checkEvery {
		r.found, r.askedAt = r.ask(), time.Now()
	}
	return r.found
}

// ask runs the checks side by side.
func (r *Readiness) ask() map[string]error {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	for _, check := range r.checks {
		check.begin(ctx)
	}
	found := make(map[string]error, len(r.checks))
	for _, check := range r.checks {
		found[check.Name] = check.await(ctx)
	}
	return found
}

// begin runs the check, unless it still runs: one that hangs is not joined by
// more of its kind.
func (c *watched) begin(ctx context.Context) {
	if c.running != nil {
		return
	}
	running := make(chan error, 1)
	c.running = running
	go func() { running <- c.Run(ctx) }()
}

func (c *watched) await(ctx context.Context) error {
	select {
	case err := <-c.running:
		c.running = nil
		return err
	case <-ctx.Done():
		return errHangs
	}
}
