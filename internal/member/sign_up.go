package member

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// ConfirmSignUpPath is the page, on identity's host, that links to sign up lead to.
const ConfirmSignUpPath = "/confirm-sign-up"

// AskForSignUp keeps what somebody typed to sign up, behind a link that goes to the
// address. Where that has an account, a letter goes there that says so: answer and
// work are the same, so that neither shows who has an account. Too many mails to an
// address are RateLimited.
func (b *Mailed) AskForSignUp(ctx context.Context, draft *loop.Member, passwordHash string, asker Asker) error {
	if err := b.Limits.AllowMail(ctx, draft.Email, asker.Device); err != nil {
		return err
	}
	link, token := b.newLink(ToSignUp, "", asker, loop.AddressLinkLife, content{
		Name: draft.Name, Email: draft.Email, Locale: asker.Locale, PasswordHash: passwordHash,
	})
	letter := mail.Letter{Text: mail.ConfirmSignUp, To: draft.Email, Locale: asker.Locale, Link: ConfirmSignUpPath + "?link=" + token.Reveal(), Until: link.ExpiresAt}
	known, _, err := b.Find.Account(ctx, draft.Email)
	switch {
	case err == nil:
		letter = mail.Letter{Text: mail.HasAccount, Member: known.ID}
	case !errors.Is(err, loop.ErrNotFound):
		return err
	}
	return b.Accounts.Store.AddLink(ctx, link, b.Office.Compose(letter), b.byNobody(ctx, audit.SignUpAsked, letter.Member))
}

// PendingSignUp is an account that waits for its address to be confirmed.
type PendingSignUp struct {
	opened *Opened
	mailed *Mailed
}

// Pending is the sign-up behind a link.
func (b *Mailed) Pending(o *Opened) PendingSignUp { return PendingSignUp{o, b} }

// Chosen is the address, and the hash of the password that was chosen with it.
func (p PendingSignUp) Chosen() (email loop.Email, passwordHash string) {
	return p.opened.what.Email, p.opened.what.PasswordHash
}

// Create makes the account, whose address is verified by that, and uses the link. An
// address that has an account by now is a ValidationError about email.
func (p PendingSignUp) Create(ctx context.Context) (*loop.Member, error) {
	accounts, what := p.mailed.Accounts, p.opened.what
	m, err := accounts.Draft(what.Name, string(what.Email))
	if err != nil {
		return nil, err
	}
	m.EmailVerified = true
	if what.Locale != "" {
		m.Locale = what.Locale
	}
	err = accounts.add(ctx, m, what.PasswordHash, p.mailed.use(p.opened), audit.OfMember(ctx, m.CreatedAt, audit.MemberSignedUp, m.ID))
	return m, answer(err)
}
