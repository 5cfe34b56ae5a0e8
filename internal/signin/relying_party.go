package signin

import (
	"bytes"
	"encoding/json"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/loop-health/loop/internal/loop"
)

// RelyingParty is this platform as authenticators know it (WebAuthn Level 3 §4). A
// passkey works for its host alone, whatever page asks for it.
type RelyingParty struct{ web *webauthn.WebAuthn }

// NewRelyingParty makes the relying party of the pages at an origin. An origin whose
// host is an address and no name has no passkeys: an error.
func NewRelyingParty(origin *url.URL) (*RelyingParty, error) {
	if err := protocol.ValidateRPID(origin.Hostname()); err != nil {
		return nil, err
	}
	web, err := webauthn.New(&webauthn.Config{
		RPID: origin.Hostname(), RPDisplayName: "Loop", RPOrigins: []string{origin.Scheme + "://" + origin.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, err
	}
	return &RelyingParty{web}, nil
}

// holder is a member with their passkeys, as the library asks for them.
type holder struct {
	member   *loop.Member
	passkeys []Passkey
}

// WebAuthnID is the user handle.
func (h holder) WebAuthnID() []byte { return []byte(h.member.ID) }

// WebAuthnName is what the member's device shows to tell accounts apart.
func (h holder) WebAuthnName() string { return string(h.member.Email) }

// WebAuthnDisplayName is the member's name.
func (h holder) WebAuthnDisplayName() string { return h.member.Name }

// WebAuthnCredentials are the passkeys.
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	all := make([]webauthn.Credential, len(h.passkeys))
	for i, p := range h.passkeys {
		all[i] = webauthn.Credential{
			ID: p.ID, PublicKey: p.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: p.Synced},
			Authenticator: webauthn.Authenticator{SignCount: p.Counter},
		}
	}
	return all
}

// creationOptions are what a browser makes a passkey by, as JSON.
func (rp *RelyingParty) creationOptions(h holder, challenge []byte) ([]byte, error) {
	options, _, err := rp.web.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = challenge
			o.Timeout = int(loop.SignInStepLife.Milliseconds())
			return nil
		})
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// requestOptions are what a browser asks for a passkey by, as JSON.
func (rp *RelyingParty) requestOptions(challenge []byte) ([]byte, error) {
	options, _, err := rp.web.BeginDiscoverableLogin(webauthn.WithChallenge(challenge), func(o *protocol.PublicKeyCredentialRequestOptions) error {
		o.Timeout = int(loop.SignInStepLife.Milliseconds())
		return nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// created verifies a new passkey (WebAuthn Level 3 §7.1).
func (rp *RelyingParty) created(h holder, answer *protocol.ParsedCredentialCreationData) (*Passkey, error) {
	made, err := rp.web.CreateCredential(h, webauthn.SessionData{
		Challenge: answer.Response.CollectedClientData.Challenge, RelyingPartyID: rp.web.Config.RPID, UserID: h.WebAuthnID(),
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}, answer)
	if err != nil {
		return nil, err
	}
	return &Passkey{
		ID: made.ID, Member: h.member.ID, PublicKey: made.PublicKey, Counter: made.Authenticator.SignCount, Synced: made.Flags.BackupEligible,
	}, nil
}

// asserted verifies that one of a holder's passkeys signed (WebAuthn Level 3 §7.2),
// and gives it with its new counter. One that doesn't count on is errCounterRanBack.
func (rp *RelyingParty) asserted(h holder, answer *protocol.ParsedCredentialAssertionData) (before, after *Passkey, err error) {
	find := func(_, _ []byte) (webauthn.User, error) { return h, nil }
	_, used, err := rp.web.ValidatePasskeyLogin(find, webauthn.SessionData{
		Challenge: answer.Response.CollectedClientData.Challenge, RelyingPartyID: rp.web.Config.RPID, UserVerification: protocol.VerificationRequired,
	}, answer)
	if err != nil {
		return nil, nil, err
	}
	for i := range h.passkeys {
		if before = &h.passkeys[i]; bytes.Equal(before.ID, used.ID) {
			break
		}
	}
	if used.Authenticator.CloneWarning {
		return nil, nil, errCounterRanBack
	}
	counted := *before
	counted.Counter = used.Authenticator.SignCount
	return before, &counted, nil
}
