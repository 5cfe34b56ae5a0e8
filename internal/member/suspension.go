package member

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
)

// Suspend ends a member's sessions and everything that apps hold of theirs, and
// keeps them out until Reinstate. The revocation is the member's. NotFound where there is
// no such member.
func (a *Accounts) Suspend(ctx context.Context, id loop.MemberID, revocation loop.Revocation, by audit.Actor) error {
	return a.setSuspended(ctx, id, true, []loop.Revocation{revocation}, audit.NewRecord(ctx, a.World.Now(), audit.MemberSuspended, by))
}

// Reinstate lets a suspended member in again. Apps need new tokens. NotFound where there
// is no such member.
func (a *Accounts) Reinstate(ctx context.Context, id loop.MemberID, by audit.Actor) error {
	return a.setSuspended(ctx, id, false, nil, audit.NewRecord(ctx, a.World.Now(), audit.MemberResumed, by))
}

func (a *Accounts) setSuspended(ctx context.Context, id loop.MemberID, suspended bool, revocations []loop.Revocation, rec audit.Record) error {
	return noMember(a.Store.ChangeMember(ctx, id, a.OnSessionEnd, func(m *loop.Member) (Change, error) {
		if m.Suspended == suspended {
			return Change{}, nil
		}
		m.Suspended, m.UpdatedAt, rec.Member = suspended, a.World.Now(), id
		return Change{Revocations: revocations, Records: []audit.Record{rec}}, nil
	}))
}

// noMember makes an answer for an operator of what a store says of a member.
func noMember(err error) error {
	if errors.Is(err, loop.ErrNotFound) {
		return loop.Errorf(loop.NotFound, "There is no member with this id.")
	}
	return err
}
