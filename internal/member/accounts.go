package member

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
)

// Store is what accounts need to be kept.
type Store interface {
	// Member reads a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
	// Account finds a member by address, with the hash of their password;
	// loop.ErrNotFound where there is none.
	Account(ctx context.Context, email loop.Email) (*loop.Member, string, error)
	// AddMember inserts a member with their record; ErrAddressTaken where the
	// address has an account.
	AddMember(ctx context.Context, m *loop.Member, passwordHash string, rec audit.Record) error
	// ChangeMember writes what change alters, with what that revokes and its
	// records; a suspended member's sessions end in the same transaction.
	ChangeMember(ctx context.Context, id loop.MemberID, change func(*loop.Member) ([]loop.Revocation, []audit.Record, error)) error
	// CountRefusal counts a sign-in that was refused. One without a subject, to an
	// address that has no account, costs the same and leaves nothing behind.
	CountRefusal(ctx context.Context, refusal audit.Refusal) error

	// StartSession inserts a session with its record and ends the one before;
	// loop.ErrNotFound where the member is gone or suspended.
	StartSession(ctx context.Context, session Session, ends [32]byte, rec audit.Record) error
	// Session reads a session; loop.ErrNotFound where there is none.
	Session(ctx context.Context, hash [32]byte) (*Session, error)
	// TouchSession notes that a session is in use.
	TouchSession(ctx context.Context, session *Session) error
	// EndSession deletes a session with its record.
	EndSession(ctx context.Context, hash [32]byte, rec audit.Record) error
}

// ErrAddressTaken is returned by a store where an address has an account.
var ErrAddressTaken = errors.New("the address has an account")

// Accounts is the rules of accounts with what they need.
type Accounts struct {
	Store     Store
	World     loop.World
	Passwords *credential.Passwords
	Throttle  *Throttle
}

// errSignIn is the one answer to every sign-in that fails, whether the account
// exists or not.
var errSignIn = loop.Errorf(loop.ValidationError, "The e-mail address or the password is not right.").About("password")

// Credentials are what a member types to sign in.
type Credentials struct {
	Email    string
	Password string
	Before   string // the session cookie that the browser sent, if any; it ends
	// Device names the browser, where the member has signed in with it before:
	// it has its tries to itself. Empty: nobody knows it.
	Device string
}

// SignIn proves a member by password and begins a session: the value of its
// cookie. A wrong address and a wrong password are one ValidationError, after the
// same work; too many are RateLimited.
func (a *Accounts) SignIn(ctx context.Context, sent Credentials) (credential.Secret, *loop.Member, error) {
	email, err := loop.ParseEmail(sent.Email)
	if err != nil {
		return credential.Secret{}, nil, err
	}
	password, err := readPassword(sent.Password)
	if err != nil {
		return credential.Secret{}, nil, errSignIn
	}
	try := Try{Account: string(email), Address: audit.OriginOf(ctx).Address, Device: sent.Device}
	if err := a.Throttle.Allow(try); err != nil {
		return credential.Secret{}, nil, err
	}
	m, hash, err := a.Store.Account(ctx, email)
	if err != nil && !errors.Is(err, loop.ErrNotFound) {
		return credential.Secret{}, nil, err
	}
	right, err := a.Passwords.Check(ctx, password, hash)
	if err != nil {
		return credential.Secret{}, nil, err
	}
	if m == nil || !right || m.Suspended {
		a.Throttle.Failed(try)
		return credential.Secret{}, nil, a.refuse(ctx, m, right)
	}
	a.Throttle.Succeeded(try)
	cookie, err := a.begin(ctx, m, sent.Before)
	return cookie, m, err
}

