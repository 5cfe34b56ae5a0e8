package loop

import (
	"sync"
	"time"
)

// ClockTolerance is by how much clocks may differ without anybody's noticing: a
// machine's from what is stored, and what one process seals from another's time.
const ClockTolerance = time.Minute

// Clock is a World whose time goes on whatever happens to the machine's clock. It
// is safe for concurrent use.
//
// The present moment (Now) is the machine's or, where processes share a database,
// at least the one that they agree on. It is never before the start and the time
// that has passed since, by a clock that nobody can set. So where the machine's is
// set back, the present goes on at its pace; where that jumped ahead and comes back,
// the present comes back with it, and what counts down ends when its time is over.
// What was made while the clock was ahead is refused by its own moment (Alive).
//
// The floor is the highest moment that was ever said or stored. It is not after the
// present, unless a clock was ahead: by how much, Ahead says. It keeps nothing in
// order: audit records are put in order where they are written.
type Clock struct {
	World // the machine's

	mu        sync.Mutex
	started   moment    // the present, when time began to be counted
	agreed    moment    // the present, as processes last agreed on it; zero: they don't
	floor     time.Time // the highest moment that was said or stored
	dismissed time.Time // up to which an operator has said that the floor was wrong
}

// moment is a time, and how long the World had run then.
type moment struct {
	at      time.Time
	elapsed time.Duration
}

// in gives the moment after the World has run for so long.
func (m moment) in(elapsed time.Duration) time.Time { return m.at.Add(elapsed - m.elapsed) }

// NewClock begins to count the time of a World.
func NewClock(w World) *Clock {
	return &Clock{World: w, started: moment{w.Now().UTC(), w.Elapsed()}}
}

// Now is the present moment, cut to what is stored: microseconds.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := later(c.given(), c.started.in(c.Elapsed())).Truncate(time.Microsecond)
	c.floor = later(c.floor, now)
	return now
}

// given is what the machine says, or what the processes agree on if that is later.
func (c *Clock) given() time.Time {
	now := c.World.Now().UTC()
	if c.agreed.at.IsZero() {
		return now
	}
	return later(now, c.agreed.in(c.Elapsed()))
}

// Passed is a moment that has certainly passed, if the time was right at the
// start: no jump of the machine's clock is in it. What is forgotten once it is over
// goes by this, so that it is not forgotten too early.
func (c *Clock) Passed() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started.in(c.Elapsed()).Truncate(time.Microsecond)
}

// Agree says which moment the processes of a platform agree on as the present.
func (c *Clock) Agree(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.agreed = moment{now.UTC(), c.Elapsed()}
}

// Stored says the highest moment that is stored, before anything is served. Where
// the present is a little behind it, time goes on from there.
func (c *Clock) Stored(newest time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.floor = later(c.floor, newest)
	if ahead := newest.Sub(c.given()); ahead > 0 && ahead <= ClockTolerance {
		c.started = moment{newest, c.Elapsed()}
	}
}

// Dismiss has Ahead say nothing of the floor as it is: an operator knows that the
// clock was wrong, and is right now.
func (c *Clock) Dismiss() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dismissed = c.floor
}

// Ahead is by how much the floor is ahead of the given time: 0 where it is not, or
// where an operator has dismissed it. More than ClockTolerance means that the clock
// is, or was, wrong.
func (c *Clock) Ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.floor.After(c.dismissed) {
		return 0
	}
	return max(0, c.floor.Sub(c.given()))
}

// Ticks is how long a World has run, as a time: for arithmetic with durations
// within one process. It is no moment of the calendar.
func Ticks(w World) time.Time { return time.Unix(0, 0).UTC().Add(w.Elapsed()) }

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Alive reports whether something that began at a moment and lives for so long is
// alive now. What begins later than now is not: it was made by a clock that was
// ahead, and would live too long.
func Alive(now, began time.Time, life time.Duration) bool {
	age := now.Sub(began)
	return age < life && age >= -ClockTolerance
}
