package signin

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// PasswordChange is what a member who is signed in types to change their password.
type PasswordChange struct {
	Session string // the cookie of their session
	Old     string // empty: a recent sign-in is enough
	New     string
	Device  string // as for Credentials
}

// errOldPassword is the answer to a wrong one.
var errOldPassword = loop.Errorf(loop.ValidationError, "This is not your present password.").About("old").Worded("password.wrong")

// ChangePassword sets a new password for who shows once more who they are: by the old
// one, or by a sign-in of the last minutes. Other sessions end. Unauthenticated where
// nobody is signed in; a wrong old password counts as a try to sign in, and is a
// ValidationError about old, a new one that may not be chosen one about password.
func (a *Authenticator) ChangePassword(ctx context.Context, sent PasswordChange) error {
	session, m, err := a.resume(ctx, sent.Session)
	if errors.Is(err, loop.ErrNotFound) {
		return loop.Errorf(loop.Unauthenticated, "You are not signed in any more. Sign in and try again.")
	}
	if err != nil {
		return err
	}
	recent := (&loop.SignIn{Authentication: session.Authentication}).Recent(a.World.Now())
	if sent.Old != "" || !recent {
		if err := a.checkOld(ctx, m, sent); err != nil {
			return err
		}
	}
	return a.Accounts.ChangePassword(ctx, m, sent.New, session.Hash)
}

// checkOld compares the present password, which counts as a try to sign in.
func (a *Authenticator) checkOld(ctx context.Context, m *loop.Member, sent PasswordChange) error {
	password, err := readPassword(sent.Old)
	if err != nil {
		return errOldPassword
	}
	try := Try{Account: string(m.Email), Address: audit.OriginOf(ctx).Address, Device: sent.Device}
	_, err = a.judge(ctx, try, m.Email, password)
	if errors.Is(err, errSignIn) {
		return errOldPassword
	}
	return err
}
