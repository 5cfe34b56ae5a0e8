package clinical

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Bounds of the sexes that a process holds: how many, and how long each.
const (
	sexesAtMost = 8192
	sexHeldFor  = time.Minute
)

// rememberedSexes are Members that are asked for a member's sex once in a while: every
// read of results needs it, and it is given when a member is made and not changed
// afterwards. Safe for concurrent use.
type rememberedSexes struct {
	Members
	world loop.World

	mu   sync.RWMutex
	held map[loop.MemberID]heldSex
}

type heldSex struct {
	loop.Sex
	until time.Duration // by the world's Elapsed
}

// Sex gives the member's recorded sex; empty where it is not known.
func (r *rememberedSexes) Sex(ctx context.Context, id loop.MemberID) (loop.Sex, error) {
	now := r.world.Elapsed()
	r.mu.RLock()
	held := r.held[id]
	r.mu.RUnlock()
	if now < held.until {
		return held.Sex, nil
	}
	sex, err := r.Members.Sex(ctx, id)
	if err == nil {
		r.hold(id, heldSex{sex, now + sexHeldFor}, now)
	}
	return sex, err
}

// hold keeps a sex. Where there is no room, those whose time is over go, or else all.
func (r *rememberedSexes) hold(id loop.MemberID, sex heldSex, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) >= sexesAtMost {
		maps.DeleteFunc(r.held, func(_ loop.MemberID, held heldSex) bool { return now >= held.until })
	}
	if r.held == nil || len(r.held) >= sexesAtMost {
		r.held = make(map[loop.MemberID]heldSex)
	}
	r.held[id] = sex
}
