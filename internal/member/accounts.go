package member

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// Store is what accounts need to be kept.
type Store interface {
	// Member reads a member; loop.ErrNotFound where there is none.
	Member(ctx context.Context, id loop.MemberID) (*loop.Member, error)
	// AddMember inserts a member with their record and uses the link that leads to
	// it, where there is one; ErrAddressTaken where the address has an account,
	// ErrLinkUsed where the link was used before.
	AddMember(ctx context.Context, m *loop.Member, passwordHash string, uses *LinkUse, rec audit.Record) error
	// ChangeMember writes what change alters of a member, with all that it brings
	// about; loop.ErrNotFound where there is none, ErrLinkUsed where its link was used
	// before, ErrAddressTaken where the member's new address has an account. In the same
	// transaction, a suspended member's sessions end, with the messages that their ends
	// bring about, and their own apps stop, with what those hold, until they are
	// reinstated.
	ChangeMember(ctx context.Context, id loop.MemberID, onEnd outbox.OnSessionEnd, change func(*loop.Member) (Change, error)) error

	// AddLink inserts a link with the messages that bring it and its record.
	AddLink(ctx context.Context, link *Link, messages []outbox.Message, rec audit.Record) error
	// Link reads a link, used or not; loop.ErrNotFound where there is none.
	Link(ctx context.Context, hash [32]byte) (*Link, error)
}

// ErrAddressTaken is returned by a store where an address has an account.
var ErrAddressTaken = errors.New("the address has an account")

// Passwords hashes the passwords of new accounts.
type Passwords interface {
	// Choose checks a password that is chosen for an address and hashes it. One that
	// may not be chosen is a ValidationError about password.
	Choose(ctx context.Context, typed string, email loop.Email) (hash string, err error)
}

// Accounts is the rules of accounts with what they need.
type Accounts struct {
	Store     Store
	World     loop.World
	Passwords Passwords
	Office    *mail.Office // nil: no mail is sent
	// OnSessionEnd gives the messages that the end of a session brings about.
	OnSessionEnd outbox.OnSessionEnd
}

// Account is what an operator gives to make one.
type Account struct {
	Name, Email, Password string
	// PasswordHash is that of the password, where somebody has hashed it already: hashing
	// is slow. Empty: nobody has.
	PasswordHash  string
	Locale        string // empty: en
	Sex           loop.Sex
	BirthDate     string // such as 1980-02-29; empty: not known
	Test          bool
	EmailVerified bool // somebody has checked that the address is theirs
}

// Create makes an account on behalf of an operator.
func (a *Accounts) Create(ctx context.Context, account Account) (*loop.Member, error) {
	m, err := a.Draft(account.Name, account.Email)
	if err != nil {
		return nil, err
	}
	if err := checkSex(account.Sex); err != nil {
		return nil, err
	}
	if m.BornOn, err = loop.ParseBirthDate(account.BirthDate, a.World.Now()); err != nil {
		return nil, err
	}
	hash := account.PasswordHash
	if hash == "" {
		if hash, err = a.Passwords.Choose(ctx, account.Password, m.Email); err != nil {
			return nil, err
		}
	}
	m.Sex, m.Test, m.EmailVerified = account.Sex, account.Test, account.EmailVerified
	if account.Locale != "" {
		m.Locale = account.Locale
	}
	rec := audit.NewRecord(ctx, a.World.Now(), audit.MemberCreated, audit.Actor{Kind: audit.ByOperator})
	rec.Member = m.ID
	return m, a.add(ctx, m, hash, nil, rec)
}

// Draft checks a name and an address and makes a member of them, who is not kept
// yet. A fault is a ValidationError about name or email.
func (a *Accounts) Draft(name, email string) (*loop.Member, error) {
	read, err := loop.ParseName(name)
	if err != nil {
		return nil, err
	}
	address, err := loop.ParseEmail(email)
	if err != nil {
		return nil, err
	}
	now := a.World.Now()
	return &loop.Member{ID: loop.NewMemberID(a.World), Name: read, Email: address, Locale: defaultLocale, CreatedAt: now, UpdatedAt: now}, nil
}

