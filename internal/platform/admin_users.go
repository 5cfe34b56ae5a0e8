package platform

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
)

// users is admin.Users.
type users struct {
	*member.Accounts
	p *Platform
}

// Suspend ends a member's sessions and tokens.
func (u users) Suspend(ctx context.Context, id loop.MemberID, by audit.Actor) error {
	return u.Accounts.Suspend(ctx, id, oauth.NewRevocation(u.World, loop.RevokeMember, string(id)), by)
}

// ResetLink makes a link that sets a member's new password.
func (u users) ResetLink(ctx context.Context, id loop.MemberID, by audit.Actor) (address string, until time.Time, err error) {
	token, until, err := u.p.Links.MakeResetLink(ctx, id, by)
	if err != nil {
		return "", until, err
	}
	return u.p.config.Identity.String() + member.SetPasswordPath + "?link=" + token.Reveal(), until, nil
}
