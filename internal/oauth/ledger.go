package oauth

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
)

// Ledger is what the acts need from the store.
type Ledger interface {
	// Client reads a client; loop.ErrNotFound where there is none, InvalidClient where
	// its metadata document makes none. All callers share it, and none may alter it.
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
	// Member reads a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
	// LiveGrant reads the grant of a member to a client that is not revoked, whether its
	// end has come or not; nil where there is none.
	LiveGrant(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error)
	// LastGrant reads the newest grant of a member to a client, live or not; nil where
	// there never was one.
	LastGrant(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error)
	// OverGrants gives grants whose end came at or before a moment and that nobody has
	// revoked yet, the earliest end first.
	OverGrants(ctx context.Context, at time.Time, atMost int) ([]loop.GrantID, error)

	// Chain reads a chain of a member; loop.ErrNotFound where there is none.
	Chain(ctx context.Context, member loop.MemberID, id loop.ChainID) (*loop.Chain, error)

	// Decide reads what the subject names, has decide judge it, and writes the
	// change with its audit records, all in one transaction; no other decision
	// on the same subject comes between. An error of decide is returned after
	// the change that came with it, if any, is durable. A failure of the store
	// itself is loop.TemporarilyUnavailable, and nothing was written; with
	// loop.ErrOutcomeUnknown in it, that cannot be known.
	Decide(ctx context.Context, subject Subject, decide func(State) (Change, error)) error
}

// Subject names what a decision is about. The grant is the chain's own where a
// chain is named and exists, else the one that is named, else the live one of
// member and client.
type Subject struct {
	Member loop.MemberID
	Client loop.ClientID
	Grant  loop.GrantID
	Chain  loop.ChainID
}

// State is what a decision can rest on, as it is in its transaction. What does
// not exist is nil.
type State struct {
	Client  *loop.Client // shared with all who read it: not to be altered
	Member  *loop.Member
	Grant   *loop.Grant
	Chain   *loop.Chain
	Counter uint64 // of revocations; tokens issued now carry it
}

// Change is what a decision writes. The zero value writes nothing.
type Change struct {
	// Client is one that was known by its metadata document alone, and is kept from its
	// first grant on; where another decision has kept it already, that one stays.
	Client *loop.Client
	Grant  *loop.Grant // its new state, or a new grant; a revoked one ends its chains, and what it lost its chains lose for good
	Chain  *loop.Chain // its new state, or a new chain
	Keep   int         // with a new chain: how many live chains of the grant stay, this one among them
	Revoke []loop.Revocation
	// Receipt is what the member was shown and answered; nil: nothing was asked.
	Receipt *loop.Receipt
	Notice  loop.Notice // for the member's next sign-in
	// Messages go out with it.
	Messages []outbox.Message
	// Completes is the hash of a pushed request that is answered by this; one
	// that was answered before is InvalidRequestURI, and nothing is written.
	Completes []byte
	Records   []audit.Record
	Refused   *audit.Refusal // counted, not recorded one by one
}

// adopt takes a client that is known by its metadata document alone into the state, and
// reports whether it is one: nothing is stored of it yet.
func (st *State) adopt(client *loop.Client) bool {
	if st.Client != nil || client.Registration.By != loop.RegisteredByDocument {
		return false
	}
	st.Client = client
	return true
}

// record makes an audit record of an act on the state.
func (st State) record(ctx context.Context, at time.Time, event audit.Event, actor audit.Actor) audit.Record {
	rec := audit.NewRecord(ctx, at, event, actor)
	if st.Client != nil {
		rec.Client = st.Client.ID
	}
	if st.Member != nil {
		rec.Member = st.Member.ID
	}
	if st.Grant != nil {
		rec.Grant = st.Grant.ID
	}
	return rec
}

// decide has the ledger carry out a decision. What it makes of a grant, the app is sent:
// every act of the server comes by here, so that none forgets it.
func (s *Server) decide(ctx context.Context, subject Subject, decide func(State) (Change, error)) error {
	return s.Ledger.Decide(ctx, subject, func(st State) (Change, error) {
		change, err := decide(st)
		if change.Grant != nil && st.Client != nil {
			change.Messages = append(change.Messages, s.Events.OfGrant(st.Client, st.Grant, change.Grant)...)
		}
		return change, err
	})
}

// Refusals reads clients and counts what was refused to them, by decisions of a
// ledger.
type Refusals struct{ Ledger }

// RecordRefusal counts a genuine credential that was turned away.
func (r Refusals) RecordRefusal(ctx context.Context, refusal audit.Refusal) error {
	subject := Subject{Client: refusal.Client, Member: refusal.Member}
	return r.Decide(ctx, subject, func(State) (Change, error) { return Change{Refused: &refusal}, nil })
}
