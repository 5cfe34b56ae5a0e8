package signin_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/signin"
)

// world is a clock that a test moves.
type world struct {
	loop.Machine
	now time.Time
}

func (w *world) Now() time.Time         { return w.now }
func (w *world) Elapsed() time.Duration { return w.now.Sub(time.Unix(0, 0)) }

func newThrottle() (*world, *signin.Throttle) {
	w := &world{now: time.Date(2036, 3, 3, 8, 15, 0, 0, time.UTC)}
	return w, &signin.Throttle{Tries: signin.NewMemory(w, signin.MemoryRoom), SignUpsPerHour: 3}
}

// waitOf is how long an error says to wait; 0: there is none.
func waitOf(t *testing.T, err error) time.Duration {
	t.Helper()
	limited, ok := errors.AsType[*loop.Error](err)
	if err != nil && (!ok || limited.Code != loop.RateLimited || limited.RetryAfter <= 0) {
		t.Fatalf("%v", err)
	}
	if err == nil {
		return 0
	}
	return limited.RetryAfter
}

const (
	home     = "198.51.100.1"
	stranger = "203.0.113.9"
)

func TestThrottle_WaitsGrowAndEnd(t *testing.T) {
	t.Parallel()
	w, throttle := newThrottle()
	try := signin.Try{Account: "ada@members.example", Address: home}
	var waits []time.Duration
	for range 18 {
		for wait := waitOf(t, throttle.Reserve(t.Context(), try)); wait > 0; wait = waitOf(t, throttle.Reserve(t.Context(), try)) {
			waits = append(waits, wait)
			w.now = w.now.Add(wait)
		}
	}
	for i, wait := range waits {
		if i > 0 && wait < waits[i-1] && wait < time.Minute || wait > 5*time.Minute {
			t.Errorf("the waits are %v", waits)
			break
		}
	}
	if len(waits) != 12 || waits[0] != time.Second || waits[len(waits)-1] != 5*time.Minute {
		t.Errorf("the waits are %v", waits)
	}
	w.now = w.now.Add(5*time.Minute + time.Hour + time.Second)
	for i := range 6 {
		if wait := waitOf(t, throttle.Reserve(t.Context(), try)); wait > 0 {
			t.Errorf("an hour later, try %d waits %v", i+1, wait)
		}
	}
}

// Sec142: a burst is judged no more than a queue.
func TestThrottle_OfManyAtOnceNoMoreAreJudgedThanOneAfterTheOther(t *testing.T) {
	t.Parallel()
	judged := func(run func(func())) int64 {
		_, throttle := newThrottle()
		var count atomic.Int64
		run(func() {
			if throttle.Reserve(t.Context(), signin.Try{Account: "ada@members.example", Address: home}) == nil {
				count.Add(1)
			}
		})
		return count.Load()
	}
	inTurn := judged(func(try func()) {
		for range 100 {
			try()
		}
	})
	atOnce := judged(func(try func()) {
		var all sync.WaitGroup
		for range 100 {
			all.Go(try)
		}
		all.Wait()
	})
	if inTurn != 6 || atOnce != inTurn {
		t.Errorf("%d one after the other, %d at once", inTurn, atOnce)
	}
}