// defaultLocale is the language of a member who has not chosen one.
const defaultLocale = "en"

// SignUp keeps a draft of a person who signs up, with the hash of their password
// and its record. An address that has an account is a ValidationError about email.
func (a *Accounts) SignUp(ctx context.Context, m *loop.Member, passwordHash string) error {
	return a.add(ctx, m, passwordHash, nil, audit.OfMember(ctx, a.World.Now(), audit.MemberSignedUp, m.ID))
}

func (a *Accounts) add(ctx context.Context, m *loop.Member, hash string, uses *LinkUse, rec audit.Record) error {
	err := a.Store.AddMember(ctx, m, hash, uses, rec)
	if errors.Is(err, ErrAddressTaken) {
		return errAddressTaken
	}
	return err
}

// ChangePassword sets a new password, as a member does who is signed in and has shown
// once more who they are. Their other sessions end; the one with the hash goes on. A
// password that may not be chosen is a ValidationError about password.
func (a *Accounts) ChangePassword(ctx context.Context, m *loop.Member, typed string, keeps [32]byte) error {
	hash, err := a.Passwords.Choose(ctx, typed, m.Email)
	if err != nil {
		return err
	}
	return a.Store.ChangeMember(ctx, m.ID, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		m.UpdatedAt = a.World.Now()
		return Change{
			PasswordHash: hash, EndsLinks: []LinkPurpose{ToResetPassword}, EndsSessions: true, Keeps: keeps,
			Messages: a.Office.Notice(m.ID, mail.PasswordChanged),
			Records:  []audit.Record{audit.OfMember(ctx, m.UpdatedAt, audit.PasswordChanged, m.ID)},
		}, nil
	})
}

// Member finds a member; loop.ErrNotFound where there is none.
func (a *Accounts) Member(ctx context.Context, id loop.MemberID) (*loop.Member, error) {
	return a.Store.Member(ctx, id)
}

// Dismiss clears the notice that waits for a member: they have read it.
func (a *Accounts) Dismiss(ctx context.Context, id loop.MemberID) error {
	return a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		m.Notice = ""
		return Change{}, nil
	})
}

// SetBirthDate keeps when a member was born, as they write it themselves; nothing: they
// say it no more. A ValidationError where it is no birth date.
func (a *Accounts) SetBirthDate(ctx context.Context, id loop.MemberID, text string) error {
	bornOn, err := loop.ParseBirthDate(text, a.World.Now())
	if err != nil {
		return err
	}
	return a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		if m.BornOn.Equal(bornOn) {
			return Change{}, nil
		}
		m.BornOn, m.UpdatedAt = bornOn, a.World.Now()
		rec := audit.OfMember(ctx, m.UpdatedAt, audit.MemberUpdated, id)
		rec.Detail = audit.Detail{"fields": "birth_date"}
		return Change{Records: []audit.Record{rec}}, nil
	})
}

// BecomeTest makes a member, who wishes it, a test member: apps in development may ask
// them for health data. The caller has made sure that they have none of their own.
func (a *Accounts) BecomeTest(ctx context.Context, id loop.MemberID) error {
	return a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		if m.Test {
			return Change{}, nil
		}
		m.Test = true
		rec := audit.OfMember(ctx, a.World.Now(), audit.MemberUpdated, id)
		rec.Detail = audit.Detail{"fields": "test"}
		return Change{Records: []audit.Record{rec}}, nil
	})
}

// ChooseLanguage keeps the language that a member chose, by its tag (BCP 47).
func (a *Accounts) ChooseLanguage(ctx context.Context, id loop.MemberID, tag string) error {
	return a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		if m.Locale != tag {
			m.Locale, m.UpdatedAt = tag, a.World.Now()
		}
		return Change{}, nil
	})
}
