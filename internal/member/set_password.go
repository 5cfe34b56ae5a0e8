package member

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/mail"
)

// SetPasswordPath is the page, on identity's host, that links to reset a password lead
// to.
const SetPasswordPath = "/set-password"

// MakeResetLink makes a link that sets a new password, for an operator to give to a
// member whom no letter reaches. It gives the link's token and until when that works;
// NotFound where there is no such member.
func (l *Links) MakeResetLink(ctx context.Context, id loop.MemberID, by audit.Actor) (token credential.Secret, until time.Time, err error) {
	if _, err := l.Accounts.Store.Member(ctx, id); err != nil {
		return token, until, noMember(err)
	}
	link, token := l.newLink(ToResetPassword, id, Asker{}, loop.ResetLinkLife, content{ByOperator: true})
	rec := audit.NewRecord(ctx, link.CreatedAt, audit.PasswordResetAsked, by)
	rec.Member = id
	return token, link.ExpiresAt, l.Accounts.Store.AddLink(ctx, link, nil, rec)
}

// ResetPassword sets a new password by a link, which is used by that. All sign-ins
// end, and browsers that the member signed in with before are strangers again. A
// password that may not be chosen is a ValidationError about password, and leaves the
// link as it is.
func (l *Links) ResetPassword(ctx context.Context, o *Opened, typed string) error {
	if o.Member == nil {
		return errLinkEnded
	}
	hash, err := l.Accounts.Passwords.Choose(ctx, typed, o.Member.Email)
	if err != nil {
		return err
	}
	return answer(l.Accounts.Store.ChangeMember(ctx, o.Member.ID, l.Accounts.OnSessionEnd, func(m *loop.Member) (Change, error) {
		now := l.Accounts.World.Now()
		m.EmailVerified = m.EmailVerified || !o.ByOperator // a letter brought it to the address, and to nowhere else
		m.DevicesSince, m.UpdatedAt = now, now
		return Change{
			PasswordHash: hash, UsesLink: l.use(o), EndsLinks: []LinkPurpose{ToResetPassword}, EndsSessions: true,
			Messages: l.Accounts.Office.Notice(m.ID, mail.PasswordChanged),
			Records:  []audit.Record{audit.OfMember(ctx, now, audit.PasswordReset, m.ID)},
		}, nil
	}))
}
