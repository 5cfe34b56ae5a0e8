package signin

import (
	"context"
	"encoding/base64"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// errCode is the answer to a code that is not right, or was used before.
var errCode = loop.Errorf(loop.ValidationError, "This code is not right, or was used before. Wait for the next one, or use a recovery code.").About("code").Worded("fault.code")

// afterPassword begins a session for a member whose password was right, or asks for
// the code of their second factor.
func (a *Authenticator) afterPassword(ctx context.Context, m *loop.Member, visit Visit) (*Begun, error) {
	_, err := a.Factors.Factor(ctx, m.ID)
	if errors.Is(err, loop.ErrNotFound) {
		return a.begin(ctx, m, loop.ByPassword, Proof{}, visit)
	}
	if err != nil {
		return nil, err
	}
	waits, err := a.newChallenge(forCode, m.ID, visit.Browser)
	if err != nil {
		return nil, err
	}
	return &Begun{Member: m, Waits: base64.RawURLEncoding.EncodeToString(waits)}, nil
}

// Waiting is the member whose password was right, and who is asked for a code;
// loop.ErrNotFound where there is none.
func (a *Authenticator) Waiting(ctx context.Context, waits string, browsers []string) (*loop.Member, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(waits)
	if err != nil {
		return nil, loop.ErrNotFound
	}
	c, why := a.readChallenge(sealed, forCode, browsers)
	if why != "" {
		return nil, loop.ErrNotFound
	}
	return a.Store.Member(ctx, c.Member)
}

// SignInByCode begins the session of a member whose password was right, by a code of
// their app or a recovery code. Guesses are counted as those at a password are, under
// a name of their own: only who knows the password can make one. A wrong code is a
// ValidationError; loop.ErrNotFound where nobody is asked for one.
func (a *Authenticator) SignInByCode(ctx context.Context, waits, typed string, browsers []string, device string, visit Visit) (*Begun, error) {
	m, err := a.Waiting(ctx, waits, browsers)
	if err != nil {
		return nil, err
	}
	factor, err := a.Factors.Factor(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	try := Try{Account: "codes of " + string(m.ID), Address: audit.OriginOf(ctx).Address, Device: device}
	if err := a.Throttle.Reserve(ctx, try); err != nil {
		return nil, err
	}
	begun, err := a.beginByCode(ctx, m, factor, typed, visit)
	if errors.Is(err, ErrUsedBefore) {
		return nil, errors.Join(errCode, a.Store.CountRefusal(ctx, audit.Refusal{Event: audit.SignInRefused, Subject: string(m.ID), Member: m.ID, Reason: "wrong code"}))
	}
	if err != nil {
		return nil, errors.Join(err, a.Throttle.Return(context.WithoutCancel(ctx), try))
	}
	return begun, a.Throttle.Succeeded(ctx, try)
}

// beginByCode begins a session by a code; ErrUsedBefore where it is wrong, or was used.
func (a *Authenticator) beginByCode(ctx context.Context, m *loop.Member, factor *Factor, typed string, visit Visit) (*Begun, error) {
	secret, ok := a.openSecret(m.ID, factor.Sealed)
	if step, right := a.stepOf(secret, typed); ok && right {
		return a.begin(ctx, m, loop.ByPassword|loop.ByOneTimeCode, Proof{Code: &CodeUse{Step: step}}, visit)
	}
	hash := recoveryHash(m.ID, typed)
	visit.Messages = a.Office.Notice(m.ID, mail.RecoveryCodeUsed)
	return a.begin(ctx, m, loop.ByPassword|loop.ByOneTimeCode, Proof{Code: &CodeUse{Recovery: &hash}}, visit)
}
