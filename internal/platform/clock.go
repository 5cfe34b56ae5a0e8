package platform

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// clockInterval is how often it is looked whether the clock was ahead.
const clockInterval = 10 * time.Second

// refuseClockBehind refuses to start where what is stored is ahead of the clock:
// the clock is wrong now, or it was, and then what was made meanwhile is from the
// future.
func (p *Platform) refuseClockBehind(ctx context.Context) error {
	ahead := p.world.Ahead()
	if ahead <= loop.ClockTolerance {
		return nil
	}
	if p.config.ClockIsRight {
		p.config.Log.WarnContext(ctx, "the newest record is ahead of the clock, which is said to be right", "ahead", ahead.Round(time.Second).String())
		p.world.Dismiss()
		return nil
	}
	return aheadOfClock(ahead)
}

// aheadOfClock says what to do where what is stored is ahead of the clock.
func aheadOfClock(by time.Duration) error {
	return fmt.Errorf("the newest record is %s ahead of this machine's clock. If the clock is wrong, set it right. If it is right, it was ahead before: what was made in that time does not work until its moment comes; start with --clock-is-right to go on", by.Round(time.Second))
}

// clockIsRight is a check for operation.Readiness: it finds a clock that was set
// back, or was ahead.
func (p *Platform) clockIsRight(context.Context) error {
	if ahead := p.world.Ahead(); ahead > loop.ClockTolerance {
		return fmt.Errorf("it is %s behind what it said before, or what is stored: set it right; if it is right, start again with --clock-is-right", ahead.Round(time.Second))
	}
	return nil
}

// watchClock raises an alarm, once, when the clock is found wrong.
func (p *Platform) watchClock(ctx context.Context) error {
	fault := p.clockIsRight(ctx)
	if wrong := fault != nil; wrong != p.clockWrong.Swap(wrong) {
		if wrong {
			p.config.Log.ErrorContext(ctx, "the clock is wrong", "cause", fault)
		} else {
			p.config.Log.InfoContext(ctx, "the clock is right again")
		}
	}
	return nil
}
