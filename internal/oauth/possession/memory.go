package possession

import (
	"errors"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// errUsed is a proof that was accepted before.
var errUsed = errors.New("used before")

// remembered is how long a proof is remembered at the least: one that is dated as
// far ahead as is allowed is good until it is as far behind.
const remembered = 2 * proofWindow

// How many proofs are remembered: of one client, and of all. A full memory begins
// anew, and asks for a nonce in each proof that is older than that; so whoever
// fills it costs the app that they are at most one request more, and no client
// that sends fewer has its proofs forgotten for it.
const (
	maxProofsOfClient = 1 << 15
	maxProofs         = 1 << 19
)

// Memory remembers which DPoP proofs this process has accepted. Another replica
// has a memory of its own: what remains is said in the documentation, on the page
// Security. Safe for concurrent use.
//
// Proofs are in two generations: the newer one takes what is accepted, and after
// its time takes the place of the older one, which is forgotten as a whole.
type Memory struct {
	mu    sync.Mutex
	since time.Time // when the memory begins; an older proof may have been used before
	began time.Time // the newer generation
	count int
	newer map[loop.ClientID]*share
	older map[loop.ClientID]*share
}

// share is what is remembered of one client.
type share struct {
	since  time.Time // zero: as the whole memory
	proofs map[[32]byte]struct{}
}

// NewMemory begins to remember.
func NewMemory(now time.Time) *Memory {
	m := &Memory{}
	m.begin(now)
	return m
}

// begin forgets everything.
func (m *Memory) begin(now time.Time) {
	m.since, m.began, m.count = now, now, 0
	m.newer, m.older = map[loop.ClientID]*share{}, map[loop.ClientID]*share{}
}

// check reports whether a proof can be accepted: errUsed where it was before,
// errNeedsNonce where nobody can know.
func (m *Memory) check(client loop.ClientID, p *Proof, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	return m.judge(client, p)
}

// use remembers a proof as accepted; errors as of check.
func (m *Memory) use(client loop.ClientID, p *Proof, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn(now)
	m.makeRoom(client, now)
	if err := m.judge(client, p); err != nil {
		return err
	}
	kept := m.newer[client]
	if kept == nil {
		kept = &share{proofs: map[[32]byte]struct{}{}}
		m.newer[client] = kept
	}
	kept.proofs[p.hash] = struct{}{}
	m.count++
	return nil
}

// forget takes a proof back that use remembered.
func (m *Memory) forget(client loop.ClientID, p *Proof) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, kept := range m.of(client) {
		if _, known := kept.proofs[p.hash]; known {
			delete(kept.proofs, p.hash)
			m.count--
		}
	}
}

// turn begins a new generation where the newer one is old enough. Where the clock
// was ahead and came back, nothing is forgotten for that.
func (m *Memory) turn(now time.Time) {
	if now.Before(m.began) {
		m.began = now
	}
	if now.Before(m.since) {
		m.since = now
	}
	if now.Sub(m.began) < remembered {
		return
	}
	m.older, m.newer, m.began = m.newer, map[loop.ClientID]*share{}, now
	m.count = 0
	for _, kept := range m.older {
		m.count += len(kept.proofs)
	}
}

// makeRoom forgets the client's proofs where they are too many, or everybody's.
func (m *Memory) makeRoom(client loop.ClientID, now time.Time) {
	if m.count >= maxProofs {
		m.begin(now)
		return
	}
	held := 0
	for _, kept := range m.of(client) {
		held += len(kept.proofs)
	}
	if held >= maxProofsOfClient {
		m.count -= held
		delete(m.older, client)
		m.newer[client] = &share{since: now, proofs: map[[32]byte]struct{}{}}
	}
}

func (m *Memory) judge(client loop.ClientID, p *Proof) error {
	if p.madeAt.Before(m.since) {
		return errNeedsNonce
	}
	for _, kept := range m.of(client) {
		if _, known := kept.proofs[p.hash]; known {
			return errUsed
		}
		if p.madeAt.Before(kept.since) {
			return errNeedsNonce
		}
	}
	return nil
}

// of gives what is remembered of a client.
func (m *Memory) of(client loop.ClientID) []*share {
	var kept []*share
	for _, generation := range []map[loop.ClientID]*share{m.newer, m.older} {
		if one := generation[client]; one != nil {
			kept = append(kept, one)
		}
	}
	return kept
}
