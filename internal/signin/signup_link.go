package signin

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// PendingSignUp is an account that waits for its address to be confirmed.
type PendingSignUp interface {
	// Chosen is the address, and the hash of the password that was chosen with it.
	Chosen() (email loop.Email, passwordHash string)
	// Create makes the account and uses up what led here.
	Create(ctx context.Context) (*loop.Member, error)
}

// errNotChosen is the answer to another password than the one of the sign-up.
var errNotChosen = loop.Errorf(loop.ValidationError, "This is not the password that was chosen for this account.").About("password").Worded("confirm_sign_up.wrong")

// ConfirmSignUp makes an account that was waiting and begins a session in it. In
// another browser than the one that signed up, which is not known, the password that
// was chosen there has to be typed: else somebody could have the owner of an address
// confirm an account whose password they chose. A wrong one counts as a try to sign in
// and is a ValidationError about password.
func (a *Authenticator) ConfirmSignUp(ctx context.Context, pending PendingSignUp, known bool, typed string, visit Visit) (*Begun, error) {
	if !known {
		if err := a.checkChosen(ctx, pending, typed); err != nil {
			return nil, err
		}
	}
	m, err := pending.Create(ctx)
	if err != nil {
		return nil, err
	}
	visit.Knows = func(loop.Email) bool { return true } // the account is as new as the browser
	return a.begin(ctx, m, loop.ByPassword, Proof{}, visit)
}

func (a *Authenticator) checkChosen(ctx context.Context, pending PendingSignUp, typed string) error {
	email, hash := pending.Chosen()
	password, err := readPassword(typed)
	if err != nil {
		return errNotChosen
	}
	try := Try{Account: string(email), Address: audit.OriginOf(ctx).Address}
	if err := a.Throttle.Reserve(ctx, try); err != nil {
		return err
	}
	right, err := a.Passwords.Check(ctx, password, hash)
	if err != nil {
		return err
	}
	if !right {
		return errNotChosen
	}
	return a.Throttle.Succeeded(ctx, try)
}
