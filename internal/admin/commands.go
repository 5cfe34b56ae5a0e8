package admin

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/signin"
)

// Operations is everything that the commands do, on the stores that somebody opened.
type Operations struct {
	Clients    Clients
	Users      Users
	Sessions   Sessions
	Team       Team
	Grants     Grants
	Keys       Keys
	Store      Store
	Audit      Audit
	Backups    Backups
	Imports    Imports
	Deliveries Deliveries
	// WebhookSecret is a signing secret of a webhook, by its number.
	WebhookSecret func(id loop.WebhookID, number int) credential.Secret
	Now           func() time.Time
	// Unavailable says where to give every command but those of the audit record and
	// of imports; nil: here.
	Unavailable error

	// NewPassword makes a password for a user who is given none.
	NewPassword func() string
}

// Clients is how apps are registered and changed. All faults of a client come
// back at once, joined; each is a *loop.Error of code ValidationError.
type Clients interface {
	// Create gives the client its id and, where it is confidential, a secret.
	Create(ctx context.Context, c *loop.Client, by audit.Actor) (credential.Secret, error)
	// Update changes a client in one transaction; NotFound where there is none.
	Update(ctx context.Context, id loop.ClientID, by audit.Actor, alter func(*loop.Client)) (*loop.Client, error)
	// Faults are all that is wrong with a client, each a ValidationError of its field.
	Faults(c *loop.Client) []error
	// Approve verifies a client as the review shows it, and no other.
	Approve(ctx context.Context, id loop.ClientID, review string, by audit.Actor) (*loop.Client, error)
	// SetEnabled enables a client, or disables it and ends its tokens.
	SetEnabled(ctx context.Context, id loop.ClientID, by audit.Actor, enabled bool) (*loop.Client, error)
	// Delete ends a client and all that came from it, for good; NotFound where there is
	// none.
	Delete(ctx context.Context, id loop.ClientID, by audit.Actor) error
	// RotateSecret gives a confidential client a new secret.
	RotateSecret(ctx context.Context, id loop.ClientID, by audit.Actor) (credential.Secret, error)

	// WebhookOwner finds the client that a webhook is of; NotFound where there is none.
	WebhookOwner(ctx context.Context, hook loop.WebhookID) (*loop.Client, error)
	// AddWebhook has a client's events sent to an address.
	AddWebhook(ctx context.Context, id loop.ClientID, by audit.Actor, url string, events []loop.EventType) (*loop.Webhook, error)
	// ChangeWebhook changes a webhook in one transaction.
	ChangeWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor, alter func(*loop.Webhook)) (*loop.Webhook, error)
	// RotateWebhookSecret gives a webhook a new signing secret.
	RotateWebhookSecret(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) (*loop.Webhook, error)
	// DeleteWebhook has nothing sent to a webhook any more.
	DeleteWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) error
	// TestWebhook has a test event sent to a webhook.
	TestWebhook(ctx context.Context, id loop.ClientID, hook loop.WebhookID, by audit.Actor) (loop.DeliveryID, error)
}

// Users is how accounts are made, changed and ended. Of a member who is not there each
// says NotFound.
type Users interface {
	// Create makes an account; faults are ValidationErrors.
	Create(ctx context.Context, account member.Account) (*loop.Member, error)
	// Correct changes what a correction names; faults are ValidationErrors, joined.
	Correct(ctx context.Context, id loop.MemberID, c member.Correction, by audit.Actor) (*loop.Member, error)
	// Suspend ends a member's sessions and tokens.
	Suspend(ctx context.Context, id loop.MemberID, by audit.Actor) error
	// Reinstate lets a suspended member in again.
	Reinstate(ctx context.Context, id loop.MemberID, by audit.Actor) error
	// Remove ends a member's sessions and has them erased at the moment that it gives,
	// unless they sign in before.
	Remove(ctx context.Context, id loop.MemberID, by audit.Actor) (at time.Time, err error)
	// ResetLink makes the address of a page that sets a new password, once, until a
	// moment.
	ResetLink(ctx context.Context, id loop.MemberID, by audit.Actor) (address string, until time.Time, err error)
}

// Sessions is where members are signed in.
type Sessions interface {
	// Sessions lists a member's live sessions, the one that was used last first.
	Sessions(ctx context.Context, m *loop.Member) ([]signin.Session, error)
	// EndFor ends all sessions of a member, or with an id that one; one that is gone
	// stays gone.
	EndFor(ctx context.Context, m loop.MemberID, only loop.SessionID, by audit.Actor) error
}

// Team is who may use the console.
type Team interface {
	// Add makes a member an operator, or gives them another role; ValidationError for one
	// that is suspended.
	Add(ctx context.Context, m *loop.Member, role operator.Role, by audit.Actor) error
	// Remove takes the role away; NotFound where there is none.
	Remove(ctx context.Context, id loop.MemberID, by audit.Actor) error
	// List gives all operators.
	List(ctx context.Context) ([]operator.Operator, error)
}

// Grants is how a member's consent is ended for them.
type Grants interface {
	// RevokeGrant ends the grant and all that came from it; NotFound where there is none.
	RevokeGrant(ctx context.Context, id loop.GrantID, by audit.Actor) error
}

