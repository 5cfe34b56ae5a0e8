package connect

import (
	"context"
	"math/rand/v2"
	"time"
)

// What a request may cost: how often it is sent, and how long the waits between are.
const (
	maxAttempts = 6
	firstWait   = 200 * time.Millisecond
	longestWait = 10 * time.Second
	budget      = 30 * time.Second // for all waits together
)

// backOff is how long to wait after an attempt: twice as long each time, and by chance
// up to that, so that the processes of an app do not come back all at once.
func backOff(attempt int) time.Duration {
	wait := min(firstWait<<(attempt-1), longestWait)
	return wait/2 + rand.N(wait/2) //nolint:gosec // G404: chance is enough
}

// patience is how long a request has waited between its attempts.
type patience struct{ waited time.Duration }

// allows reports whether there is time for one more wait, in the budget and in the
// context, and takes it from the budget. Where there is not, whoever asked gets the
// answer that there is, at once.
func (p *patience) allows(ctx context.Context, wait time.Duration) bool {
	p.waited += wait
	return p.waited <= budget && fitsDeadline(ctx, wait)
}

func fitsDeadline(ctx context.Context, wait time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || time.Until(deadline) > wait
}

// sleep waits, or says why it has not.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
