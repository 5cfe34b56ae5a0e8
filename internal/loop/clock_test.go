package loop_test

import (
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// twoClocks is a World with a clock that can be set, and one that can't.
type twoClocks struct {
	loop.Machine
	now     time.Time
	elapsed time.Duration
}

func (w *twoClocks) Now() time.Time         { return w.now }
func (w *twoClocks) Elapsed() time.Duration { return w.elapsed }
func (w *twoClocks) pass(by time.Duration)  { w.now, w.elapsed = w.now.Add(by), w.elapsed+by }
func (w *twoClocks) jump(by time.Duration)  { w.now = w.now.Add(by) }

var morning = time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)

// says compares what the clock says with the time that has truly passed.
func says(t *testing.T, when string, c *loop.Clock, want time.Duration) {
	t.Helper()
	if got := c.Now().Sub(morning); got != want {
		t.Errorf("%s: %s has passed, and the clock says %s", when, want, got)
	}
}

func TestSec186_AClockThatJumpedAheadComesBackAndTimeGoesOn(t *testing.T) {
	t.Parallel()
	w := &twoClocks{now: morning}
	c := loop.NewClock(w)
	w.pass(time.Second)
	says(t, "at first", c, time.Second)
	w.jump(48 * time.Hour)
	says(t, "ahead", c, 48*time.Hour+time.Second)
	if c.Ahead() != 0 || c.Passed().Sub(morning) != time.Second {
		t.Errorf("ahead: by %s, and %s has certainly passed", c.Ahead(), c.Passed().Sub(morning))
	}
	w.jump(-48 * time.Hour)
	says(t, "back", c, time.Second)
	w.pass(time.Minute)
	says(t, "a minute later", c, time.Minute+time.Second)
	if c.Ahead() != 48*time.Hour-time.Minute {
		t.Errorf("what was said is ahead by %s", c.Ahead())
	}
}

func TestSec186_AClockThatIsSetBackStopsNothing(t *testing.T) {
	t.Parallel()
	w := &twoClocks{now: morning}
	c := loop.NewClock(w)
	w.pass(time.Hour)
	w.jump(-3 * time.Hour)
	says(t, "set back", c, time.Hour)
	w.pass(time.Minute)
	says(t, "a minute later", c, time.Hour+time.Minute)
	if c.Ahead() != 3*time.Hour {
		t.Errorf("it is ahead of the machine by %s", c.Ahead())
	}
}

func TestClock_GoesOnFromWhatIsStoredALittleAhead(t *testing.T) {
	t.Parallel()
	w := &twoClocks{now: morning}
	c := loop.NewClock(w)
	c.Stored(morning.Add(30 * time.Second))
	says(t, "half a minute behind", c, 30*time.Second)
	w.pass(time.Second)
	says(t, "a second later", c, 31*time.Second)

	far := loop.NewClock(w)
	far.Stored(morning.Add(time.Hour))
	says(t, "an hour behind", far, time.Second)
	if far.Ahead() != time.Hour-time.Second {
		t.Errorf("what is stored is ahead by %s", far.Ahead())
	}
	far.Dismiss()
	if far.Ahead() != 0 {
		t.Errorf("an operator knows, and it is ahead by %s", far.Ahead())
	}
}

func TestClock_FollowsWhatProcessesAgreeOnWhereThatIsLater(t *testing.T) {
	t.Parallel()
	w := &twoClocks{now: morning}
	c := loop.NewClock(w)
	c.Agree(morning.Add(time.Minute))
	w.pass(time.Second)
	says(t, "a minute behind the others", c, time.Minute+time.Second)
	c.Agree(morning.Add(-time.Hour))
	says(t, "the others went back", c, time.Second)
	c.Agree(morning.Add(48 * time.Hour))
	says(t, "the others jumped ahead", c, 48*time.Hour)
	c.Agree(morning.Add(2 * time.Second))
	says(t, "and came back", c, 2*time.Second)
}

func TestAlive(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]bool{
		0: true, 59 * time.Second: true, time.Minute: false, time.Hour: false,
		-time.Second: true, -loop.ClockTolerance: true, -loop.ClockTolerance - 1: false, -48 * time.Hour: false,
	} {
		if got := loop.Alive(morning, morning.Add(-age), time.Minute); got != want {
			t.Errorf("what began %s ago and lives a minute: alive is %t", age, got)
		}
	}
}
