package signin

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// Factor is a member's second factor: an app that makes codes from a secret and the
// time (RFC 6238), and recovery codes for when it is lost.
type Factor struct {
	Member    loop.MemberID
	Sealed    []byte // the secret, under the key ring
	CreatedAt time.Time
	CodesLeft int // recovery codes
}

// RecoveryCodes is how many recovery codes a member is given.
const RecoveryCodes = 10

// RecoveryHashes are what is kept of recovery codes.
type RecoveryHashes [RecoveryCodes][32]byte

// CodeUse is a code that was right: a step of the clock, or a recovery code.
type CodeUse struct {
	Step     int64
	Recovery *[32]byte // its hash; nil: it was the app's
}

// FactorStore keeps second factors.
type FactorStore interface {
	// Factor reads a member's second factor; loop.ErrNotFound where there is none.
	Factor(ctx context.Context, m loop.MemberID) (*Factor, error)
	// AddFactor inserts a second factor with its recovery codes, messages and record, and
	// notes the step whose code proved it. ErrUsedBefore where the member has one.
	AddFactor(ctx context.Context, f *Factor, step int64, codes RecoveryHashes, messages []outbox.Message, rec audit.Record) error
	// RemoveFactor deletes a second factor with its recovery codes; loop.ErrNotFound
	// where there is none.
	RemoveFactor(ctx context.Context, m loop.MemberID, messages []outbox.Message, rec audit.Record) error
	// SetRecoveryCodes replaces recovery codes; loop.ErrNotFound without a second factor.
	SetRecoveryCodes(ctx context.Context, m loop.MemberID, codes RecoveryHashes, messages []outbox.Message, rec audit.Record) error
}

// RemoveFactor takes the second factor from its member; loop.ErrNotFound where they
// have none.
func (a *Authenticator) RemoveFactor(ctx context.Context, m *loop.Member) error {
	return a.Factors.RemoveFactor(ctx, m.ID, a.Office.Notice(m.ID, mail.FactorRemoved), audit.OfMember(ctx, a.World.Now(), audit.FactorRemoved, m.ID))
}

// NewRecoveryCodes makes recovery codes in place of those before; loop.ErrNotFound
// without a second factor.
func (a *Authenticator) NewRecoveryCodes(ctx context.Context, m *loop.Member) ([]string, error) {
	codes, hashes := a.recoveryCodes(m.ID)
	return codes, a.Factors.SetRecoveryCodes(ctx, m.ID, hashes, a.Office.Notice(m.ID, mail.RecoveryCodesMade), audit.OfMember(ctx, a.World.Now(), audit.RecoveryCodesMade, m.ID))
}

// recoveryCodes makes codes of 80 random bits, so that a hash of one says nothing.
func (a *Authenticator) recoveryCodes(m loop.MemberID) (codes []string, hashes RecoveryHashes) {
	for i := range hashes {
		var random [10]byte
		_, _ = a.World.Read(random[:])
		text := strings.ToLower(base32.StdEncoding.EncodeToString(random[:]))
		codes = append(codes, text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:])
		hashes[i] = recoveryHash(m, codes[i])
	}
	return codes, hashes
}

// recoveryHash is what is kept of a recovery code, however it is typed.
func recoveryHash(m loop.MemberID, typed string) [32]byte {
	plain := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(typed))
	return sha256.Sum256([]byte("recovery code of " + string(m) + " " + plain))
}
