package signin

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
	"github.com/loop-health/loop/internal/outbox"
)

// Passkey is a key pair on a member's device, of which we hold the public half
// (WebAuthn Level 3 §4, credential record).
type Passkey struct {
	ID        []byte // the credential's, chosen by the authenticator
	Member    loop.MemberID
	PublicKey []byte // COSE
	Counter   uint32 // of signatures; 0 where the authenticator doesn't count
	Synced    bool   // its maker may keep it on several devices
	Name      string // what the member calls it
	CreatedAt time.Time
	UsedAt    time.Time // zero: never
}

// Bounds of passkeys.
const (
	MaxPasskeys       = 20 // of a member
	maxPasskeyName    = 40 // characters
	maxCredentialID   = 1023
	maxPasskeyMessage = 16 << 10 // of what a browser sends of one, far beyond what they do
)

// PasskeyStore keeps passkeys.
type PasskeyStore interface {
	// Passkeys lists a member's, the oldest first.
	Passkeys(ctx context.Context, m loop.MemberID) ([]Passkey, error)
	// AddPasskey inserts a passkey with its messages and its record, and uses up the challenge that it
	// answers. ErrUsedBefore where that was used before, ErrPasskeyRefused where the id
	// is taken, by whomever, the member has MaxPasskeys, is suspended or gone.
	AddPasskey(ctx context.Context, passkey *Passkey, spends Spent, messages []outbox.Message, rec audit.Record) error
	// RemovePasskey deletes a member's passkey with its messages and its record; loop.ErrNotFound where
	// they have none with this id.
	RemovePasskey(ctx context.Context, m loop.MemberID, id []byte, messages []outbox.Message, rec audit.Record) error
}

// ErrPasskeyRefused is returned by a store that can't add a passkey.
var ErrPasskeyRefused = errors.New("the passkey can't be added")

// method is how a passkey proves who its member is: as a key of one device, or of
// all devices that its maker keeps it on (RFC 8176 §2, hwk and swk).
func (p *Passkey) method() loop.Methods {
	if p.Synced {
		return loop.BySoftwareKey
	}
	return loop.ByHardwareKey
}

// readPasskeyName reads what a member calls a passkey.
func readPasskeyName(typed string) (string, error) {
	name, err := loop.ParseName(typed)
	if err != nil || utf8.RuneCountInString(name) > maxPasskeyName {
		return "", loop.Errorf(loop.ValidationError, "Name the passkey in 1 to %d characters, for example “My phone”.", maxPasskeyName).About("name").Worded("fault.passkey_name")
	}
	return name, nil
}

// RemovePasskey takes a passkey from its member; loop.ErrNotFound where they have
// none with this id. The password stays, so that there is always a way in.
func (a *Authenticator) RemovePasskey(ctx context.Context, m *loop.Member, id []byte) error {
	passkeys, err := a.Passkeys.Passkeys(ctx, m.ID)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(passkeys, func(p Passkey) bool { return bytes.Equal(p.ID, id) })
	if at < 0 {
		return loop.ErrNotFound
	}
	messages := a.Office.Notice(m.ID, mail.PasskeyRemoved, passkeys[at].Name)
	return a.Passkeys.RemovePasskey(ctx, m.ID, id, messages, audit.OfMember(ctx, a.World.Now(), audit.PasskeyRemoved, m.ID))
}
