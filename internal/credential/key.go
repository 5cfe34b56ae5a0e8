package credential

import (
	"cmp"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
)

// Purpose is what a key of the ring is for; a key serves one purpose only.
type Purpose string

// The purposes of keys.
const (
	ForAccessTokens  Purpose = "access"
	ForCodes         Purpose = "code"
	ForRefreshTokens Purpose = "refresh"
	ForContinuations Purpose = "continuation"
	ForTickets       Purpose = "ticket"
	ForPages         Purpose = "page"    // form tokens and cursors: what is only ever compared
	ForPortal        Purpose = "portal"  // the portal's own sessions
	ForMail          Purpose = "mail"    // letters and links on their way
	ForSignIn        Purpose = "signin"  // what a browser holds between two steps of a sign-in
	ForFactors       Purpose = "factor"  // secrets of second factors, as they are stored
	ForEvents        Purpose = "event"   // what apps are sent, while it waits and is kept
	ForSigning       Purpose = "signing" // ID tokens, see SigningKeys
	ForAudit         Purpose = "audit"   // the chain of records and its checkpoints
)

// Purposes lists those that the ring needs a symmetric key for.
func Purposes() []Purpose {
	return []Purpose{ForAccessTokens, ForCodes, ForRefreshTokens, ForContinuations, ForTickets, ForPages, ForPortal, ForMail, ForSignIn, ForFactors, ForEvents, ForAudit}
}

// Slot is a place that always has a key at work: a purpose, and for signing each
// algorithm by itself, so that no key ever serves two.
type Slot struct {
	Purpose   Purpose
	Algorithm jose.SignatureAlgorithm // of signing keys; empty for all others
}

// String names the slot to an operator: access, or signing ES256.
func (s Slot) String() string {
	if s.Algorithm == "" {
		return string(s.Purpose)
	}
	return string(s.Purpose) + " " + string(s.Algorithm)
}

// Slots lists every slot: a platform has a key at work in each.
func Slots() []Slot {
	var slots []Slot
	for _, purpose := range Purposes() {
		slots = append(slots, Slot{Purpose: purpose})
	}
	for _, algorithm := range Algorithms() {
		slots = append(slots, Slot{ForSigning, algorithm})
	}
	return slots
}

// Key is one key as it is stored: its secret is sealed under the master key.
type Key struct {
	Slot
	ID        uint32
	Sealed    []byte
	CreatedAt time.Time
	SealsFrom time.Time // from then on it seals or signs, until its successor does
}

// NewKey makes a key for the slot: 256 random bits, or a pair for the algorithm.
func NewKey(w loop.World, master *Master, id uint32, slot Slot, sealsFrom time.Time) (Key, error) {
	secret := make([]byte, 32)
	_, _ = w.Read(secret)
	if slot.Purpose == ForSigning {
		var err error
		if secret, err = newPrivateKey(w, slot.Algorithm); err != nil {
			return Key{}, err
		}
	}
	return master.seal(w, Key{Slot: slot, ID: id, CreatedAt: w.Now(), SealsFrom: sealsFrom}, secret)
}

// inTurn puts keys in the order in which they take over.
func inTurn(keys []Key) []Key {
	return slices.SortedFunc(slices.Values(keys), func(a, b Key) int {
		return cmp.Or(a.SealsFrom.Compare(b.SealsFrom), cmp.Compare(a.ID, b.ID))
	})
}

// atWork is the one of the keys, at least one and in turn, that works now: the
// last whose moment has come.
func atWork[K interface{ sealsFrom() time.Time }](keys []K, now time.Time) K {
	at := keys[0]
	for _, key := range keys[1:] {
		if !now.Before(key.sealsFrom()) {
			at = key
		}
	}
	return at
}
