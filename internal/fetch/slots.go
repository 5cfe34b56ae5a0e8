package fetch

import (
	"context"
	"sync"
)

// How many exchanges go on at once, where nothing else is said.
const (
	slotsPerHost = 4
	slotsInAll   = 32
)

// slots bounds how much goes on at once. What waits for a slow host holds none
// of the slots of all.
type slots struct {
	perHost int
	all     chan struct{}

	mu    sync.Mutex
	hosts map[string]*hostSlots // those that are in use or waited for
}

type hostSlots struct {
	taken chan struct{}
	users int
}

func newSlots(perHost, inAll int) *slots {
	return &slots{perHost: perHost, all: make(chan struct{}, inAll), hosts: make(map[string]*hostSlots)}
}

// take waits for a slot of the host and one of all, until ctx ends. The slots
// are the caller's until release.
func (s *slots) take(ctx context.Context, host string) (release func(), err error) {
	own := s.join(host)
	select {
	case own.taken <- struct{}{}:
	case <-ctx.Done():
		s.leave(host)
		return nil, ctx.Err()
	}
	select {
	case s.all <- struct{}{}:
	case <-ctx.Done():
		<-own.taken
		s.leave(host)
		return nil, ctx.Err()
	}
	return func() {
		<-s.all
		<-own.taken
		s.leave(host)
	}, nil
}

func (s *slots) join(host string) *hostSlots {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.hosts[host]
	if own == nil {
		own = &hostSlots{taken: make(chan struct{}, s.perHost)}
		s.hosts[host] = own
	}
	own.users++
	return own
}

func (s *slots) leave(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hosts[host].users--; s.hosts[host].users == 0 {
		delete(s.hosts, host)
	}
}
