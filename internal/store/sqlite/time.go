package sqlite

import (
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// unixMicro is how a moment is stored: microseconds since 1970, 0 for none.
func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicro reads what unixMicro wrote.
func fromMicro(micro int64) time.Time {
	if micro == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micro).UTC()
}

// Clock is a World whose time never runs back: not behind what it has said
// before, and not behind what is stored. It is safe for concurrent use.
type Clock struct {
	loop.World

	mu    sync.Mutex
	floor time.Time
}

// NewClock wraps a World; floor is the highest moment that is stored.
func NewClock(w loop.World, floor time.Time) *Clock {
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
