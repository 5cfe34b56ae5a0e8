package signin

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"net/url"

	"github.com/pquerna/otp/hotp"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// NewFactor is a second factor that a member is about to set up.
type NewFactor struct {
	Secret string // in base32, as apps take it
	Sealed string // for the form that sets it up
}

// URL is the secret as apps read it from a QR code.
func (f *NewFactor) URL(m *loop.Member) string {
	query := url.Values{"secret": {f.Secret}, "issuer": {"Loop"}}
	return "otpauth://totp/" + url.PathEscape("Loop:"+string(m.Email)) + "?" + query.Encode()
}

// secretBytes is the length of a secret (RFC 4226 §4, R6).
const secretBytes = 20

// BeginFactor makes a secret for a member. Nothing is kept before a code proves that
// their app has it.
func (a *Authenticator) BeginFactor(m *loop.Member) *NewFactor {
	secret := make([]byte, secretBytes)
	_, _ = a.World.Read(secret)
	return a.newFactor(m, secret)
}

func (a *Authenticator) newFactor(m *loop.Member, secret []byte) *NewFactor {
	sealed := a.Ring.Seal(credential.ForFactors, sealedSecret(m.ID, secret))
	return &NewFactor{Secret: base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret), Sealed: base64.RawURLEncoding.EncodeToString(sealed)}
}

// sealedSecret is a secret with whom it is for, so that it is good for nobody else.
func sealedSecret(m loop.MemberID, secret []byte) []byte {
	return append(secret[:len(secret):len(secret)], m...)
}

// openSecret reads a secret that was sealed for a member.
func (a *Authenticator) openSecret(m loop.MemberID, sealed []byte) (secret []byte, ok bool) {
	plain, _, err := a.Ring.Open(credential.ForFactors, sealed)
	if err != nil || len(plain) < secretBytes || loop.MemberID(plain[secretBytes:]) != m {
		return nil, false
	}
	return plain[:secretBytes], true
}

// OpenNewFactor reads what the form of a new factor carries, to show it again.
func (a *Authenticator) OpenNewFactor(m *loop.Member, sealed string) (*NewFactor, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, false
	}
	secret, ok := a.openSecret(m.ID, raw)
	if !ok {
		return nil, false
	}
	return a.newFactor(m, secret), true
}

// AddFactor sets up a second factor whose app made this code, and gives the recovery
// codes. The member's session counts as proven by both from then on, under a new
// secret. A wrong code is a ValidationError.
func (a *Authenticator) AddFactor(ctx context.Context, signIn *loop.SignIn, sealed, code string, visit Visit) (codes []string, _ *Begun, err error) {
	m := signIn.Member
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	secret, ok := a.openSecret(m.ID, raw)
	if err != nil || !ok {
		return nil, nil, loop.Errorf(loop.InvalidRequest, "This page is not one of yours. Open it again.").Worded("fault.lost")
	}
	step, ok := a.stepOf(secret, code)
	if !ok {
		return nil, nil, errCode
	}
	codes, hashes := a.recoveryCodes(m.ID)
	factor := &Factor{Member: m.ID, Sealed: raw, CreatedAt: a.World.Now()}
	err = a.Factors.AddFactor(ctx, factor, step, hashes, a.Office.Notice(m.ID, mail.FactorAdded), audit.OfMember(ctx, a.World.Now(), audit.FactorAdded, m.ID))
	if errors.Is(err, ErrUsedBefore) {
		return nil, nil, loop.Errorf(loop.Conflict, "Your account has an authenticator app already. Remove it first.").Worded("fault.factor_there")
	}
	if err != nil {
		return nil, nil, err
	}
	begun, err := a.begin(ctx, m, signIn.Methods|loop.ByOneTimeCode, Proof{}, visit)
	return codes, begun, err
}

// stepSeconds is how long a code is shown, and stepsApart how far the clock of an app
// may be off, in codes (RFC 6238 §5.2).
const (
	stepSeconds = 30
	stepsApart  = 1
)

// stepOf is the step of the clock whose code this is.
func (a *Authenticator) stepOf(secret []byte, code string) (step int64, ok bool) {
	now := a.World.Now().Unix() / stepSeconds
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	for step := now - stepsApart; step <= now+stepsApart; step++ {
		if hotp.Validate(code, uint64(step), text) { //nolint:gosec // G115: after 1970
			return step, true
		}
	}
	return 0, false
}
