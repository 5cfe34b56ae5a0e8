package connecttest

import (
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Clock is the time of the platform and of the apps that NewApp registers. It goes on
// only when the test says so.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the present time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// world is the machine with the test's clock.
type world struct {
	loop.Machine
	clock *Clock
}

// Now is the test's time.
func (w world) Now() time.Time { return w.clock.Now() }
