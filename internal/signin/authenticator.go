package signin

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// Store is what signing in needs to be kept.
type Store interface {
	// Member reads a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
	// Account finds a member by address, with the hash of their password;
	// loop.ErrNotFound where there is none.
	Account(ctx context.Context, email loop.Email) (*loop.Member, string, error)
	// CountRefusal counts a sign-in that was refused. One without a subject, to an
	// address that has no account, costs the same and leaves nothing behind.
	CountRefusal(ctx context.Context, refusal audit.Refusal) error

	// StartSession inserts a session with its record and uses up its proof. It ends
	// the one before, others of the same browser and the member's oldest beyond
	// MaxSessions, with the messages that their end brings about. loop.ErrNotFound where
	// the member is gone or suspended, ErrUsedBefore where the proof was used up.
	StartSession(ctx context.Context, start Start, onEnd outbox.OnSessionEnd, rec audit.Record) error
	// Session reads a session; loop.ErrNotFound where there is none.
	Session(ctx context.Context, hash [32]byte) (*Session, error)
	// TouchSession notes that a session is in use.
	TouchSession(ctx context.Context, session *Session) error
	// Sessions lists a member's sessions, the one that was used last first.
	Sessions(ctx context.Context, m loop.MemberID) ([]Session, error)
	// EndSessions deletes sessions of a member with their record, and the messages that
	// their ends bring about; nothing where there are none.
	EndSessions(ctx context.Context, ending Ending, onEnd outbox.OnSessionEnd, rec audit.Record) error
	// EndSession deletes a session with its record, and the messages that its end
	// brings about.
	EndSession(ctx context.Context, hash [32]byte, onEnd outbox.OnSessionEnd, rec audit.Record) error
}

// Authenticator is the rules of signing in with what they need.
type Authenticator struct {
	Store     Store
	Accounts  Accounts
	World     loop.World
	Passwords Passwords
	Throttle  *Throttle
	Ring      *credential.Ring
	Passkeys  PasskeyStore
	Factors   FactorStore
	Office    *mail.Office // writes to members; nil: nobody does
	// RelyingParty is the host as authenticators know it; nil where it has no name.
	RelyingParty *RelyingParty
	// OnSessionEnd gives the messages that the end of a session brings about.
	OnSessionEnd outbox.OnSessionEnd
}

// errSignIn is the one answer to every sign-in that fails, whether the account
// exists or not.
var errSignIn = loop.Errorf(loop.ValidationError, "The e-mail address or the password is not right.").About("password").Worded("fault.signin")

// Credentials are what a member types to sign in.
type Credentials struct {
	Email    string
	Password string
	Visit    Visit
	// Device names the browser, where the member has signed in with it before:
	// it has its tries to itself. Empty: nobody knows it.
	Device string
}

// SignIn proves a member by password and begins a session, or asks for a code first
// where the member has a second factor. A wrong address and a wrong password are one ValidationError, after the
// same work; too many are RateLimited.
func (a *Authenticator) SignIn(ctx context.Context, sent Credentials) (*Begun, error) {
	email, err := loop.ParseEmail(sent.Email)
	if err != nil {
		return nil, err
	}
	password, err := readPassword(sent.Password)
	if err != nil {
		return nil, errSignIn
	}
	try := Try{Account: string(email), Address: audit.OriginOf(ctx).Address, Device: sent.Device}
	m, err := a.judge(ctx, try, email, password)
	if err != nil {
		return nil, err
	}
	return a.afterPassword(ctx, m, sent.Visit)
}

// judge gives the member whose address and password these are. The try is counted
// before anything is looked up, and stays counted unless it is right, or nobody
// could judge it.
func (a *Authenticator) judge(ctx context.Context, try Try, email loop.Email, password string) (*loop.Member, error) {
	if err := a.Throttle.Reserve(ctx, try); err != nil {
		return nil, err
	}
	m, right, err := a.check(ctx, email, password)
	if err != nil {
		return nil, errors.Join(err, a.Throttle.Return(context.WithoutCancel(ctx), try))
	}
	if m == nil || !right || m.Suspended {
		return nil, a.refuse(ctx, m, right)
	}
	return m, a.Throttle.Succeeded(ctx, try)
}

// check finds the account and compares the password, with the same work where there
// is none.
func (a *Authenticator) check(ctx context.Context, email loop.Email, password string) (m *loop.Member, right bool, err error) {
	m, hash, err := a.Store.Account(ctx, email)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return nil, false, err
	}
	right, err = a.Passwords.Check(ctx, password, hash)
	return m, right, err
}

// refuse counts a failed sign-in. To an address without an account it is the same
// work, or the time that it takes would show which addresses have one.
func (a *Authenticator) refuse(ctx context.Context, m *loop.Member, right bool) error {
	refusal := audit.Refusal{Event: audit.SignInRefused, Reason: "wrong password"}
	if m != nil {
		refusal.Subject, refusal.Member = string(m.ID), m.ID
	}
	if right {
		refusal.Reason = "suspended"
	}
	if err := a.Store.CountRefusal(ctx, refusal); err != nil {
		return err
	}
	return errSignIn
}
