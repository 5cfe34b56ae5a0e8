package limit

import (
	"strings"
	"sync"
)

// counted is a key within a class.
type counted struct {
	Key
	class Class
}

// count is what became of a key's requests in one of the clock's minutes.
type count struct{ allowed, refused tally }

// block is the wait of somebody who did not heed shorter ones.
type block struct{ until, length int64 }

// The waits of those who go on after they were refused, in milliseconds.
const (
	firstBlock   = 15 * minute
	longestBlock = 24 * 60 * minute
	forgiveAfter = 24 * 60 * minute // of good conduct: the next block is a first one
)

// patience is how many refused requests within a minute are borne, however
// small the limit is.
const patience = 30

// shard keeps the counts of some of the keys: those of this minute and of the
// one before. What is older goes with its map, so that nothing has to be swept;
// a shard that nobody asks any more keeps its last two maps, within its bound.
type shard struct {
	mu      sync.Mutex
	most    int   // keys in each map
	minute  int64 // since 1970, of present
	present map[counted]*count
	past    map[counted]*count
	blocks  map[counted]block
}

// allow counts a request at a moment, in milliseconds since 1970.
func (s *shard) allow(k counted, limit, now int64) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	elapsed := s.turn(now)
	if b := s.blocks[k]; now < b.until {
		return Verdict{Limit: int(limit), Reset: span(b.until - now), RetryAfter: span(b.until - now), Blocked: true}
	}
	past, present := s.past[k], s.countOf(k)
	if past == nil {
		past = new(count)
	}
	w := window{&past.allowed, &present.allowed, elapsed}
	used := w.count()
	if used >= limit {
		return s.refuse(k, limit, now, w, window{&past.refused, &present.refused, elapsed})
	}
	w.add()
	return Verdict{Allowed: true, Limit: int(limit), Remaining: int(limit - used - 1), Reset: span(w.wait(0))}
}

// refuse answers a request over the limit. Refused requests take nothing of the
// limit, so that whoever waits as long as the answer says gets on. Who sends as
// many again as they may send at all has not looked at the answers: they are
// blocked for a quarter of an hour, and twice as long each further time. A
// network is never blocked: many people share it, and one of them could shut
// out the others for a day.
func (s *shard) refuse(k counted, limit, now int64, allowed, refused window) Verdict {
	refused.add()
	if k.stranger || refused.count() <= max(limit, patience) {
		return Verdict{Limit: int(limit), Reset: span(allowed.wait(0)), RetryAfter: span(allowed.wait(limit - 1))}
	}
	length := min(max(2*s.blocks[k].length, firstBlock), longestBlock)
	makeRoom(s.blocks, s.most)
	s.blocks[owned(k)] = block{until: now + length, length: length}
	return Verdict{Limit: int(limit), Reset: span(length), RetryAfter: span(length), Blocked: true}
}

// turn goes on to the minute of the moment and gives what has passed of it. A
// clock that ran back stands, for us, at the end of the minute that it had
// reached.
func (s *shard) turn(now int64) (elapsed int64) {
	at := now / minute
	switch {
	case s.present != nil && at == s.minute:
		return now % minute
	case s.present != nil && at < s.minute:
		return minute - 1
	case s.present != nil && at == s.minute+1:
		s.past = s.present
	default:
		s.past = nil
	}
	s.present, s.minute = make(map[counted]*count), at
	if s.blocks == nil {
		s.blocks = make(map[counted]block)
	}
	for k, b := range s.blocks {
		if now-b.until >= forgiveAfter {
			delete(s.blocks, k)
		}
	}
	return now % minute
}

// countOf gives the key's count of this minute, to be changed.
func (s *shard) countOf(k counted) *count {
	c := s.present[k]
	if c == nil {
		makeRoom(s.present, s.most)
		c = new(count)
		s.present[owned(k)] = c
	}
	return c
}

// owned is the key for keeping: the caller's text may be part of something
// larger.
func owned(k counted) counted {
	k.id = strings.Clone(k.id)
	return k
}

// makeRoom keeps a map within its bound, by taking out any key: it begins this
// minute anew, which gives it more than it should have and never less.
func makeRoom[V any](m map[counted]V, most int) {
	for victim := range m {
		if len(m) < most {
			return
		}
		delete(m, victim)
	}
}
