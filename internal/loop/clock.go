package loop

import (
	"sync"
	"time"
)

// Clock is a World whose time never runs back: not behind what it has said
// before, and not behind what is stored. It is safe for concurrent use.
type Clock struct {
	World

	mu    sync.Mutex
	floor time.Time
}

// NewClock wraps a World; floor is the highest moment that is stored.
func NewClock(w World, floor time.Time) *Clock {
	return &Clock{World: w, floor: floor}
}

// Now is the World's time, cut to what is stored: microseconds.
func (c *Clock) Now() time.Time {
	now := c.World.Now().UTC().Truncate(time.Microsecond)
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.floor) {
		return c.floor
	}
	c.floor = now
	return now
}

// Raise lifts the floor to a moment that is stored.
func (c *Clock) Raise(floor time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.floor.Before(floor) {
		c.floor = floor
	}
}
