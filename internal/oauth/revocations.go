package oauth

import (
	"strings"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Revocations is the complete set of what has been revoked and could still be
// presented, in memory. It is small: nothing in it is older than the longest
// life of a token. Safe for concurrent use.
type Revocations struct {
	mu      sync.RWMutex
	highest map[revoked]entry
	epoch   loop.Epoch
	heard   func(loop.Revocation) // nil: nobody else wants to know
}

type revoked struct {
	kind loop.RevocationKind
	id   string
}

type entry struct {
	number    uint64
	expiresAt time.Time
}

// NewRevocations makes an empty set.
func NewRevocations() *Revocations {
	return &Revocations{highest: map[revoked]entry{}}
}

// Hear has f called with each revocation from now on, before its act is answered.
func (r *Revocations) Hear(f func(loop.Revocation)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = f
}

// Apply adds a revocation with its number. The store calls it after the commit
// and before the act is answered, and for all that it holds at start.
func (r *Revocations) Apply(number uint64, revocation loop.Revocation) {
	if heard := r.add(number, revocation); heard != nil {
		heard(revocation)
	}
}

func (r *Revocations) add(number uint64, revocation loop.Revocation) (heard func(loop.Revocation)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch.Counter = max(r.epoch.Counter, number)
	key := revoked{revocation.Kind, strings.Clone(revocation.ID)} // which may be part of something larger
	if r.highest[key].number < number {
		r.highest[key] = entry{number, revocation.ExpiresAt}
	}
	return r.heard
}

// Sweep forgets what has expired: nothing that it ended can still be alive.
func (r *Revocations) Sweep(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, e := range r.highest {
		if !now.Before(e.expiresAt) {
			delete(r.highest, key)
		}
	}
}

// Len is how many revocations are held.
func (r *Revocations) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.highest)
}

// Raise lifts the epoch to where the store is known to be.
func (r *Revocations) Raise(to loop.Epoch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.epoch.Before(to) {
		r.epoch = to
	}
}

// Epoch is the epoch, with the highest number of a revocation that this process
// has seen.
func (r *Revocations) Epoch() loop.Epoch {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.epoch
}

// lineage is what a token or code depends on, and the counter's value when it was
// issued.
type lineage struct {
	member  loop.MemberID
	client  loop.ClientID
	grant   loop.GrantID
	chain   loop.ChainID
	token   loop.TokenID // of an access token
	counter uint64
}

// revokedAfter reports whether anything that the credential depends on was revoked
// after it was issued.
func (r *Revocations) revokedAfter(l lineage) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.highest[revoked{loop.RevokeChain, string(l.chain)}].number > l.counter ||
		r.highest[revoked{loop.RevokeGrant, string(l.grant)}].number > l.counter ||
		r.highest[revoked{loop.RevokeMember, string(l.member)}].number > l.counter ||
		r.highest[revoked{loop.RevokeClient, string(l.client)}].number > l.counter ||
		r.highest[revoked{loop.RevokeToken, string(l.token)}].number > l.counter
}
