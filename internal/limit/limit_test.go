package limit

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/loop"
)

// heldWorld has a clock that the test moves.
type heldWorld struct {
	loop.Machine
	now time.Time
}

func (w *heldWorld) Now() time.Time { return w.now }

// Elapsed follows the clock.
func (w *heldWorld) Elapsed() time.Duration   { return w.now.Sub(time.Unix(0, 0)) }
func (w *heldWorld) advance(by time.Duration) { w.now = w.now.Add(by) }

// noon is the first moment of a minute.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func newLimits() (*Limits, *heldWorld) {
	world := &heldWorld{now: noon}
	return New(world), world
}

const (
	app      = loop.ClientID("client_01HXY000000000000000000000")
	otherApp = loop.ClientID("client_01HXY000000000000000000001")
)

func confidential(id loop.ClientID) Key { return ByClient(id, loop.Confidential, "192.0.2.1") }

// use makes so many requests and gives how many were allowed.
func use(l *Limits, class Class, key Key, perMinute, times int) (allowed int) {
	for range times {
		if l.Allow(class, key, perMinute).Allowed {
			allowed++
		}
	}
	return allowed
}

func TestClass_EveryClassAllowsWhatThePlatformPromises(t *testing.T) {
	for _, c := range []struct {
		name  string
		class Class
		mode  loop.Mode
		want  int
	}{
		{"§10 authorize 30", Authorize, loop.Production, 30},
		{"§10 token 60 in development mode", Token, loop.Development, 60},
		{"§10 token 1,200 in production", Token, loop.Production, 1200},
		{"§10 introspect 600", Introspect, loop.Development, 600},
		{"§10 revoke 60", Revoke, loop.Production, 60},
		{"§10 reads 1,000", Read, loop.Development, 1000},
		{"§10 writes 200", Write, loop.Production, 200},
		{"§10 portal 100", Portal, loop.Production, 100},
		{"failed client authentication 30", FailedAuthentication, loop.Production, 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, _ := newLimits()
			if got := use(l, c.class, confidential(app), c.class.Default(c.mode), c.want+1); got != c.want {
				t.Errorf("%d are allowed", got)
			}
			if c.mode != loop.Production {
				return
			}
			l, _ = newLimits()
			if got := use(l, c.class, confidential(app), 0, c.want+1); got != c.want {
				t.Errorf("without a number %d are allowed", got)
			}
		})
	}
}

func TestLimits_TheWindowSlides(t *testing.T) {
	l, world := newLimits()
	step := func(after time.Duration, want Verdict) {
		t.Helper()
		world.advance(after)
		if diff := cmp.Diff(want, l.Allow(Read, confidential(app), 3)); diff != "" {
			t.Errorf("at %s, want (-), got (+):\n%s", world.now.Format("15:04:05"), diff)
		}
	}
	step(0, Verdict{Allowed: true, Limit: 3, Remaining: 2, Reset: 65 * time.Second})
	step(50*time.Second, Verdict{Allowed: true, Limit: 3, Remaining: 1, Reset: 65 * time.Second})
	step(5*time.Second, Verdict{Allowed: true, Limit: 3, Remaining: 0, Reset: 65 * time.Second})
	// The first is five seconds from being forgotten, and then a slot more.
	step(4*time.Second, Verdict{Limit: 3, Reset: 61 * time.Second, RetryAfter: 6 * time.Second})
	// The clock's next minute gives nothing away.
	step(2*time.Second, Verdict{Limit: 3, Reset: 59 * time.Second, RetryAfter: 4 * time.Second})
	step(4*time.Second, Verdict{Allowed: true, Limit: 3, Remaining: 0, Reset: 65 * time.Second})
	step(44*time.Second, Verdict{Limit: 3, Reset: 21 * time.Second, RetryAfter: 6 * time.Second})
	step(6*time.Second, Verdict{Allowed: true, Limit: 3, Remaining: 0, Reset: 65 * time.Second})
	step(2*time.Minute, Verdict{Allowed: true, Limit: 3, Remaining: 2, Reset: 65 * time.Second})
}

