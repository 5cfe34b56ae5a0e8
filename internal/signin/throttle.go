package signin

import (
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Throttle slows down who keeps failing: by account, whatever was typed to reach
// it, and by place. The wait grows and ends. A browser that a member has signed in
// with before has its tries to itself, so that no stranger can keep the member
// out of it. It is kept in memory, and bounded. Safe for concurrent use.
type Throttle struct {
	world          loop.World
	signUpsPerHour int

	mu      sync.Mutex
	fails   map[string]failures
	signUps map[string]signUps
}

type failures struct {
	count     int
	notBefore time.Time
}

type signUps struct {
	count int
	since time.Time
}

// Bounds of the waits and of the memory that they take.
const (
	freeTries       = 5  // by account; a person who mistypes is not made to wait
	freeTriesByIP   = 50 // many people can share an address
	firstWait       = time.Second
	longestWait     = 5 * time.Minute
	forgetAfter     = time.Hour
	maxThrottleKeys = 100_000
)

// NewThrottle allows that many sign-ups an hour from one address.
func NewThrottle(w loop.World, signUpsPerHour int) *Throttle {
	return &Throttle{world: w, signUpsPerHour: signUpsPerHour, fails: map[string]failures{}, signUps: map[string]signUps{}}
}

// Try is one attempt to sign in.
type Try struct {
	Account string // that it is for, in its one form
	Address string // that it comes from
	Device  string // names a browser that the account's member has signed in with; empty: none
}

// counted is what a try counts under, each with the failures that cost nothing.
func (t Try) counted() map[string]int {
	if t.Device != "" {
		return map[string]int{"device " + t.Device + " of " + t.Account: freeTries}
	}
	return map[string]int{"account " + t.Account: freeTries, "address " + t.Address: freeTriesByIP}
}

// Allow says whether a sign-in may be tried now; RateLimited with the time to
// wait where it may not.
func (t *Throttle) Allow(try Try) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := loop.Ticks(t.world)
	var notBefore time.Time
	for key := range try.counted() {
		if held := t.fails[key].notBefore; held.After(notBefore) {
			notBefore = held
		}
	}
	if !now.Before(notBefore) {
		return nil
	}
	return tooMany("There were too many failed sign-ins. Wait a moment, then try again.", notBefore.Sub(now))
}

// Failed counts a failed sign-in.
func (t *Throttle) Failed(try Try) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, free := range try.counted() {
		t.fail(key, free)
	}
}

func (t *Throttle) fail(key string, free int) {
	now := loop.Ticks(t.world)
	f := t.fails[key]
	if now.Sub(f.notBefore) > forgetAfter {
		f = failures{}
	}
	f.count++
	f.notBefore = now
	if over := f.count - free; over > 0 {
		wait := longestWait
		if over <= 8 { // 2^8 seconds is the last below the longest wait
			wait = min(longestWait, firstWait<<(over-1))
		}
		f.notBefore = now.Add(wait)
	}
	makeRoom(t.fails, func(f failures) bool { return now.Sub(f.notBefore) > forgetAfter })
	t.fails[key] = f
}

// Succeeded forgets an account's failures; the address's stay, or one good
// account would buy endless tries at others. So do those of strangers where the
// member came from a browser of their own.
func (t *Throttle) Succeeded(try Try) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key := range try.counted() {
		if key != "address "+try.Address {
			delete(t.fails, key)
		}
	}
}

// AllowSignUp counts a sign-up from the address; RateLimited over the hour's
// number.
func (t *Throttle) AllowSignUp(address string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := loop.Ticks(t.world)
	made := t.signUps[address]
	if now.Sub(made.since) >= time.Hour {
		made = signUps{since: now}
	}
	if made.count >= t.signUpsPerHour {
		return tooMany("Too many accounts were made from this address. Try again later.", made.since.Add(time.Hour).Sub(now))
	}
	made.count++
	makeRoom(t.signUps, func(s signUps) bool { return now.Sub(s.since) >= time.Hour })
	t.signUps[address] = made
	return nil
}

func tooMany(text string, wait time.Duration) error {
	e := loop.Errorf(loop.RateLimited, "%s", text)
	e.RetryAfter = wait
	return e
}

// makeRoom keeps a map bounded: what is old goes first, then anything, since a
// stranger who fills the map must not fill the machine.
func makeRoom[V any](m map[string]V, old func(V) bool) {
	if len(m) < maxThrottleKeys {
		return
	}
	for key, value := range m {
		if old(value) {
			delete(m, key)
		}
	}
	for key := range m {
		if len(m) < maxThrottleKeys {
			return
		}
		delete(m, key)
	}
}
