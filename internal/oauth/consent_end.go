package oauth

import (
	"context"
	"errors"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// errOver ends a decision on a grant whose end has come: it is ended first.
var errOver = errors.New("the grant's end has come")

// setTerm gives a grant the end that the member chose. An app of Loop's own may be
// allowed without the page that asks for it; then nothing is chosen.
func (s *Server) setTerm(grant *loop.Grant, term loop.Term) error {
	end, err := term.End(s.World.Now(), grant.EndsAt)
	grant.EndsAt = end
	return err
}

// endsSooner reports whether a change brings a grant's end forward: tokens issued
// before would outlive it.
func endsSooner(before, after *loop.Grant) bool {
	return !after.EndsAt.IsZero() && (before.EndsAt.IsZero() || after.EndsAt.Before(before.EndsAt))
}

// SetGrantEnd gives a live grant of a member another term, from now on. Where it ends
// sooner than before, the access tokens issued under it end, and the app gets others
// at its next refresh. NotFound where the member has no such live grant,
// ValidationError for what is no term.
func (s *Server) SetGrantEnd(ctx context.Context, member loop.MemberID, id loop.GrantID, term loop.Term, by audit.Actor) error {
	return s.decide(ctx, Subject{Grant: id}, func(st State) (Change, error) {
		if st.Grant == nil || st.Grant.Member != member || !st.Grant.Live(s.World.Now()) {
			return Change{}, errNoLiveGrant
		}
		grant := *st.Grant
		if err := s.setTerm(&grant, term); err != nil || grant.EndsAt.Equal(st.Grant.EndsAt) {
			return Change{}, err
		}
		rec := st.record(ctx, s.World.Now(), audit.GrantChanged, by)
		rec.Detail = consentDetail(&grant)
		change := Change{Grant: &grant, Records: []audit.Record{rec}}
		if endsSooner(st.Grant, &grant) {
			change.Revoke = []loop.Revocation{NewRevocation(s.World, loop.RevokeGrant, string(grant.ID))}
		}
		return change, nil
	})
}

// overReason is the reason of a revocation that came with the end of a grant.
const overReason = "the end that the member chose has come"

// over ends a grant whose end has come. Nothing that was issued under it is alive: no
// token outlives it.
func (s *Server) over(ctx context.Context, st State) Change {
	grant := *st.Grant
	grant.RevokedAt, grant.Reason = s.World.Now(), overReason
	rec := st.record(ctx, s.World.Now(), audit.GrantRevoked, audit.Actor{Kind: audit.BySystem})
	rec.Detail = audit.Detail{"reason": grant.Reason}
	return Change{Grant: &grant, Records: []audit.Record{rec}}
}

// overAtOnce is how many grants are looked for at a time.
const overAtOnce = 500

// EndOver ends the grants whose end came by a moment, so that their records say so. It
// comes back when there are none left, ctx ends or one of them can't be ended.
func (s *Server) EndOver(ctx context.Context, by time.Time) error {
	for {
		ids, err := s.Ledger.OverGrants(ctx, by, overAtOnce)
		if err != nil {
			return err
		}
		for _, id := range ids {
			err := s.decide(ctx, Subject{Grant: id}, func(st State) (Change, error) {
				if st.Grant == nil || !st.Grant.RevokedAt.IsZero() || !st.Grant.Over(by) {
					return Change{}, nil
				}
				return s.over(ctx, st), nil
			})
			if err != nil {
				return err
			}
		}
		if len(ids) < overAtOnce {
			return nil
		}
	}
}

// receipt is what the member was shown, and what they answered to it.
func (s *Server) receipt(grant *loop.Grant, consent Consent, allowed loop.Scopes) *loop.Receipt {
	return &loop.Receipt{
		ID: loop.NewReceiptID(s.World), Grant: grant.ID, Member: grant.Member, At: grant.UpdatedAt,
		Shown: consent.Page, Allowed: allowed, Declined: consent.Shown.Without(allowed), EndsAt: grant.EndsAt,
	}
}

// consentDetail is what the record says of a grant.
func consentDetail(grant *loop.Grant) audit.Detail {
	detail := audit.Detail{"scopes": grant.Scopes.String(), "declined": grant.Declined.String()}
	if !grant.EndsAt.IsZero() {
		detail["ends_at"] = grant.EndsAt.UTC().Format(time.RFC3339)
	}
	return detail
}