// TestLimits_NoSixtySecondsHoldMoreThanTheLimit plays any history: what was
// allowed fits the limit wherever the sixty seconds begin, nothing is refused
// without need, and who waits as long as the answer says gets on.
func TestLimits_NoSixtySecondsHoldMoreThanTheLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, world := newLimits()
		perMinute := rapid.IntRange(1, 20).Draw(t, "limit")
		var allowed []time.Time
		within := func(span time.Duration) (n int) {
			for _, at := range allowed {
				if world.now.Sub(at) < span {
					n++
				}
			}
			return n
		}
		for range rapid.IntRange(1, 200).Draw(t, "requests") {
			world.advance(time.Duration(rapid.Int64Range(0, 15_000).Draw(t, "ms")) * time.Millisecond)
			v := l.Allow(Read, ByAddress("192.0.2.1"), perMinute)
			switch before := within(time.Minute); {
			case v.Allowed && before >= perMinute:
				t.Fatalf("%d were allowed within sixty seconds, and one more", before)
			case v.Allowed:
				allowed = append(allowed, world.now)
				if most := perMinute - within(time.Minute); v.Remaining < 0 || v.Remaining > most || v.Reset > 65*time.Second || v.RetryAfter != 0 {
					t.Fatalf("of %d, at most %d are left: %+v", perMinute, most, v)
				}
			case within(65*time.Second) < perMinute:
				t.Fatalf("refused with %d in 65 seconds: %+v", within(65*time.Second), v)
			case v.RetryAfter <= 0 || v.RetryAfter > 65*time.Second || v.Reset < v.RetryAfter || v.Remaining != 0:
				t.Fatalf("refused: %+v", v)
			case rapid.Bool().Draw(t, "heeds"):
				world.advance(v.RetryAfter)
				if again := l.Allow(Read, ByAddress("192.0.2.1"), perMinute); !again.Allowed {
					t.Fatalf("%s later: %+v", v.RetryAfter, again)
				}
				allowed = append(allowed, world.now)
			}
		}
	})
}

func TestLimits_ALimitOfTheClientsOwnIsHeld(t *testing.T) {
	l, _ := newLimits()
	if got := use(l, Read, confidential(app), 5, 10); got != 5 {
		t.Errorf("of a limit of 5, %d are allowed", got)
	}
	if v := l.Allow(Read, confidential(app), 8); !v.Allowed || v.Remaining != 2 {
		t.Errorf("after it was raised to 8: %+v", v)
	}
	if v := l.Allow(Read, confidential(app), 2); v.Allowed || v.Remaining != 0 {
		t.Errorf("after it was lowered to 2: %+v", v)
	}
}

func TestLimits_NobodyUsesUpWhatIsAnothers(t *testing.T) {
	const here, there = "192.0.2.1", "198.51.100.7"
	for name, c := range map[string]struct {
		class, otherClass Class
		key, other        Key
	}{
		"§10 two clients":                              {Token, Token, confidential(app), confidential(otherApp)},
		"§10 one client in two classes":                {Read, Write, confidential(app), confidential(app)},
		"§10 a public client in two networks":          {Token, Token, ByClient(app, loop.Public, here), ByClient(app, loop.Public, there)},
		"§10 two public clients in one network":        {Token, Token, ByClient(app, loop.Public, here), ByClient(otherApp, loop.Public, here)},
		"a network and a public client in it":          {Token, Token, ByAddress(here), ByClient(app, loop.Public, here)},
		"a client's id as public and as confidential":  {Token, Token, ByClient(app, loop.Public, ""), confidential(app)},
		"two networks":                                 {Authorize, Authorize, ByAddress(here), ByAddress(there)},
		"two developers":                               {Portal, Portal, ByMember("user_1"), ByMember("user_2")},
		"failed authentication and the client's own":   {FailedAuthentication, Token, ByAddress(here), confidential(app)},
		"failed authentication and the sign-in beside": {FailedAuthentication, Authorize, ByAddress(here), ByAddress(here)},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := newLimits()
			use(l, c.class, c.key, 10, 1000)
			if got := use(l, c.otherClass, c.other, 10, 10); got != 10 {
				t.Errorf("only %d of 10 are left", got)
			}
		})
	}
	t.Run("§10 a confidential client is one wherever it calls from", func(t *testing.T) {
		l, _ := newLimits()
		use(l, Token, ByClient(app, loop.Confidential, here), 10, 10)
		if got := use(l, Token, ByClient(app, loop.Confidential, there), 10, 10); got != 0 {
			t.Errorf("another network has %d of its own", got)
		}
	})
}

