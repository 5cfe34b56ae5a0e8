package signin

import (
	"context"
	"errors"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// OffersPasskeys reports whether passkeys work on this host at all.
func (a *Authenticator) OffersPasskeys() bool { return a.RelyingParty != nil }

// errNoPasskeys is the answer on a host without passkeys.
var errNoPasskeys = loop.Errorf(loop.NotFound, "Passkeys need a host with a name: they don't work at a bare address.")

// NewPasskey gives the options by which the member's browser makes a passkey, as JSON
// (PublicKeyCredentialCreationOptionsJSON). They are for this browser and good for
// loop.SignInStepLife.
func (a *Authenticator) NewPasskey(ctx context.Context, m *loop.Member, browser string) ([]byte, error) {
	if !a.OffersPasskeys() {
		return nil, errNoPasskeys
	}
	passkeys, err := a.Passkeys.Passkeys(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	challenge, err := a.newChallenge(forNewPasskey, m.ID, browser)
	if err != nil {
		return nil, err
	}
	return a.RelyingParty.creationOptions(holder{m, passkeys}, challenge)
}

// AddPasskey adds the passkey that a browser made by options of NewPasskey. One that
// doesn't verify is counted and a ValidationError; nothing is changed.
func (a *Authenticator) AddPasskey(ctx context.Context, m *loop.Member, name, sent string, browsers []string) error {
	if !a.OffersPasskeys() {
		return errNoPasskeys
	}
	name, err := readPasskeyName(name)
	if err != nil {
		return err
	}
	if len(sent) > maxPasskeyMessage {
		return a.refusePasskey(ctx, m, audit.PasskeyRefused, "not a passkey")
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(sent))
	if err != nil {
		return a.refusePasskey(ctx, m, audit.PasskeyRefused, "not a passkey")
	}
	spends, why := a.openChallenge(challengeOf(answer.Response.CollectedClientData), forNewPasskey, m.ID, browsers)
	if why != "" {
		return a.refusePasskey(ctx, m, audit.PasskeyRefused, why)
	}
	made, err := a.RelyingParty.created(holder{member: m}, answer)
	if err != nil || len(made.ID) > maxCredentialID {
		return a.refusePasskey(ctx, m, audit.PasskeyRefused, "not verified")
	}
	made.Name, made.CreatedAt = name, a.World.Now()
	rec := audit.OfMember(ctx, a.World.Now(), audit.PasskeyAdded, m.ID)
	err = a.Passkeys.AddPasskey(ctx, made, spends, a.Office.Notice(m.ID, mail.PasskeyAdded, name), rec)
	switch {
	case errors.Is(err, ErrUsedBefore):
		return a.refusePasskey(ctx, m, audit.PasskeyRefused, whyUsedBefore)
	case errors.Is(err, ErrPasskeyRefused):
		return a.refusePasskey(ctx, m, audit.PasskeyRefused, "known already, or one too many")
	}
	return err
}

// challengeOf is the challenge that an authenticator signed.
func challengeOf(data protocol.CollectedClientData) []byte {
	var challenge protocol.URLEncodedBase64
	if challenge.UnmarshalJSON([]byte(`"`+data.Challenge+`"`)) != nil {
		return nil
	}
	return challenge
}

// whyUsedBefore is why a challenge is refused that was answered before.
const whyUsedBefore = "challenge used before"

// refusePasskey counts a passkey that was refused. The member reads no more than that
// it was, and that a page which lay open for too long is to be tried again.
func (a *Authenticator) refusePasskey(ctx context.Context, m *loop.Member, event audit.Event, why string) error {
	refusal := audit.Refusal{Event: event, Reason: why}
	if m != nil {
		refusal.Subject, refusal.Member = string(m.ID), m.ID
	}
	if err := a.Store.CountRefusal(ctx, refusal); err != nil {
		return err
	}
	if why == whyTooOld {
		return errPasskeyTooLate
	}
	return errPasskey
}

// What a member reads whose passkey was refused.
var (
	errPasskey        = loop.Errorf(loop.ValidationError, "This passkey can’t be used here. Try another, or use your password.").About("passkey").Worded("fault.passkey")
	errPasskeyTooLate = loop.Errorf(loop.ValidationError, "That took too long. Try again.").About("passkey").Worded("fault.passkey_late")
)
