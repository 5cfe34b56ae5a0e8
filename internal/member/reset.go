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

// SetPasswordPath is the page, on identity's host, that links to reset a password lead
// to.
const SetPasswordPath = "/set-password"

// ResetPassword sets a new password by a link, which is used by that. All sign-ins
// end, and browsers that the member signed in with before are strangers again. A
// password that may not be chosen is a ValidationError about password, and leaves the
// link as it is.
func (b *Mailed) ResetPassword(ctx context.Context, o *Opened, typed string) error {
	if o.Member == nil {
		return errLinkEnded
	}
	hash, err := b.Accounts.Passwords.Choose(ctx, typed, o.Member.Email)
	if err != nil {
		return err
	}
	return answer(b.Accounts.Store.ChangeMember(ctx, o.Member.ID, b.Accounts.OnSessionEnd, func(m *loop.Member) (Change, error) {
		now := b.Accounts.World.Now()
		m.EmailVerified = true // the link went there, and nowhere else
		m.DevicesSince, m.UpdatedAt = now, now
		return Change{
			PasswordHash: hash, UsesLink: b.use(o), EndsLinks: []LinkPurpose{ToResetPassword}, EndsSessions: true,
			Messages: b.Office.Notice(m.ID, mail.PasswordChanged),
			Records:  []audit.Record{audit.OfMember(ctx, now, audit.PasswordReset, m.ID)},
		}, nil
	}))
}
