package possession

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestSec062_TheMemoryOfProofsIsBoundedAndForgetsNoneEarly(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)
	proofs := NewMemory(now)
	number := func(n int) (hash [32]byte) {
		binary.BigEndian.PutUint64(hash[:], uint64(n))
		return hash
	}
	for n := range maxProofs {
		if err := proofs.use(number(n), now, now.Add(2*proofWindow)); err != nil {
			t.Fatalf("proof %d: %v", n, err)
		}
	}
	err := proofs.use(number(maxProofs), now, now.Add(2*proofWindow))
	if told := loop.AsError(err); told.Code != loop.TemporarilyUnavailable || told.RetryAfter == 0 {
		t.Errorf("one too many: %v", err)
	}
	if err := proofs.use(number(0), now, now.Add(2*proofWindow)); !errors.Is(err, errUsed) {
		t.Errorf("the first was forgotten: %v", err)
	}
	later := now.Add(2 * proofWindow)
	if err := proofs.use(number(maxProofs), later, later.Add(2*proofWindow)); err != nil {
		t.Errorf("when all have expired: %v", err)
	}
	if len(proofs.seen) != 1 {
		t.Errorf("%d are remembered", len(proofs.seen))
	}
}