// refuse counts a failed sign-in. To an address without an account it is the same
// work, or the time that it takes would tell which addresses have one.
func (a *Accounts) refuse(ctx context.Context, m *loop.Member, right bool) error {
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

// Registration is what a person types to sign up.
type Registration struct {
	Name     string
	Email    string
	Password string
	Before   string // the session cookie that the browser sent, if any; it ends
}

// SignUp makes an account and begins a session in it. Faults are ValidationErrors
// about name, email or password; too many from one place are RateLimited.
func (a *Accounts) SignUp(ctx context.Context, sent Registration) (credential.Secret, *loop.Member, error) {
	m, hash, err := a.prepare(ctx, Account{Name: sent.Name, Email: sent.Email, Password: sent.Password})
	if err != nil {
		return credential.Secret{}, nil, err
	}
	if err := a.Throttle.AllowSignUp(audit.OriginOf(ctx).Address); err != nil {
		return credential.Secret{}, nil, err
	}
	if err := a.add(ctx, m, hash, a.record(ctx, audit.MemberSignedUp, m.ID)); err != nil {
		return credential.Secret{}, nil, err
	}
	cookie, err := a.begin(ctx, m, sent.Before)
	return cookie, m, err
}

// Account is what an operator gives to make one.
type Account struct {
	Name, Email, Password string
	Locale                string // empty: en
	Sex                   loop.Sex
	Test                  bool
}

// Create makes an account on behalf of an operator.
func (a *Accounts) Create(ctx context.Context, account Account) (*loop.Member, error) {
	m, hash, err := a.prepare(ctx, account)
	if err != nil {
		return nil, err
	}
	rec := a.record(ctx, audit.MemberCreated, m.ID)
	rec.Actor = audit.Actor{Kind: audit.ByOperator}
	return m, a.add(ctx, m, hash, rec)
}

// prepare checks an account and hashes its password.
func (a *Accounts) prepare(ctx context.Context, account Account) (*loop.Member, string, error) {
	name, err := loop.ParseName(account.Name)
	if err != nil {
		return nil, "", err
	}
	email, err := loop.ParseEmail(account.Email)
	if err != nil {
		return nil, "", err
	}
	password, err := newPassword(account.Password, email)
	if err != nil {
		return nil, "", err
	}
	if account.Sex != "" && account.Sex != loop.Female && account.Sex != loop.Male {
		return nil, "", loop.Errorf(loop.ValidationError, "The sex is female, male or left out.").About("sex")
	}
	hash, err := a.Passwords.Hash(ctx, password)
	if err != nil {
		return nil, "", err
	}
	locale := account.Locale
	if locale == "" {
		locale = "en"
	}
	now := a.World.Now()
	return &loop.Member{
		ID: loop.NewMemberID(a.World), Name: name, Email: email, Locale: locale, Sex: account.Sex, Test: account.Test,
		CreatedAt: now, UpdatedAt: now,
	}, hash, nil
}

func (a *Accounts) add(ctx context.Context, m *loop.Member, hash string, rec audit.Record) error {
	err := a.Store.AddMember(ctx, m, hash, rec)
	if errors.Is(err, ErrAddressTaken) {
		return loop.Errorf(loop.ValidationError, "This address cannot be used for a new account. If it is yours, sign in instead.").About("email")
	}
	return err
}

// Suspend ends a member's sessions and everything that apps hold of theirs, and
// keeps them out until Unsuspend. revoke makes the revocation.
func (a *Accounts) Suspend(ctx context.Context, id loop.MemberID, revocation loop.Revocation) error {
	return a.change(ctx, id, audit.MemberSuspended, func(m *loop.Member) []loop.Revocation {
		m.Suspended = true
		return []loop.Revocation{revocation}
	})
}

// Dismiss clears the notice that waits for a member: they have read it.
func (a *Accounts) Dismiss(ctx context.Context, id loop.MemberID) error {
	return a.Store.ChangeMember(ctx, id, func(m *loop.Member) ([]loop.Revocation, []audit.Record, error) {
		m.Notice = ""
		return nil, nil, nil
	})
}

// Unsuspend lets a suspended member in again. Apps need new tokens.
func (a *Accounts) Unsuspend(ctx context.Context, id loop.MemberID) error {
	return a.change(ctx, id, audit.MemberResumed, func(m *loop.Member) []loop.Revocation {
		m.Suspended = false
		return nil
	})
}

func (a *Accounts) change(ctx context.Context, id loop.MemberID, event audit.Event, alter func(*loop.Member) []loop.Revocation) error {
	err := a.Store.ChangeMember(ctx, id, func(m *loop.Member) ([]loop.Revocation, []audit.Record, error) {
		before := m.Suspended
		revocations := alter(m)
		if m.Suspended == before {
			return nil, nil, nil
		}
		m.UpdatedAt = a.World.Now()
		rec := a.record(ctx, event, id)
		rec.Actor = audit.Actor{Kind: audit.ByOperator}
		return revocations, []audit.Record{rec}, nil
	})
	if errors.Is(err, loop.ErrNotFound) {
		return loop.Errorf(loop.NotFound, "There is no member with this id.")
	}
	return err
}
