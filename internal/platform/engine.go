package platform

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/clinical"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/oauth/clientauth"
	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/portal"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/telemetry"
	"github.com/loop-health/loop/internal/webhook"
)

// engine keeps the platform's state, for one process alone or for one of many.
type engine interface {
	// begin keeps other processes from starting at the same time, until ended is
	// called: what the first one makes, the next finds.
	begin(ctx context.Context) (ended func(), err error)
	// open opens what a role needs. What an error leaves open is in the state, to be
	// closed. The revocations are complete once join has returned.
	open(ctx context.Context, role Role, revocations *oauth.Revocations) (state, error)
	// join makes the process one of those that serve. Where another one changes the
	// keys, reload takes them up.
	join(ctx context.Context, reload func(context.Context) error) error
	// live reports whether what the process knows of others' acts is complete:
	// whether it may serve.
	live() bool
	// leads reports whether work on what a room keeps that must be done once is this
	// process's to do.
	leads(room string) bool
	// leave gives up what join took.
	leave()
	// checks are what the process cannot serve without, besides its databases.
	checks() []telemetry.Check
	// intact says whether the state holds what acts in the platform's name and no
	// migration has made, after it was opened.
	intact(ctx context.Context) error
	// copyTo writes a copy of the state to files of a folder; an error says how it
	// is done where that is not the engine's work.
	copyTo(ctx context.Context, folder string) error
	// copyKeysTo does the same with the store of member keys.
	copyKeysTo(ctx context.Context, folder string) error
}

// state is what an engine has opened for a role.
type state struct {
	shared    sharedStore
	identity  identityStore // nil where the role does not work on it
	clinical  clinicalStore // nil where the role does not work on it
	clients   clientMemory  // nil where the role works on identity's clients
	tries     signin.Tries  // nil where the role does not work on identity's store
	databases []named       // identity's before clinical's

	memberKeys *credential.MemberKeys
	closeKeys  func() error // of the store of member keys; nil: it is not open
}

// sharedStore is what every role reads.
type sharedStore interface {
	// Keys reads the keys, sealed, and the number of their last change.
	Keys(ctx context.Context) (keys []credential.Key, last uint32, err error)
	// Epoch reads where the state is.
	Epoch(ctx context.Context) (loop.Epoch, error)
}

// clientMemory keeps what was read of clients elsewhere.
type clientMemory interface {
	// ClientFrom gives what read reads, from memory until somebody changes the client.
	ClientFrom(id loop.ClientID, read func() (*loop.Client, error)) (*loop.Client, error)
}

// identityStore is what identity and the portal have kept.
type identityStore interface {
	oauth.Ledger
	clientauth.Assertions
	oauth.PushedRequests
	outbox.Store
	member.Store
	member.LeavingStore
	member.Room
	sealed
	signin.Store
	signin.PasskeyStore
	signin.FactorStore
	registration.Store
	registration.Pictures
	credential.KeyStore
	portal.Sessions
	connection.Store
	oauth.Epochs
	admin.Store
	operator.Store
	requestlog.Store
	webhook.DeliveryStore
	webhook.Health
	webhook.NewsStore
	// Waiting counts the messages on their way, by kind.
	Waiting(ctx context.Context) (map[outbox.Kind]outbox.Waiting, error)
	// SealMembers takes away names and addresses that older versions kept in clear, as
	// soon as none of them serves.
	SealMembers(ctx context.Context) error
	// Sweep deletes what has expired at a moment.
	Sweep(ctx context.Context, now time.Time) error
	// Backlog counts the rows that are due to be swept then, by what they are.
	Backlog(ctx context.Context, now time.Time) (map[string]int64, error)
}

// sealed is what holds something that is sealed under members' keys.
type sealed interface {
	// HoldsSealed reports whether it does.
	HoldsSealed(ctx context.Context) (bool, error)
}

// clinicalStore is what clinical has kept.
type clinicalStore interface {
	outbox.Store
	biomarker.Inbox
	biomarker.Results
	intake.Archive
	intake.Asides
	clinical.Records
	connection.Reads
	requestlog.Sink
	member.Room
	sealed
	// MoveResults brings results that older versions kept into the present form, as
	// soon as none of them serves.
	MoveResults(ctx context.Context) error
	// CountReads counts by day what apps have read since it last did.
	CountReads(ctx context.Context) error
	// Sweep deletes what has expired at a moment.
	Sweep(ctx context.Context, now time.Time) error
}

// database holds the tables of a room, and its part of the audit chain.
type database interface {
	audit.Records
	audit.Lanes
	// StartAudit takes up the database's part of the chain, and gives the highest
	// moment that is known to be stored there.
	StartAudit(ctx context.Context, name string, keys audit.Keys) (newest time.Time, err error)
	// NewestRecords gives the newest records that a filter lets through, newest first.
	NewestRecords(ctx context.Context, f audit.Filter, atMost int) ([]audit.Row, error)
	// CountRecords counts the records that a filter lets through.
	CountRecords(ctx context.Context, f audit.Filter) (int64, error)
	// RecordTallies turns the counted refusals of hours that are over into records.
	RecordTallies(ctx context.Context, now time.Time) error
	// OnCommit has f called after every commit from now on.
	OnCommit(f func(store.Commit))
	// Figures is how the database does.
	Figures() store.Figures
	// Ready says whether it can be read and written at this moment.
	Ready(ctx context.Context) error
	// Close ends what is under way and closes the database.
	Close() error
}

// The rooms that keep something.
const (
	identityRoom = "identity"
	clinicalRoom = "clinical"
)

// named is a database with the name of its room.
type named struct {
	database
	name string
}
