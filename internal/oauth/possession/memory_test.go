package possession

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

var begin = time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)

// numbered is a proof that differs from those of other numbers.
func numbered(n int, madeAt time.Time) *Proof {
	p := &Proof{madeAt: madeAt}
	binary.BigEndian.PutUint64(p.hash[:], uint64(n))
	return p
}

// fill has a client use as many proofs as are remembered of one.
func fill(t *testing.T, m *Memory, client loop.ClientID, now time.Time) {
	t.Helper()
	for n := range maxProofsOfClient {
		if err := m.use(client, numbered(n, now), now); err != nil {
			t.Fatalf("proof %d of %s: %v", n, client, err)
		}
	}
}

func TestSec062_TheMemoryOfProofsIsBoundedAndForgetsNoneEarly(t *testing.T) {
	t.Parallel()
	m := NewMemory(begin)
	first := numbered(1, begin)
	if err := m.use("client_A", first, begin); err != nil {
		t.Fatal(err)
	}
	for after := time.Duration(0); after < remembered; after += time.Second {
		if err := m.use("client_A", first, begin.Add(after)); !errors.Is(err, errUsed) {
			t.Fatalf("after %s it can be used again: %v", after, err)
		}
	}
	for n := range 10 { // whoever comes now and then, for a day
		now := begin.Add(time.Duration(n+1) * time.Hour)
		if err := m.use("client_A", numbered(n, now), now); err != nil {
			t.Fatal(err)
		}
	}
	if m.count > 2 {
		t.Errorf("%d proofs are remembered of the last ten hours", m.count)
	}
}

func TestSec166_NobodyFillsTheMemoryOfProofsForOthers(t *testing.T) {
	t.Parallel()
	m := NewMemory(begin)
	others := numbered(1, begin)
	if err := m.use("client_other", others, begin); err != nil {
		t.Fatal(err)
	}
	fill(t, m, "client_flood", begin)
	now := begin.Add(time.Second)
	for n := range 3 {
		if err := m.use("client_flood", numbered(maxProofsOfClient+n, now), now); err != nil {
			t.Errorf("a new proof of whoever filled its share: %v", err)
		}
	}
	if err := m.use("client_flood", numbered(1, begin), now); !errors.Is(err, errNeedsNonce) {
		t.Errorf("a proof that was forgotten: %v", err)
	}
	if err := m.use("client_other", others, now); !errors.Is(err, errUsed) {
		t.Errorf("the other's proof was forgotten: %v", err)
	}
	if err := m.use("client_other", numbered(2, begin), now); err != nil {
		t.Errorf("the other's next proof: %v", err)
	}
}

func TestSec166_AMemoryThatAllClientsFilledBeginsAnew(t *testing.T) {
	t.Parallel()
	m := NewMemory(begin)
	for n := range maxProofs / maxProofsOfClient {
		fill(t, m, loop.ClientID(rune('a'+n)), begin)
	}
	now := begin.Add(time.Second)
	if err := m.use("client_A", numbered(1, begin), now); !errors.Is(err, errNeedsNonce) {
		t.Errorf("a proof that is older than the memory: %v", err)
	}
	if err := m.use("client_A", numbered(1, now), now); err != nil || m.count != 1 {
		t.Errorf("a new one: %v, with %d remembered", err, m.count)
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	client := &loop.Client{ID: "client_A"}
	refusal := loop.Errorf(loop.InvalidGrant, "x")
	for name, test := range map[string]struct {
		outcome error
		again   loop.Code
	}{
		"a proof of an accepted request is used up":                {nil, loop.InvalidDPoPProof},
		"a proof of a refused request is not":                      {refusal, ""},
		"where nobody knows what a request came to, it is used":    {errors.Join(loop.ErrOutcomeUnknown), loop.InvalidDPoPProof},
		"where the store says that nothing was written, it is not": {loop.Errorf(loop.TemporarilyUnavailable, "x"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := newChecker(t)
			p := numbered(1, c.World.Now())
			if err := c.Once(client, p, func() error { return test.outcome }); !errors.Is(err, test.outcome) {
				t.Errorf("it became %v", err)
			}
			done := false
			err := c.Once(client, p, func() error { done = true; return nil })
			if code := codeOf(err); code != test.again || done != (test.again == "") {
				t.Errorf("the second time: %v, done: %t", err, done)
			}
		})
	}
}

func codeOf(err error) loop.Code {
	if err == nil {
		return ""
	}
	return loop.AsError(err).Code
}

func TestNotBefore(t *testing.T) {
	t.Parallel()
	now := begin.Add(time.Minute)
	for name, test := range map[string]struct{ moment, want time.Time }{
		"an earlier moment says nothing":        {begin.Add(-time.Second), begin},
		"a later one does":                      {begin.Add(time.Second), begin.Add(time.Second)},
		"one of a clock that was ahead doesn't": {now.Add(time.Microsecond), begin},
		"none says nothing":                     {time.Time{}, begin},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := numbered(1, begin)
			p.notBefore(test.moment, now)
			if !p.madeAt.Equal(test.want) {
				t.Errorf("made at %s, want %s", p.madeAt, test.want)
			}
		})
	}
}
