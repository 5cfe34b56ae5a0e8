package webhook

import (
	"context"
	"sync"
)

// remembered is how many events a process remembers.
const remembered = 10_000

// memory is Seen within one process.
type memory struct {
	mu     sync.Mutex
	events map[string]*once
	order  []string // the oldest first
}

// once is one event: handled by one at a time, until it was.
type once struct {
	mu      sync.Mutex
	handled bool
}

func newMemory() *memory { return &memory{events: make(map[string]*once)} }

// Handle handles an event once.
func (m *memory) Handle(_ context.Context, eventID string, handle func() error) error {
	event := m.event(eventID)
	event.mu.Lock()
	defer event.mu.Unlock()
	if event.handled {
		return nil
	}
	err := handle()
	event.handled = err == nil
	return err
}

func (m *memory) event(id string) *once {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.events[id]; known != nil {
		return known
	}
	if len(m.order) == remembered {
		delete(m.events, m.order[0])
		m.order = m.order[1:]
	}
	event := &once{}
	m.events[id], m.order = event, append(m.order, id)
	return event
}