// Keys is how the platform's keys are seen and changed before their time. All
// take effect in the running server at once.
type Keys interface {
	// Lives gives every key with where it is in its life.
	Lives(ctx context.Context) ([]credential.KeyLife, error)
	// RotateNow makes successors for the slots; ValidationError for the audit key.
	RotateNow(ctx context.Context, slots []credential.Slot, by audit.Actor) ([]credential.KeyLife, error)
	// Revoke ends keys and all that they made, and replaces those that were at
	// work. All or none: NotFound, and ValidationError for the audit key.
	Revoke(ctx context.Context, ids []uint32, by audit.Actor) (revoked, made []credential.KeyLife, err error)
	// Rewrap seals all keys under another master key and says how many.
	Rewrap(ctx context.Context, master *credential.Master, by audit.Actor) (count int, err error)
}

// Store is what the commands show. A record that is not there is loop.ErrNotFound.
type Store interface {
	Client(ctx context.Context, id loop.ClientID) (*loop.Client, error)
	Clients(ctx context.Context) ([]*loop.Client, error)
	Account(ctx context.Context, email loop.Email) (m *loop.Member, passwordHash string, err error)
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
	Members(ctx context.Context) ([]*loop.Member, error)
	// Grants lists the grants of a member, or of everybody where the id is empty, newest
	// first.
	Grants(ctx context.Context, id loop.MemberID) ([]*loop.Grant, error)
}

// Audit is the chained record.
type Audit interface {
	// Verify checks the whole record against its own chain, the checkpoints that
	// the server keeps, and those brought along (none: an empty reader).
	Verify(ctx context.Context, brought io.Reader) (Verification, error)
	// Tail hands the newest records that a filter lets through to each, oldest first.
	Tail(ctx context.Context, f audit.Filter, last int, each func(Entry) error) error
	// Page gives the newest records that a filter lets through, newest first, without the
	// first so many, and how many there are in all.
	Page(ctx context.Context, f audit.Filter, limit, offset int) (page []Entry, total int64, err error)
	// Follow does what Tail does, and then hands on each record that is added, until ctx
	// ends.
	Follow(ctx context.Context, f audit.Filter, last int, each func(Entry) error) error
}

// Backups is how a copy of everything is made.
type Backups interface {
	// Backup writes a verified copy of the state, as it is now, and says what is in
	// it. Nothing is written where the state is not whole.
	Backup(ctx context.Context, w io.Writer) (Backup, error)
	// BackupMemberKeys does the same with the store of member keys, which is no part of
	// the state's.
	BackupMemberKeys(ctx context.Context, w io.Writer) (Backup, error)
}

// Imports is how lab results from files are taken in.
type Imports interface {
	// Keep takes in a batch; the outcomes are in the order of its items.
	Keep(ctx context.Context, by intake.Sender, batch intake.Batch) ([]intake.Outcome, error)
	// UnknownCodes lists the codes that results wait for.
	UnknownCodes(ctx context.Context) ([]intake.UnknownCode, error)
	// Map says what a code means from now on, and imports what waits for it.
	Map(ctx context.Context, by intake.Sender, name biomarker.Name, code biomarker.Code) (intake.Mapped, error)
}

// Verification is what Verify found.
type Verification struct {
	Records     int64    `json:"records"`
	Checkpoints int64    `json:"checkpoints"`
	Faults      []string `json:"faults"` // each says what is wrong; none: the record is whole
}

// Entry is a record in its place in the chain.
type Entry struct {
	Lane   string
	Number int64
	Record audit.Record
}

// Operator is who acts on the command line: whoever may open the socket, or the
// folder.
var Operator = audit.Actor{Kind: audit.ByOperator, ID: "command line"}

// NewCommands makes the function that runs the commands of Grammar on the operations:
// in a server, on behalf of whoever sits at the socket, or in the command line's
// own process.
func NewCommands(operations Operations) Commands {
	return func(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
		var grammar Grammar
		inJSON := AsksForJSON(args)
		parser, err := kong.New(&grammar, kong.Name("loop"), kong.Writers(stdout, stderr), kong.Exit(func(int) {}))
		if err != nil {
			return Fail(stderr, inJSON, fmt.Errorf("the commands are not well made: %w", err))
		}
		command, err := parser.Parse(args)
		if err != nil {
			return Fail(stderr, inJSON, err)
		}
		if operations.Unavailable != nil && !hasPrefix(command.Command(), "audit ", "import ") {
			return Fail(stderr, inJSON, operations.Unavailable)
		}
		run := &Run{Context: ctx, Operations: operations, Stdin: stdin, Stdout: stdout, Stderr: stderr, JSON: inJSON}
		if err := command.Run(run); err != nil {
			return Fail(stderr, inJSON, err)
		}
		return 0
	}
}

func hasPrefix(command string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(command, prefix) })
}

// Run is one command on its way: what it acts on, and where it reads and writes.
type Run struct {
	Context    context.Context //nolint:containedctx // the value is one call's: kong hands it to the command's method
	Operations Operations
	Stdin      io.Reader
	Stdout     io.Writer
	Stderr     io.Writer
	JSON       bool
}
