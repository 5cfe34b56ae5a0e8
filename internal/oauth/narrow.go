package oauth

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// NarrowGrant takes scopes from a member's consent to an app: what is not in keep
// is declined, as if it had been left out on the consent page. The access tokens
// issued under the grant end, and the app gets narrower ones at its next refresh.
// The grant's UpdatedAt stays: the app was not shown to the member anew.
//
// NotFound where the member has no such live grant. A ValidationError where keep
// has a scope that was not granted, or lacks one that the app can't do without: then
// the whole grant has to end.
func (s *Server) NarrowGrant(ctx context.Context, member loop.MemberID, id loop.GrantID, keep loop.Scopes, by audit.Actor) error {
	return s.decide(ctx, Subject{Grant: id}, func(st State) (Change, error) {
		if st.Grant == nil || st.Grant.Member != member || !st.Grant.Live(s.World.Now()) {
			return Change{}, errNoLiveGrant
		}
		if err := narrowable(st, keep); err != nil {
			return Change{}, err
		}
		lost := st.Grant.Scopes.Without(keep)
		if len(lost) == 0 {
			return Change{}, nil
		}
		grant := *st.Grant
		grant.Scopes, grant.Declined = keep, grant.Declined.Or(lost)
		rec := st.record(ctx, s.World.Now(), audit.GrantChanged, by)
		rec.Detail = consentDetail(&grant)
		return Change{
			Grant:   &grant,
			Revoke:  []loop.Revocation{NewRevocation(s.World, loop.RevokeGrant, string(grant.ID))},
			Records: []audit.Record{rec},
		}, nil
	})
}

// ForgetDeclined forgets what a member left out under a grant, so that the app's next
// authorization request for it is shown to them. Nothing is given by it. NotFound where
// the member has no such live grant.
func (s *Server) ForgetDeclined(ctx context.Context, member loop.MemberID, id loop.GrantID, by audit.Actor) error {
	return s.decide(ctx, Subject{Grant: id}, func(st State) (Change, error) {
		if st.Grant == nil || st.Grant.Member != member || !st.Grant.Live(s.World.Now()) {
			return Change{}, errNoLiveGrant
		}
		if len(st.Grant.Declined) == 0 {
			return Change{}, nil
		}
		grant := *st.Grant
		grant.Declined = nil
		rec := st.record(ctx, s.World.Now(), audit.GrantChanged, by)
		rec.Detail = consentDetail(&grant)
		return Change{Grant: &grant, Records: []audit.Record{rec}}, nil
	})
}

var errNoLiveGrant = loop.Errorf(loop.NotFound, "The member has no live grant with this id.")

// narrowable reports what stands in the way of keeping only these scopes.
func narrowable(st State, keep loop.Scopes) error {
	if more := keep.Without(st.Grant.Scopes); len(more) > 0 {
		return loop.Errorf(loop.ValidationError, "The grant does not have %s. Scopes can be taken away here, not added: the app asks for more at authorization.", more).About("scopes")
	}
	needed := NeededOf(st.Client, st.Grant.Scopes)
	if missing := needed.Without(keep); len(missing) > 0 {
		return loop.Errorf(loop.ValidationError, "The app can't do without %s. End the grant instead.", missing).About("scopes")
	}
	return nil
}

// NeededOf are those of some scopes that a member can't take away from a client
// alone: openid, and those that the client marks as required.
func NeededOf(client *loop.Client, scopes loop.Scopes) loop.Scopes {
	return scopes.And(client.RequiredScopes.Or(loop.NewScopes(loop.ScopeOpenID)))
}
