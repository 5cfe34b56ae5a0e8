package signin

import (
	"cmp"
	"context"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Accounts makes accounts for people who sign up.
type Accounts interface {
	// Draft checks a name and an address and makes a member of them, who is not
	// kept yet. A fault is a ValidationError about name or email.
	Draft(name, email string) (*loop.Member, error)
	// SignUp keeps a draft with the hash of its password and its record. An address
	// that has an account is a ValidationError about email.
	SignUp(ctx context.Context, m *loop.Member, passwordHash string) error
	// ChangePassword checks and sets a new password, and ends all sessions but the one
	// with the hash.
	ChangePassword(ctx context.Context, m *loop.Member, typed string, keeps [32]byte) error
}

// Registration is what a person types to sign up.
type Registration struct {
	Name     string
	Email    string
	Password string
	Locale   string // of the page that they sign up on (BCP 47)
	Visit    Visit
}

// Prepare checks what a person types to sign up, and gives a draft of the account with
// the hash of its password. Faults are ValidationErrors about name, email or password;
// too many from one place are RateLimited, before anything is hashed.
func (a *Authenticator) Prepare(ctx context.Context, sent Registration) (draft *loop.Member, passwordHash string, err error) {
	if draft, err = a.Accounts.Draft(sent.Name, sent.Email); err != nil {
		return nil, "", err
	}
	draft.Locale = cmp.Or(sent.Locale, draft.Locale)
	password, err := newPassword(sent.Password, draft.Email)
	if err != nil {
		return nil, "", err
	}
	if err := a.Throttle.AllowSignUp(ctx, audit.OriginOf(ctx).Address); err != nil {
		return nil, "", err
	}
	passwordHash, err = a.Passwords.Hash(ctx, password)
	return draft, passwordHash, err
}

// SignUp makes an account and begins a session in it, where no mail can be sent that
// would confirm its address. Faults are those of Prepare.
func (a *Authenticator) SignUp(ctx context.Context, sent Registration) (*Begun, error) {
	m, hash, err := a.Prepare(ctx, sent)
	if err != nil {
		return nil, err
	}
	if err := a.Accounts.SignUp(ctx, m, hash); err != nil {
		made, again := a.sentTwice(ctx, m, sent.Password)
		if !again {
			return nil, err
		}
		m = made
	}
	sent.Visit.Knows = func(loop.Email) bool { return true } // the account is as new as the browser
	return a.begin(ctx, m, loop.ByPassword, Proof{}, sent.Visit)
}

// sentAgainWithin is how long after a sign-up the same form leads on.
const sentAgainWithin = 10 * time.Minute

// sentTwice finds the account that the same form made a moment ago: of the same
// name, address and password, whose compare counts as a try to sign in.
func (a *Authenticator) sentTwice(ctx context.Context, draft *loop.Member, typed string) (*loop.Member, bool) {
	password, err := readPassword(typed)
	if err != nil {
		return nil, false
	}
	known, _, err := a.Store.Account(ctx, draft.Email)
	if err != nil || known.Name != draft.Name || draft.CreatedAt.Sub(known.CreatedAt) >= sentAgainWithin {
		return nil, false
	}
	m, err := a.judge(ctx, Try{Account: string(draft.Email), Address: audit.OriginOf(ctx).Address}, draft.Email, password)
	return m, err == nil
}
