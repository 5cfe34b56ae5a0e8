package limit

import (
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Limits counts the requests of a process. Nil and the zero value are switched
// off: they allow everything. Safe for concurrent use.
//
// Memory is bounded, in two tables. Who has proven who they are, a confidential
// client or a member, is counted in one; networks, and public clients by
// network, in the other, which a stranger with many addresses can fill. Nothing
// that a stranger does therefore touches the count of a client. Where a table is
// full, a new key takes the place of any other in it, which begins its minute
// anew. So a flood of addresses forgets a little of what other strangers have
// used, which buys the flood less than the addresses themselves do, and locks
// nobody out.
type Limits struct {
	world     loop.World
	seed      maphash.Seed // nobody can choose keys that fall into one shard
	known     [shards]shard
	strangers [shards]shard
	refused   [len(names)]atomic.Uint64 // by class

	shared Shared        // nil: this process counts for itself
	alone  atomic.Uint64 // requests that it counted for itself all the same
}

// Shared counts for many processes at once.
type Shared interface {
	// Allow counts a request of the key, which may make so many a minute, at a moment
	// in milliseconds since 1970, and judges it as Limits does. Keys that strangers
	// share are never blocked. Not ok: nobody can be asked, and nothing is known.
	Allow(class Class, key string, stranger bool, perMinute, now int64) (verdict Verdict, ok bool)
}

// ShareBy has the requests of all processes counted together from now on; it comes
// before the first of them. What cannot be counted there is counted here, for as long
// as that lasts: limits hold then for each process by itself.
func (l *Limits) ShareBy(shared Shared) { l.shared = shared }

// Alone is how many requests were counted here because they could not be counted
// together. Nil counts nothing.
func (l *Limits) Alone() uint64 {
	if l == nil {
		return 0
	}
	return l.alone.Load()
}

// Bounds of the memory: keys in one of the two minutes that are kept. A key
// takes less than 300 bytes, so that all of it stays below 80 MB.
const (
	shards       = 64
	maxKnown     = 1 << 16
	maxStrangers = 1 << 16
)

// New counts by the clock of the world.
func New(world loop.World) *Limits {
	l := &Limits{world: world, seed: maphash.MakeSeed()}
	for i := range shards {
		l.known[i].most = maxKnown / shards
		l.strangers[i].most = maxStrangers / shards
	}
	return l
}

// Verdict is what became of a request, and what is left of the limit.
type Verdict struct {
	Allowed    bool
	Limit      int           // requests a minute; 0: nothing is limited
	Remaining  int           // how many more are allowed at once
	Reset      time.Duration // until the whole limit is there again, if nothing more is sent
	RetryAfter time.Duration // until a request is allowed again; 0 where this one was
	Blocked    bool          // the wait is long because shorter ones were not heeded
}

// Allow counts a request of the class, of which the key may make so many a
// minute; 0 is the class's default in production. It says whether the request
// may go on; one that may not has taken nothing of the limit.
//
// More refused requests within a minute than the limit allows (but 30 in any
// case) begin a block of 15 minutes, for this key in this class, and each further
// time one of twice the length, up to 24 hours. Who then goes a day without is forgiven. Keys that
// strangers share (ByAddress, ByClient of a public client) are never blocked.
func (l *Limits) Allow(class Class, key Key, perMinute int) Verdict {
	if l == nil || l.world == nil {
		return Verdict{Allowed: true}
	}
	if perMinute <= 0 {
		perMinute = class.Default(loop.Production)
	}
	var verdict Verdict
	together := false
	if l.shared != nil {
		verdict, together = l.shared.Allow(class, key.String(), key.stranger, int64(perMinute), l.world.Now().UnixMilli())
	}
	if !together {
		verdict = l.allowHere(counted{key, class}, int64(perMinute), l.world.Elapsed().Milliseconds())
	}
	if !verdict.Allowed {
		l.refused[class].Add(1)
	}
	return verdict
}

// allowHere counts a request in the memory of this process.
func (l *Limits) allowHere(k counted, perMinute, now int64) Verdict {
	if l.shared != nil {
		l.alone.Add(1)
	}
	table := &l.known
	if k.stranger {
		table = &l.strangers
	}
	return table[maphash.Comparable(l.seed, k)%shards].allow(k, perMinute, now)
}

// Refused is how many requests of each class were over a limit since the start,
// by the class's name. Nil counts nothing.
func (l *Limits) Refused() map[string]uint64 {
	if l == nil {
		return nil
	}
	refused := make(map[string]uint64, len(names))
	for class := range names {
		refused[names[class]] = l.refused[class].Load()
	}
	return refused
}

func span(milliseconds int64) time.Duration { return time.Duration(milliseconds) * time.Millisecond }
