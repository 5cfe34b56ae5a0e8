package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Tokens are what Loop gave an app for a member.
type Tokens struct {
	Access  Secret    // opens the API until Expiry
	Refresh Secret    // gives the next pair, once; empty where there is none
	Expiry  time.Time // of Access
	Scopes  []string  // what the member allows
}

// Has reports whether the member allows a scope.
func (t Tokens) Has(scope string) bool { return slices.Contains(t.Scopes, scope) }

// Stored are tokens as a store keeps them.
type Stored struct {
	Tokens
	Version int64 // another after each Save, also of a member who was forgotten before
}

// ErrChanged says that somebody else saved first: nothing was written.
var ErrChanged = errors.New("the tokens were changed by somebody else in the meantime")

// Store keeps members' tokens. It MUST be durable before Save returns: Loop has
// forgotten the refresh token that was used. It is safe for concurrent use, by all
// processes of the app.
type Store interface {
	// Load gives what is kept for a member; ErrNoTokens where there is nothing.
	Load(ctx context.Context, member string) (Stored, error)
	// Save puts tokens in place of those of a version, 0 where there must be none yet;
	// ErrChanged where they are of another. A version below 0 replaces whatever there
	// is.
	Save(ctx context.Context, member string, version int64, tokens Tokens) error
	// Delete forgets a member. One who is not there is no error.
	Delete(ctx context.Context, member string) error
	// Lock waits until nobody else holds the member's lock, in any process, and takes
	// it. One that was left behind by a process that died MUST come free by itself.
	Lock(ctx context.Context, member string) (unlock func(), err error)
}

// nextVersion is never one that was there before: a member who connects again begins
// at the present moment.
func nextVersion(held int64) int64 { return max(held+1, time.Now().UnixNano()) }

// MemoryStore keeps tokens until the process ends: for tests, and for a first try.
type MemoryStore struct {
	mu     sync.Mutex
	tokens map[string]Stored
	locks  map[string]chan struct{} // closed when the lock comes free
	newest int64                    // version that was given
}

// NewMemoryStore makes an empty one.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{tokens: make(map[string]Stored), locks: make(map[string]chan struct{})}
}

// Format shows no tokens, whatever the verb.
func (s *MemoryStore) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "MemoryStore") }

// Load gives what is kept for a member.
func (s *MemoryStore) Load(_ context.Context, member string) (Stored, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.tokens[member]
	if !ok {
		return stored, ErrNoTokens
	}
	return stored, nil
}

// Save keeps tokens.
func (s *MemoryStore) Save(_ context.Context, member string, version int64, tokens Tokens) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.tokens[member].Version
	if version >= 0 && version != held {
		return ErrChanged
	}
	s.newest = nextVersion(s.newest)
	s.tokens[member] = Stored{tokens, s.newest}
	return nil
}

// Delete forgets a member.
func (s *MemoryStore) Delete(_ context.Context, member string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, member)
	return nil
}

// Lock takes the member's lock.
func (s *MemoryStore) Lock(ctx context.Context, member string) (unlock func(), err error) {
	for {
		s.mu.Lock()
		held, taken := s.locks[member]
		if !taken {
			free := make(chan struct{})
			s.locks[member] = free
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.locks, member)
				close(free)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-held:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
