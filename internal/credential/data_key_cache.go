package credential

import (
	"maps"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Bounds of the opened keys that a process holds: how many, and how long each. So a
// key that another process has destroyed is held for a minute at most.
const (
	dataKeysAtMost = 8192
	dataKeyHeldFor = time.Minute
)

// dataKeyCache holds opened keys for a short time. It is safe for concurrent use.
type dataKeyCache struct {
	world loop.World

	mu   sync.RWMutex
	held map[dataKeyName]heldDataKey
}

type dataKeyName struct {
	member loop.MemberID
	use    DataUse
}

type heldDataKey struct {
	*DataKey
	until time.Duration // by the world's Elapsed
}

// get gives a key that is held; nil where it is not.
func (c *dataKeyCache) get(member loop.MemberID, use DataUse) *DataKey {
	now := c.world.Elapsed()
	c.mu.RLock()
	defer c.mu.RUnlock()
	if held := c.held[dataKeyName{member, use}]; now < held.until {
		return held.DataKey
	}
	return nil
}

// put holds a key. Where there is no room, those whose time is over go, or else all.
func (c *dataKeyCache) put(member loop.MemberID, use DataUse, key *DataKey) {
	now := c.world.Elapsed()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.held) >= dataKeysAtMost {
		maps.DeleteFunc(c.held, func(_ dataKeyName, held heldDataKey) bool { return now >= held.until })
	}
	if c.held == nil || len(c.held) >= dataKeysAtMost {
		c.held = make(map[dataKeyName]heldDataKey)
	}
	c.held[dataKeyName{member, use}] = heldDataKey{key, now + dataKeyHeldFor}
}

// drop forgets the keys of a member.
func (c *dataKeyCache) drop(member loop.MemberID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, dataKeyName{member, ForResults})
	delete(c.held, dataKeyName{member, ForPerson})
}
