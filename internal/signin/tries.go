package signin

import (
	"context"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// TryKey names what tries are counted under: a keyed hash, so that nobody can choose
// one.
type TryKey [32]byte

// TryCount is what is counted under a key.
type TryCount struct {
	Count     int
	Since     time.Time // the first of them
	NotBefore time.Time // the next one may be made
}

// Tries keeps the counts of tries, one for all processes that serve. Whatever is
// counted, it takes no more than a fixed room: where that is full, something goes.
type Tries interface {
	// ChangeTries reads what is counted under each key, has change alter it and writes
	// it. Nobody else reads or writes one of the keys meanwhile. The time is that of
	// everybody who counts there.
	ChangeTries(ctx context.Context, keys []TryKey, change func(now time.Time, counts []TryCount)) error
}

// Memory is Tries for a process that serves alone. Safe for concurrent use.
type Memory struct {
	world loop.World
	room  int

	mu     sync.Mutex
	counts map[TryKey]TryCount
}

// MemoryRoom is how many keys a platform's memory has room for: some 15 MB.
const MemoryRoom = 100_000

// NewMemory makes an empty one with room for so many keys.
func NewMemory(world loop.World, room int) *Memory {
	return &Memory{world: world, room: room, counts: map[TryKey]TryCount{}}
}

// ChangeTries implements Tries.
func (m *Memory) ChangeTries(_ context.Context, keys []TryKey, change func(now time.Time, counts []TryCount)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := make([]TryCount, len(keys))
	for i, key := range keys {
		counts[i] = m.counts[key]
	}
	change(loop.Ticks(m.world), counts)
	for i, key := range keys {
		if counts[i] == (TryCount{}) {
			delete(m.counts, key)
			continue
		}
		if _, known := m.counts[key]; !known {
			m.makeRoom()
		}
		m.counts[key] = counts[i]
	}
	return nil
}

// makeRoom takes out the oldest of a few where all room is taken: a stranger who
// fills it must fill neither the machine nor anybody's time.
func (m *Memory) makeRoom() {
	if len(m.counts) < m.room {
		return
	}
	var (
		oldest TryKey
		at     time.Time
		seen   int
	)
	for key, count := range m.counts { // in no order
		if seen == 0 || count.NotBefore.Before(at) {
			oldest, at = key, count.NotBefore
		}
		if seen++; seen == 8 {
			break
		}
	}
	delete(m.counts, oldest)
}
