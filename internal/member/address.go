package member

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// ConfirmAddressPath is the page, on identity's host, that links to confirm an address
// lead to.
const ConfirmAddressPath = "/confirm-address"

// AskForAddress sends a link to an address that a member wants for their account: a
// new one, which the present address is told of, or the present one, where nobody has
// confirmed it yet. To an address that has another account a letter goes that says so,
// with the same answer and work. A malformed address, and one that is confirmed, is a
// ValidationError about email; too many mails are RateLimited.
func (b *Mailed) AskForAddress(ctx context.Context, m *loop.Member, email string, asker Asker) error {
	address, err := loop.ParseEmail(email)
	if err != nil {
		return err
	}
	if address == m.Email && m.EmailVerified {
		return loop.Errorf(loop.ValidationError, "Your account has this address already.").About("email").Worded("address.same")
	}
	if err := b.Limits.AllowMail(ctx, address, asker.Device); err != nil {
		return err
	}
	link, token := b.newLink(ToProveAddress, m.ID, asker, loop.AddressLinkLife, content{Email: address})
	letter := mail.Letter{Text: mail.ConfirmAddress, Member: m.ID, To: address, Link: ConfirmAddressPath + "?link=" + token.Reveal(), Until: link.ExpiresAt}
	known, _, err := b.Find.Account(ctx, address)
	switch {
	case err == nil && known.ID != m.ID:
		letter = mail.Letter{Text: mail.AddressTaken, Member: known.ID}
	case err != nil && !errors.Is(err, loop.ErrNotFound):
		return err
	}
	letters := []mail.Letter{letter}
	if address != m.Email {
		letters = append(letters, mail.Letter{Text: mail.AddressRequested, Member: m.ID, To: m.Email, Args: []string{string(address)}})
	}
	return b.Accounts.Store.AddLink(ctx, link, b.Office.Compose(letters...), audit.OfMember(ctx, link.CreatedAt, audit.AddressAsked, m.ID))
}

// ConfirmAddress makes the address behind a link the account's, verified. Both the
// address before and the new one are told; links that went to the one before end. An
// address that has another account by now is a ValidationError about email.
func (b *Mailed) ConfirmAddress(ctx context.Context, o *Opened) error {
	err := b.Accounts.Store.ChangeMember(ctx, o.Member.ID, b.Accounts.OnSessionEnd, func(m *loop.Member) (Change, error) {
		before, now := m.Email, b.Accounts.World.Now()
		m.Email, m.EmailVerified, m.UpdatedAt = o.Email, true, now
		done := Change{
			UsesLink: b.use(o), EndsLinks: []LinkPurpose{ToProveAddress, ToResetPassword},
			Records: []audit.Record{audit.OfMember(ctx, now, audit.AddressChanged, m.ID)},
		}
		if before != o.Email {
			done.Messages = b.Accounts.lettersOfAddress(m, before)
		}
		return done, nil
	})
	if errors.Is(err, ErrAddressTaken) {
		return errAddressTaken
	}
	return answer(err)
}

// errAddressTaken is the answer where an address has an account.
var errAddressTaken = loop.Errorf(loop.ValidationError, "This address cannot be used for a new account. If it is yours, sign in instead.").About("email").Worded("fault.address_taken")
