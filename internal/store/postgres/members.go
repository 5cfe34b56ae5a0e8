package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store/tables"
)

// ChangeMember reads a member, has change alter them, and writes that with all that
// it brings about (member.Store).
func (s *IdentityStore) ChangeMember(ctx context.Context, id loop.MemberID, onEnd outbox.OnSessionEnd, change func(*loop.Member) (member.Change, error)) error {
	return s.write(ctx, func(tx *Tx) error {
		m, err := s.lockMember(tx, id, "FOR UPDATE")
		if err != nil {
			return err
		}
		before := m.Suspended
		done, err := change(m)
		if err != nil {
			return err
		}
		if err := s.UpdateMember(tx.ctx, tx, m, done); err != nil {
			return err
		}
		if m.Suspended != before {
			apps, err := tables.SuspendClients(tx, s.cache, m)
			if err != nil {
				return err
			}
			done.Revocations = tables.RevokeClients(done.Revocations, apps)
			for _, id := range apps {
				done.Revocations = append(done.Revocations, loop.Revocation{Kind: clientChanged, ID: string(id), ExpiresAt: s.world.Now()})
			}
		}
		if m.Suspended || done.EndsSessions {
			if _, err := endSessions(tx, onEnd, `member_id = $1 AND hash <> $2`, m.ID, done.Keeps[:]); err != nil {
				return err
			}
		}
		if err := tables.RecordAll(tx, done.Records); err != nil {
			return err
		}
		s.publish(tx, done.Revocations)
		return nil
	})
}

// lockMember reads a member and keeps others from changing them until the
// transaction is over; how is FOR UPDATE or FOR SHARE.
func (s *IdentityStore) lockMember(tx *Tx, id loop.MemberID, how string) (m *loop.Member, err error) {
	err = tx.QueryRow(func(row tables.Scanner) (err error) {
		m, err = s.ReadMember(tx.ctx, row)
		return err
	}, tables.SelectMember+` `+how, id)
	return m, err
}
