package member

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// AskForReset sends a link that sets a new password to an address, or where the
// address has no account a letter that says so: the answer and the work are the same,
// so that neither shows who has an account. A malformed address is a ValidationError
// about email, too many are RateLimited.
func (b *Mailed) AskForReset(ctx context.Context, email string, asker Asker) error {
	address, err := loop.ParseEmail(email)
	if err != nil {
		return err
	}
	if err := b.Limits.AllowMail(ctx, address, asker.Device); err != nil {
		return err
	}
	letter := mail.Letter{Text: mail.NoAccount, To: address, Locale: asker.Locale}
	m, _, err := b.Find.Account(ctx, address)
	switch {
	case err == nil:
		letter = mail.Letter{Text: mail.ResetPassword, Member: m.ID}
	case !errors.Is(err, loop.ErrNotFound):
		return err
	}
	link, token := b.newLink(ToResetPassword, letter.Member, asker, loop.ResetLinkLife, content{})
	letter.Link, letter.Until = SetPasswordPath+"?link="+token.Reveal(), link.ExpiresAt
	return b.Accounts.Store.AddLink(ctx, link, b.Office.Compose(letter), b.byNobody(ctx, audit.PasswordResetAsked, letter.Member))
}
