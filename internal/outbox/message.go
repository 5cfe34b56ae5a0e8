package outbox

import (
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Kind is what a message is, and says which Deliverer sends it.
type Kind string

// Message is something to be sent, as an act brings it about.
type Message struct {
	ID          string // chosen by the act: of messages with the same, one is written
	Kind        Kind
	Destination string // who receives it; a slow one delays its own messages alone
	OrderKey    string // messages of a kind that share it are delivered one after the other, as they were written; empty: in any order
	Payload     []byte // what the Deliverer needs, in its own form
	DueAt       time.Time
}

// OnSessionEnd gives the messages that the end of a session brings about.
type OnSessionEnd func(loop.EndedSession) []Message

// Outcome is what became of a message in the end.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered"
	GivenUp   Outcome = "given up" // after the last of its attempts, or where none will help
	Obsolete  Outcome = "obsolete" // nobody is left to receive it
)

// Delivery is a message on its way.
type Delivery struct {
	Message
	Number       int64     // in the order in which messages were written
	Attempts     int       // that were made
	ClaimedUntil time.Time // by which the claim is known; another may claim it from then on
	SettledAt    time.Time // zero: it is on its way
	Outcome      Outcome   // empty: likewise
	FailingSince time.Time // of its attempts in a row; zero: the newest worked, or there was none
	Failure      string    // of the newest attempt, as its recipient may read it; empty: there was none, or nobody but the operator may know
}

// Waiting is how many messages of a kind are on their way.
type Waiting struct {
	Messages int64     // up to CountedAtMost
	OldestAt time.Time // when the one that waits longest was due first or is due next
}

// CountedAtMost bounds how many waiting messages are counted.
const CountedAtMost = 10_000
