package sqlite

import (
	"context"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store/tables"
)

// ChangeMember reads a member, has change alter them, and writes that with all that
// it brings about (member.Store).
func (s *Identity) ChangeMember(ctx context.Context, id loop.MemberID, onEnd outbox.OnSessionEnd, change func(*loop.Member) (member.Change, error)) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := s.ReadMember(ctx, tx.QueryRow(tables.SelectMember, id))
		if err != nil {
			return err
		}
		before := m.Suspended
		done, err := change(m)
		if err != nil {
			return err
		}
		if err := s.UpdateMember(ctx, tx, m, done); err != nil {
			return err
		}
		if m.Suspended != before {
			apps, err := tables.SuspendClients(tx, s.cache, m)
			if err != nil {
				return err
			}
			done.Revocations = tables.RevokeClients(done.Revocations, apps)
		}
		if m.Suspended || done.EndsSessions {
			if _, err := endSessions(tx, onEnd, `DELETE FROM sessions WHERE member_id = $1 AND hash <> $2 RETURNING id, member_id`, m.ID, done.Keeps[:]); err != nil {
				return err
			}
		}
		return s.revokeAndRecord(tx, done.Revocations, done.Records)
	})
}

// SealMembers takes away the names and addresses that are in clear (tables.Identity).
// What it overwrites is in the log as it was, until that is cut off.
func (s *Identity) SealMembers(ctx context.Context) error {
	if s.MembersSealed() {
		return nil
	}
	if err := s.Identity.SealMembers(ctx); err != nil {
		return err
	}
	return s.db.truncateLog(ctx)
}
