package store

import (
	"sync"

	"github.com/loop-health/loop/internal/loop"
)

// maxCachedClients bounds the memory: a client takes about a kilobyte.
const maxCachedClients = 10_000

// ClientCache answers for clients from memory after their first read. It holds
// what is committed, and nothing else:
//
//   - an act that changes a client marks it before the first statement, which
//     forgets it; until the act's transaction has ended, one way or the other,
//     everybody reads it where they are: readers what is committed, the act and
//     those behind it in the transaction what it has written;
//   - who began to read before a transaction with a change had ended does not
//     put what they read back in.
//
// What it gives is the one that it holds, for all who ask: they MUST NOT alter it,
// or everybody would see what nobody has committed. A change reads one of its own.
//
// A client that does not exist is not remembered: a stranger must not fill the
// memory. It is safe for concurrent use.
type ClientCache struct {
	mu       sync.RWMutex
	clients  map[loop.ClientID]*loop.Client
	changing map[loop.ClientID]struct{}
	version  uint64 // counts the changes that have ended
}

// NewClientCache makes an empty one.
func NewClientCache() *ClientCache {
	return &ClientCache{clients: map[loop.ClientID]*loop.Client{}, changing: map[loop.ClientID]struct{}{}}
}

// Client gives the client that is held; else what read reads, which is then held.
func (c *ClientCache) Client(id loop.ClientID, read func() (*loop.Client, error)) (*loop.Client, error) {
	held, version := c.held(id)
	if held != nil {
		return held, nil
	}
	client, err := read()
	if err != nil {
		return nil, err
	}
	c.hold(client, version)
	return client, nil
}

func (c *ClientCache) held(id loop.ClientID) (client *loop.Client, version uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.clients[id], c.version
}

// hold remembers a client that was read, unless a change has come between.
// Where there is no room, another is forgotten, whichever it is.
func (c *ClientCache) hold(client *loop.Client, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, changing := c.changing[client.ID]; changing || c.version != version {
		return
	}
	if len(c.clients) >= maxCachedClients {
		for other := range c.clients {
			delete(c.clients, other)
			break
		}
	}
	c.clients[client.ID] = client
}

// Change forgets a client that a transaction is about to change; ended is to be
// called once the transaction is over, whichever way.
func (c *ClientCache) Change(id loop.ClientID) (ended func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clients, id)
	c.changing[id] = struct{}{}
	return func() { c.changed(id) }
}

func (c *ClientCache) changed(id loop.ClientID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.changing, id)
	c.version++
}

// Len is how many clients are held.
func (c *ClientCache) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.clients)
}
