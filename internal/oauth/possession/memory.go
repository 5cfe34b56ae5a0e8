package possession

import (
	"errors"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// errUsed is a proof that was seen before.
var errUsed = errors.New("used before")

// maxProofs bounds the memory of proofs: what comes when it is full is refused,
// since a proof that was forgotten early could be used again.
const maxProofs = 1 << 19

// Memory remembers which DPoP proofs this process has seen. Another replica has
// a memory of its own: what remains is said in the documentation, on the page
// Security. Safe for concurrent use.
type Memory struct {
	// Since is when the memory begins; an older proof may have been used before.
	Since time.Time

	mu   sync.Mutex
	seen map[[32]byte]time.Time // until when
	swep time.Time
}

// NewMemory begins to remember.
func NewMemory(now time.Time) *Memory {
	return &Memory{Since: now, seen: map[[32]byte]time.Time{}, swep: now}
}

// use notes a proof; errUsed where it was seen before, TemporarilyUnavailable
// where there is no room to remember it.
func (p *Memory) use(hash [32]byte, now, until time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.swep) >= proofWindow || len(p.seen) >= maxProofs {
		for known, end := range p.seen {
			if !now.Before(end) {
				delete(p.seen, known)
			}
		}
		p.swep = now
	}
	if end, known := p.seen[hash]; known && now.Before(end) {
		return errUsed
	}
	if len(p.seen) >= maxProofs {
		full := loop.Errorf(loop.TemporarilyUnavailable, "Too many DPoP proofs are being used at this moment. Try again with a new proof.")
		full.RetryAfter = time.Second
		return full
	}
	p.seen[hash] = until
	return nil
}
