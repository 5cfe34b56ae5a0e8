package signin

import (
	"context"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// errCounterRanBack is returned for a passkey whose counter of signatures doesn't
// count on: somebody may have a copy of it.
var errCounterRanBack = errors.New("the passkey's counter ran back")

// RequestPasskey gives the options by which a browser asks for any passkey of this
// host, as JSON (PublicKeyCredentialRequestOptionsJSON); nil where there are none.
// They are the same for everybody, since they name no account.
func (a *Authenticator) RequestPasskey(browser string) ([]byte, error) {
	if !a.OffersPasskeys() {
		return nil, nil
	}
	challenge, err := a.newChallenge(forSigningIn, "", browser)
	if err != nil {
		return nil, err
	}
	return a.RelyingParty.requestOptions(challenge)
}

// PasskeyCredentials are what a browser sends to sign in by a passkey.
type PasskeyCredentials struct {
	Answer   string   // of the authenticator, as JSON
	Browsers []string // the values that the browser is known by
	Visit    Visit
}

// SignInByPasskey proves a member by a passkey and begins a session. Whatever is wrong
// with it is counted, changes nothing and is one ValidationError.
func (a *Authenticator) SignInByPasskey(ctx context.Context, sent PasskeyCredentials) (*Begun, error) {
	if !a.OffersPasskeys() {
		return nil, errNoPasskeys
	}
	try := Try{Address: audit.OriginOf(ctx).Address}
	if err := a.Throttle.Reserve(ctx, try); err != nil {
		return nil, err
	}
	m, proof, methods, err := a.judgePasskey(ctx, sent)
	if err == nil {
		err = a.Throttle.SucceededBy(ctx, try, string(m.Email))
	}
	if err != nil {
		return nil, err
	}
	begun, err := a.begin(ctx, m, methods, proof, sent.Visit)
	if errors.Is(err, ErrUsedBefore) {
		return nil, a.refusePasskey(ctx, m, audit.SignInRefused, whyUsedBefore)
	}
	return begun, err
}

// judgePasskey gives the member whose passkey signed, and what the sign-in uses up.
func (a *Authenticator) judgePasskey(ctx context.Context, sent PasskeyCredentials) (*loop.Member, Proof, loop.Methods, error) {
	refuse := func(m *loop.Member, why string) (*loop.Member, Proof, loop.Methods, error) {
		return nil, Proof{}, 0, a.refusePasskey(ctx, m, audit.SignInRefused, why)
	}
	if len(sent.Answer) > maxPasskeyMessage {
		return refuse(nil, "not a passkey")
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes([]byte(sent.Answer))
	if err != nil {
		return refuse(nil, "not a passkey")
	}
	m, passkeys, err := a.holderOf(ctx, answer.Response.UserHandle)
	if errors.Is(err, loop.ErrNotFound) {
		return refuse(nil, "passkey of nobody")
	}
	if err != nil {
		return nil, Proof{}, 0, err
	}
	spends, why := a.openChallenge(challengeOf(answer.Response.CollectedClientData), forSigningIn, "", sent.Browsers)
	if why != "" {
		return refuse(m, why)
	}
	before, after, err := a.RelyingParty.asserted(holder{m, passkeys}, answer)
	switch {
	case errors.Is(err, errCounterRanBack):
		return refuse(m, "passkey's counter ran back")
	case err != nil:
		return refuse(m, "passkey not verified")
	case m.Suspended:
		return refuse(m, "suspended")
	}
	use := &PasskeyUse{ID: after.ID, Before: before.Counter, After: after.Counter}
	return m, Proof{Spends: &spends, Passkey: use}, after.method(), nil
}

// holderOf finds the member of a user handle with their passkeys; loop.ErrNotFound
// where there is none.
func (a *Authenticator) holderOf(ctx context.Context, handle []byte) (*loop.Member, []Passkey, error) {
	id := loop.MemberID(handle)
	if !id.Valid() {
		return nil, nil, loop.ErrNotFound
	}
	m, err := a.Store.Member(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	passkeys, err := a.Passkeys.Passkeys(ctx, id)
	return m, passkeys, err
}
