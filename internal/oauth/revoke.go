package oauth

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// RevokeGrant ends a member's consent to an app with everything that came from
// it. NotFound where there is no such grant; one that has ended stays as it is.
func (s *Server) RevokeGrant(ctx context.Context, id loop.GrantID, by audit.Actor, reason string) error {
	return s.Ledger.Decide(ctx, Subject{Grant: id}, func(st State) (Change, error) {
		if st.Grant == nil {
			return Change{}, loop.Errorf(loop.NotFound, "There is no grant with this id.")
		}
		if !st.Grant.Live() {
			return Change{}, nil
		}
		grant := *st.Grant
		grant.RevokedAt, grant.UpdatedAt, grant.Reason = s.World.Now(), s.World.Now(), reason
		rec := s.record(ctx, audit.GrantRevoked, by, st)
		rec.Detail = audit.Detail{"reason": reason}
		return Change{
			Grant:   &grant,
			Revoke:  []loop.Revocation{s.revocation(loop.RevokeGrant, string(grant.ID))},
			Records: []audit.Record{rec},
		}, nil
	})
}