func TestThrottle_AStrangerKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	w, throttle := newThrottle()
	ada := signin.Try{Account: "ada@members.example", Address: home}
	guess := signin.Try{Account: ada.Account, Address: stranger}
	for range 20 { // as often as the waits allow, then once each five minutes
		w.now = w.now.Add(waitOf(t, throttle.Reserve(t.Context(), guess)))
	}
	for range 12 {
		w.now = w.now.Add(5 * time.Minute)
		if waitOf(t, throttle.Reserve(t.Context(), guess)) > 0 {
			t.Fatal("the stranger does not get through at all")
		}
		w.now = w.now.Add(time.Minute)
		if wait := waitOf(t, throttle.Reserve(t.Context(), ada)); wait > 0 {
			t.Fatalf("the member waits %v at home", wait)
		}
		if err := throttle.Succeeded(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("from six networks, each minute's try is taken from new browsers, and from none that is known", func(t *testing.T) {
		w.now = w.now.Add(2 * time.Hour)
		kept := 0
		for i := range 60 * 60 { // an hour, with a try each second
			w.now = w.now.Add(time.Second)
			guess.Address = fmt.Sprintf("192.0.%d.1", i%6)
			_ = throttle.Reserve(t.Context(), guess)
			if i%60 == 59 && throttle.Reserve(t.Context(), ada) != nil {
				kept++
			}
		}
		if kept < 45 {
			t.Errorf("a new browser was kept out %d times of 60: the documentation says that it can be", kept)
		}
		known := ada
		known.Device = "hers"
		if wait := waitOf(t, throttle.Reserve(t.Context(), known)); wait > 0 {
			t.Errorf("a known browser waits %v", wait)
		}
	})
	t.Run("from many networks, one a minute is judged, and the member's own browser waits for none of it", func(t *testing.T) {
		judged := 0
		for i := range 600 { // in ten minutes
			w.now = w.now.Add(time.Second)
			guess.Address = fmt.Sprintf("2001:db8:0:%x::1", i)
			if throttle.Reserve(t.Context(), guess) == nil {
				judged++
			}
		}
		if judged > 11 {
			t.Errorf("%d guesses were judged", judged)
		}
		known := ada
		known.Device = "hers"
		if wait := waitOf(t, throttle.Reserve(t.Context(), known)); wait > 0 {
			t.Errorf("it waits %v", wait)
		}
	})
}

func TestThrottle_ANetworkIs64BitsOfIPv6(t *testing.T) {
	t.Parallel()
	_, throttle := newThrottle()
	limited := 0
	for i := range 100 {
		try := signin.Try{Account: fmt.Sprintf("member%d@members.example", i), Address: fmt.Sprintf("2001:db8::%x:1", i)}
		if waitOf(t, throttle.Reserve(t.Context(), try)) > 0 {
			limited++
		}
	}
	if limited != 49 {
		t.Errorf("%d of 100 tries are refused", limited)
	}
	for i := range 5 {
		err := throttle.AllowSignUp(t.Context(), fmt.Sprintf("2001:db8:1::%x", i))
		if refused := waitOf(t, err) > 0; refused != (i >= 3) {
			t.Errorf("sign-up %d: %v", i+1, err)
		}
	}
}

func TestThrottle_ATryThatNobodyJudgedDoesNotCount(t *testing.T) {
	t.Parallel()
	_, throttle := newThrottle()
	try := signin.Try{Account: "ada@members.example", Address: home}
	for i := range 100 {
		if wait := waitOf(t, throttle.Reserve(t.Context(), try)); wait > 0 {
			t.Fatalf("try %d waits %v", i+1, wait)
		}
		if err := throttle.Return(t.Context(), try); err != nil {
			t.Fatal(err)
		}
	}
}

func TestThrottle_RightPasswordsAreLimited(t *testing.T) {
	t.Parallel()
	w, throttle := newThrottle()
	try := signin.Try{Account: "ada@members.example", Address: home}
	signedIn := 0
	for range 600 { // in ten minutes
		w.now = w.now.Add(time.Second)
		if waitOf(t, throttle.Reserve(t.Context(), try)) > 0 {
			continue
		}
		signedIn++
		if err := throttle.Succeeded(t.Context(), try); err != nil {
			t.Fatal(err)
		}
	}
	if signedIn < 60 || signedIn > 72 {
		t.Errorf("%d sign-ins in ten minutes", signedIn)
	}
}

func TestMemory_StaysBounded(t *testing.T) {
	t.Parallel()
	w, throttle := newThrottle()
	memory := signin.NewMemory(w, 1000)
	throttle.Tries = memory
	for i := range 2_000 { // three keys each
		try := signin.Try{Account: fmt.Sprint(i), Address: fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff)}
		if err := throttle.Reserve(t.Context(), try); err != nil {
			t.Fatal(err)
		}
	}
	if size := memory.Size(); size != 1000 {
		t.Errorf("%d keys are kept", size)
	}
}