func TestSec123_ANetworkIsOneKey(t *testing.T) {
	for name, c := range map[string]struct {
		one, other string
		same       bool
	}{
		"IPv6 within a /64":                           {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		"IPv6 written in another way":                 {"2001:db8:1:2::1", "2001:0DB8:0001:0002:0:0:0:1", true},
		"IPv6 with a zone":                            {"fe80::1%eth0", "fe80::1", true},
		"IPv6 of the next /64":                        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		"IPv4":                                        {"192.0.2.1", "192.0.2.2", false},
		"IPv4 within IPv6 is IPv4":                    {"::ffff:192.0.2.1", "192.0.2.1", true},
		"IPv4 within IPv6 is not one network":         {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
		"what is no address is one place, too":        {"@", "unix", true},
		"an address with a port is not the address":   {"192.0.2.1:80", "192.0.2.1", false},
		"no address is none of the addresses of IPv4": {"", "0.0.0.0", false},
	} {
		t.Run(name, func(t *testing.T) {
			if same := ByAddress(c.one) == ByAddress(c.other); same != c.same {
				t.Errorf("%s and %s are the same: %t", c.one, c.other, same)
			}
			if same := ByClient(app, loop.Public, c.one) == ByClient(app, loop.Public, c.other); same != c.same {
				t.Errorf("a public client at %s and at %s is the same: %t", c.one, c.other, same)
			}
		})
	}
}

func TestLimits_WhoIgnores429WaitsLongerAndLonger(t *testing.T) {
	l, world := newLimits()
	const perMinute = 40
	provoke := func(want time.Duration) {
		t.Helper()
		use(l, Token, confidential(app), perMinute, 2*perMinute) // all that is allowed, and as many again
		v := l.Allow(Token, confidential(app), perMinute)
		if v.Allowed || !v.Blocked || v.RetryAfter != want || v.Reset != want || v.Limit != perMinute {
			t.Fatalf("want a block of %s: %+v", want, v)
		}
	}
	for _, want := range []time.Duration{
		15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 16 * time.Hour, 24 * time.Hour, 24 * time.Hour,
	} {
		provoke(want)
		world.advance(want - time.Millisecond)
		if v := l.Allow(Token, confidential(app), perMinute); v.Allowed || v.RetryAfter != time.Millisecond {
			t.Fatalf("before the block of %s ends: %+v", want, v)
		}
		world.advance(time.Millisecond)
	}
	t.Run("a small limit has the same patience as one of 30", func(t *testing.T) {
		if got := use(l, Revoke, confidential(app), 3, 33); got != 3 {
			t.Errorf("%d are allowed", got)
		}
		if v := l.Allow(Revoke, confidential(app), 3); !v.Blocked {
			t.Errorf("after 31 refused: %+v", v)
		}
	})
	t.Run("what is asked during a block does not lengthen it", func(t *testing.T) {
		provoke(24 * time.Hour)
		use(l, Token, confidential(app), perMinute, 1000)
		world.advance(24 * time.Hour)
		if got := use(l, Token, confidential(app), perMinute, perMinute); got != perMinute {
			t.Errorf("after the block %d are allowed", got)
		}
	})
	t.Run("a day without a block is forgiven", func(t *testing.T) {
		world.advance(24*time.Hour + time.Minute)
		provoke(15 * time.Minute)
	})
	t.Run("another class of the same client goes on", func(t *testing.T) {
		if v := l.Allow(Read, confidential(app), perMinute); !v.Allowed {
			t.Errorf("reads: %+v", v)
		}
	})
}

func TestLimits_WhoHeedsRetryAfterIsNeverBlocked(t *testing.T) {
	l, world := newLimits()
	for range 10_000 {
		if v := l.Allow(Token, confidential(app), 60); v.Blocked {
			t.Fatalf("at %s: %+v", world.now, v)
		} else if !v.Allowed {
			world.advance(v.RetryAfter)
		}
	}
}

func TestSec071_ANetworkThatManyShareIsNeverBlocked(t *testing.T) {
	for name, key := range map[string]Key{
		"a network":                   ByAddress("192.0.2.1"),
		"a public client in it":       ByClient(app, loop.Public, "192.0.2.1"),
		"a public client, no address": ByClient(app, loop.Public, ""),
	} {
		t.Run(name, func(t *testing.T) {
			l, world := newLimits()
			for range 100 {
				use(l, Authorize, key, 30, 1000)
				v := l.Allow(Authorize, key, 30)
				if v.Allowed || v.Blocked || v.RetryAfter > 65*time.Second {
					t.Fatalf("%+v", v)
				}
				world.advance(v.RetryAfter)
				if !l.Allow(Authorize, key, 30).Allowed {
					t.Fatal("the wait had no end")
				}
			}
		})
	}
}

// size is how many keys are kept.
func (l *Limits) size() (n int) {
	for i := range shards {
		for _, s := range []*shard{&l.known[i], &l.strangers[i]} {
			n += len(s.present) + len(s.past) + len(s.blocks)
		}
	}
	return n
}

func TestLimits_AFloodOfStrangersFillsNothingAndPushesNoClientOut(t *testing.T) {
	l, world := newLimits()
	use(l, Token, confidential(app), 10, 50) // blocked
	use(l, Read, confidential(app), 10, 7)
	for minutes := range 2 {
		for i := range 2 * maxStrangers {
			l.Allow(Authorize, ByAddress(fmt.Sprintf("2001:db8:%x:%x::1", i>>16, i&0xffff)), 0)
		}
		if n := l.size(); n > 2*maxStrangers+3 {
			t.Fatalf("%d keys are kept", n)
		}
		if v := l.Allow(Token, confidential(app), 10); !v.Blocked {
			t.Errorf("the flood ended a block: %+v", v)
		}
		if minutes == 0 {
			if v := l.Allow(Read, confidential(app), 10); v.Remaining != 2 {
				t.Errorf("the flood changed a client's count: %+v", v)
			}
		}
		if v := l.Allow(Authorize, ByAddress("192.0.2.1"), 0); !v.Allowed {
			t.Errorf("the flood locked out a stranger: %+v", v)
		}
		world.advance(time.Minute)
	}
	t.Run("what is over is forgotten", func(t *testing.T) {
		world.advance(3 * time.Minute)
		for i := range 10_000 { // enough to reach every shard
			l.Allow(Authorize, ByAddress(fmt.Sprintf("10.0.%d.%d", i>>8, i&0xff)), 0)
		}
		if n := l.size(); n > 10_000+maxStrangers/shards+3 {
			t.Errorf("%d keys are kept", n)
		}
	})
}

func TestLimits_AFullTableStaysWithinItsBound(t *testing.T) {
	l, _ := newLimits()
	for i := range 2 * maxKnown {
		key := confidential(loop.ClientID(fmt.Sprintf("client_%d", i)))
		use(l, Write, key, 1, 1)
		if i%10 == 0 {
			use(l, Write, key, 1, patience+1) // blocked
		}
		if i%1000 == 0 && !l.Allow(Read, key, 1).Allowed {
			t.Fatal("a new client is locked out")
		}
	}
	if n := l.size(); n > 2*maxKnown {
		t.Errorf("%d keys are kept", n)
	}
}

func TestLimits_ManyAtOnceGetExactlyTheLimit(t *testing.T) {
	l, _ := newLimits()
	var allowed atomic.Int64
	var all sync.WaitGroup
	for range 2 * runtime.GOMAXPROCS(0) {
		all.Go(func() { allowed.Add(int64(use(l, Read, confidential(app), 1000, 900))) })
	}
	all.Wait()
	if got := allowed.Load(); got != 1000 {
		t.Errorf("%d are allowed", got)
	}
}

func TestLimits_SwitchedOffEverythingIsAllowed(t *testing.T) {
	for name, l := range map[string]*Limits{"nil": nil, "the zero value": {}} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				if diff := cmp.Diff(Verdict{Allowed: true}, l.Allow(Authorize, ByAddress("192.0.2.1"), 1)); diff != "" {
					t.Fatal(diff)
				}
			}
		})
	}
}

func TestLimits_AClockThatRunsBackGivesNothingAway(t *testing.T) {
	l, world := newLimits()
	use(l, Read, confidential(app), 10, 10)
	world.advance(-time.Hour)
	if v := l.Allow(Read, confidential(app), 10); v.Allowed || v.RetryAfter > 65*time.Second {
		t.Errorf("an hour back: %+v", v)
	}
}

func TestLimits_AKnownKeyCostsNoMemory(t *testing.T) {
	l, _ := newLimits()
	id := loop.ClientID("client_01HXY" + fmt.Sprint(time.Now().Nanosecond()))
	allow := func() { l.Allow(Read, ByClient(id, loop.Public, "2001:db8::1"), 1_000_000) }
	allow()
	if n := testing.AllocsPerRun(1000, allow); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAllow(b *testing.B) {
	l := New(loop.Machine{})
	b.ReportAllocs()
	for b.Loop() {
		l.Allow(Read, confidential(app), 1_000_000_000)
	}
}
