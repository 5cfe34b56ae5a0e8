package registration

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Bounds of what is kept of documents in memory.
const (
	freshAtLeast  = 5 * time.Minute
	freshAtMost   = 24 * time.Hour
	failureLife   = time.Minute
	documentBytes = 1 << 20 // of all documents and failures together
	// documentCost is what an entry takes besides its address and, twice, its document.
	documentCost = 1 << 10
)

// documentMemory keeps what documents said, the ones that were asked for last, and why
// others could not be read. Its zero value is empty.
type documentMemory struct {
	mu      sync.Mutex
	entries map[loop.ClientID]*list.Element // of *documentEntry
	recent  list.List                       // the one that was asked for last is in front
	bytes   int
	reading map[loop.ClientID]chan struct{} // closed when the fetch that goes on has ended
}

// documentEntry is one document. Where it could not be read again, the good one stays.
type documentEntry struct {
	id      loop.ClientID
	client  *loop.Client // nil: it was never good
	readAt  time.Time    // when the client was
	err     error        // of the last try; nil: it was good
	goodFor time.Time    // until when nobody asks again
	cost    int
}

// get gives what is remembered of an id; else what fetch reads, one fetch at a time for
// each. A failure takes nothing of a good document away for a day.
func (m *documentMemory) get(ctx context.Context, id loop.ClientID, w loop.World, fetch func() (c *loop.Client, fresh time.Duration, size int, err error)) (*loop.Client, error) {
	for {
		entry, wait := m.entry(id, w.Now())
		if entry != nil {
			return entry.answer(w.Now())
		}
		if wait == nil {
			break
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer m.ended(id)
	c, fresh, size, err := fetch()
	if err != nil && loop.AsError(err).Code != loop.InvalidClient { // nothing was learned of the document
		return nil, err
	}
	return m.keep(id, c, fresh, size, err, w.Now()).answer(w.Now())
}

// entry gives what is remembered and good for now; else a channel that closes when the
// fetch of somebody else has ended; else neither: the caller is to fetch.
func (m *documentMemory) entry(id loop.ClientID, now time.Time) (*documentEntry, chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if element := m.entries[id]; element != nil {
		if kept := element.Value.(*documentEntry); now.Before(kept.goodFor) {
			m.recent.MoveToFront(element)
			return kept, nil
		}
	}
	if wait := m.reading[id]; wait != nil {
		return nil, wait
	}
	if m.reading == nil {
		m.reading = map[loop.ClientID]chan struct{}{}
	}
	m.reading[id] = make(chan struct{})
	return nil, nil
}

// ended lets those go on that wait for a fetch.
func (m *documentMemory) ended(id loop.ClientID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.reading[id])
	delete(m.reading, id)
}

// keep remembers what a fetch came to, and forgets what nobody has asked for lately.
func (m *documentMemory) keep(id loop.ClientID, c *loop.Client, fresh time.Duration, size int, err error, now time.Time) *documentEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &documentEntry{id: id, client: c, readAt: now, err: err, goodFor: now.Add(min(max(fresh, freshAtLeast), freshAtMost)), cost: documentCost + len(id) + 2*size}
	if element := m.entries[id]; element != nil {
		if before := element.Value.(*documentEntry); err != nil && before.client != nil {
			next.client, next.readAt, next.cost = before.client, before.readAt, before.cost
		}
		m.forget(element)
	}
	if err != nil {
		next.goodFor = now.Add(failureLife)
	}
	if m.entries == nil {
		m.entries = map[loop.ClientID]*list.Element{}
	}
	m.entries[id] = m.recent.PushFront(next)
	for m.bytes += next.cost; m.bytes > documentBytes; {
		m.forget(m.recent.Back())
	}
	return next
}

func (m *documentMemory) forget(element *list.Element) {
	gone := m.recent.Remove(element).(*documentEntry)
	m.bytes -= gone.cost
	delete(m.entries, gone.id)
}

// answer is the document while it is good or was so within a day, else why it isn't.
func (e *documentEntry) answer(now time.Time) (*loop.Client, error) {
	if e.err == nil || e.client != nil && now.Before(e.readAt.Add(loop.DocumentKept)) {
		return e.client, nil
	}
	return nil, e.err
}
