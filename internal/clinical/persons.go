package clinical

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// Bounds of the persons that a process holds: how many, and how long each.
const (
	personsAtMost = 8192
	personHeldFor = time.Minute
)

// rememberedPersons are Members that are asked for a member's sex and birth date once in
// a while: every read of results needs them, and they hardly ever change. Safe for
// concurrent use.
type rememberedPersons struct {
	Members
	world loop.World

	mu   sync.RWMutex
	held map[loop.MemberID]heldPerson
}

type heldPerson struct {
	biomarker.Person
	until time.Duration // by the world's Elapsed
}

// Person gives the member's recorded sex and birth date, as far as they are known.
func (r *rememberedPersons) Person(ctx context.Context, id loop.MemberID) (biomarker.Person, error) {
	now := r.world.Elapsed()
	r.mu.RLock()
	held := r.held[id]
	r.mu.RUnlock()
	if now < held.until {
		return held.Person, nil
	}
	person, err := r.Members.Person(ctx, id)
	if err == nil {
		r.hold(id, heldPerson{person, now + personHeldFor}, now)
	}
	return person, err
}

// hold keeps a person. Where there is no room, those whose time is over go, or else all.
func (r *rememberedPersons) hold(id loop.MemberID, person heldPerson, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) >= personsAtMost {
		maps.DeleteFunc(r.held, func(_ loop.MemberID, held heldPerson) bool { return now >= held.until })
	}
	if r.held == nil || len(r.held) >= personsAtMost {
		r.held = make(map[loop.MemberID]heldPerson)
	}
	r.held[id] = person
}
