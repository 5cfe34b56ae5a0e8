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
	clients  map[loop.ClientID]RevisedClient
	changing map[loop.ClientID]int // how many changes are under way
	version  uint64                // counts the changes that have ended
}

// RevisedClient is a client as it is stored, and which of its states that is: a
// number of the engine's, which is another after each change. An engine that needs
// none leaves it 0.
type RevisedClient struct {
	*loop.Client
	Revision uint32
}

// NewClientCache makes an empty one.
func NewClientCache() *ClientCache {
	return &ClientCache{clients: map[loop.ClientID]RevisedClient{}, changing: map[loop.ClientID]int{}}
}

// Client gives the client that is held; else what read reads, which is then held.
func (c *ClientCache) Client(id loop.ClientID, read func() (RevisedClient, error)) (*loop.Client, error) {
	held, version := c.held(id)
	if held.Client != nil {
		return held.Client, nil
	}
	return c.read(version, read)
}

// ClientAt gives the client that is held, if it is of this revision; else what read
// reads, which is then held.
func (c *ClientCache) ClientAt(id loop.ClientID, revision uint32, read func() (RevisedClient, error)) (*loop.Client, error) {
	held, version := c.held(id)
	if held.Client != nil && held.Revision == revision {
		return held.Client, nil
	}
	return c.read(version, read)
}

func (c *ClientCache) read(version uint64, read func() (RevisedClient, error)) (*loop.Client, error) {
	client, err := read()
	if err != nil {
		return nil, err
	}
	c.hold(client, version)
	return client.Client, nil
}

func (c *ClientCache) held(id loop.ClientID) (client RevisedClient, version uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.clients[id], c.version
}

// hold remembers a client that was read, unless a change has come between.
// Where there is no room, another is forgotten, whichever it is.
func (c *ClientCache) hold(client RevisedClient, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changing[client.ID] > 0 || c.version != version {
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
	c.changing[id]++
	return func() { c.changed(id) }
}

func (c *ClientCache) changed(id loop.ClientID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changing[id]--; c.changing[id] == 0 {
		delete(c.changing, id)
	}
	c.version++
}

// Forget forgets everything: for a process that was cut off from the changes of
// others.
func (c *ClientCache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.clients)
	c.version++
}

// Len is how many clients are held.
func (c *ClientCache) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.clients)
}
