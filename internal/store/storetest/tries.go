package storetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// RunTries holds what counts tries to its contract; open gives the same counts each
// time, as to so many processes.
func RunTries(t *testing.T, open func(t *testing.T) signin.Tries) {
	t.Helper()
	one, other := open(t), open(t)
	world := loop.NewClock(loop.Machine{})
	throttle := func(tries signin.Tries) *signin.Throttle {
		return &signin.Throttle{Tries: tries, SignUpsPerHour: 20}
	}
	t.Run("of a hundred at once, in two processes, no more are judged than one after the other", func(t *testing.T) {
		try := signin.Try{Account: "ada@members.example", Address: "198.51.100.1"}
		var (
			all    sync.WaitGroup
			judged atomic.Int64
		)
		for i := range 100 {
			all.Go(func() {
				if throttle([]signin.Tries{one, other}[i%2]).Reserve(t.Context(), try) == nil {
					judged.Add(1)
				}
			})
		}
		all.Wait()
		if judged.Load() != 6 {
			t.Errorf("%d were judged", judged.Load())
		}
	})
	t.Run("what is taken back counts for nothing, in any process", func(t *testing.T) {
		try := signin.Try{Account: "ben@members.example", Address: "198.51.100.2"}
		for i := range 20 {
			must(t, throttle(one).Reserve(t.Context(), try))
			if i%2 == 0 {
				must(t, throttle(other).Return(t.Context(), try))
			} else {
				must(t, throttle(other).Succeeded(t.Context(), try))
			}
		}
	})
	t.Run("a key is read as it was written", func(t *testing.T) {
		want := signin.TryCount{Count: 3, Since: world.Now().Truncate(time.Microsecond), NotBefore: world.Now().Add(time.Hour).Truncate(time.Microsecond)}
		keys := []signin.TryKey{{7}, {8}}
		must(t, one.ChangeTries(t.Context(), keys, func(_ time.Time, counts []signin.TryCount) { counts[1] = want }))
		must(t, other.ChangeTries(t.Context(), keys, func(_ time.Time, counts []signin.TryCount) {
			if counts[0] != (signin.TryCount{}) || counts[1].Count != 3 || !counts[1].Since.Equal(want.Since) || !counts[1].NotBefore.Equal(want.NotBefore) {
				t.Errorf("it is read as %+v", counts)
			}
			counts[1] = signin.TryCount{}
		}))
		must(t, one.ChangeTries(t.Context(), keys, func(_ time.Time, counts []signin.TryCount) {
			if counts[1] != (signin.TryCount{}) {
				t.Errorf("what was deleted is read as %+v", counts[1])
			}
		}))
	})
}
