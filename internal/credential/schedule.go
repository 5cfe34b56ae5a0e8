package credential

import (
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// schedule is how the keys of a purpose follow each other. The zero schedule is
// that of a key that stays.
type schedule struct {
	announced time.Duration // before it works, at the least
	works     time.Duration // until its successor does
	kept      time.Duration // after that: for as long as anything that it made can be presented
}

const day = 24 * time.Hour

// rotateEvery is how long a key is at work.
const rotateEvery = 90 * day

// sealLead is how long before its first sealing a new key is stored, and
// sealMargin how long after its last one more it is kept: a process reads the
// stored keys each minute, so none meets a sealing whose key it has not yet or no
// longer.
const (
	sealLead   = 5 * time.Minute
	sealMargin = time.Hour
)

// forEver is longer than any platform runs.
const forEver = 100 * 365 * day

// sealing is the schedule of a purpose whose sealings live that long.
func sealing(life time.Duration) schedule {
	return schedule{announced: sealLead, works: rotateEvery, kept: life + sealMargin}
}

// schedules says for each purpose how long what its keys make can live. The audit
// key is not here, since it never rotates: every record ever written is verified
// under it, so the first would have to be kept for as long as the last.
var schedules = map[Purpose]schedule{
	ForAccessTokens:  sealing(loop.MaxAccessTokenTTL),
	ForCodes:         sealing(loop.CodeLife + loop.CodeRemembered),
	ForRefreshTokens: sealing(loop.RefreshTokenIdle),
	ForContinuations: sealing(loop.ContinuationLife),
	ForTickets:       sealing(loop.TicketLife),
	ForPages:         sealing(loop.SessionAtMost), // that a form is bound to; cursors have no end of their own
	ForPortal:        sealing(loop.DeveloperSessionLife),
	ForMail:          sealing(loop.MailLife),
	ForSignIn:        sealing(loop.SignInStepLife),
	ForFactors:       sealing(forEver), // a second factor stays until its member takes it away

	ForEvents: sealing(loop.EventsKept),

	// Others keep a key set for as long as they like: they get two weeks to read it
	// again before a key signs, and after its last signature it is there for as long.
	ForSigning: {announced: 14 * day, works: rotateEvery, kept: 14 * day},
}

// KeyState is where a key stands in its life.
type KeyState string

// The states of keys, in the order of a life.
const (
	KeyAnnounced KeyState = "announced" // known, and not yet at work
	KeyActive    KeyState = "active"    // it seals or signs
	KeyKept      KeyState = "kept"      // its successor does; what it made is accepted
)

// KeyLife is a key and where it stands.
type KeyLife struct {
	Key
	State      KeyState
	SealsUntil time.Time // when its successor takes over; zero: that is not made yet
	KeptUntil  time.Time // when it is deleted; zero: as above, or it stays
}

// lives says where the keys stand, slot by slot, oldest first.
func lives(keys []Key, now time.Time) []KeyLife {
	var all []KeyLife
	for _, slot := range Slots() {
		turns := inTurn(of(slot, keys))
		for i, key := range turns {
			life := KeyLife{Key: key, State: KeyActive}
			if i+1 < len(turns) {
				life.SealsUntil = turns[i+1].SealsFrom
				life.KeptUntil = life.SealsUntil.Add(schedules[slot.Purpose].kept)
			}
			switch {
			case now.Before(key.SealsFrom):
				life.State = KeyAnnounced
			case !life.SealsUntil.IsZero() && !now.Before(life.SealsUntil):
				life.State = KeyKept
			}
			all = append(all, life)
		}
	}
	return all
}

// of gives the keys of a slot.
func of(slot Slot, keys []Key) []Key {
	return slices.DeleteFunc(slices.Clone(keys), func(key Key) bool { return key.Slot != slot })
}

// due says what the schedule asks for now: a successor for each newest key whose
// time is nearly over, and an end to the keys that nothing needs any more.
func due(keys []Key, now time.Time) (next []wanted, over []Key) {
	for _, slot := range Slots() {
		plan, turns := schedules[slot.Purpose], inTurn(of(slot, keys))
		if plan.works == 0 || len(turns) == 0 {
			continue
		}
		turn := turns[len(turns)-1].SealsFrom.Add(plan.works)
		if soonest := now.Add(plan.announced); !soonest.Before(turn) {
			next = append(next, wanted{slot, soonest})
		}
	}
	for _, life := range lives(keys, now) {
		if life.State == KeyKept && !now.Before(life.KeptUntil) {
			over = append(over, life.Key)
		}
	}
	return next, over
}
