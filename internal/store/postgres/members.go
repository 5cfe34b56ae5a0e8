package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store/tables"
)

// ChangeMember reads a member, has change alter whether they are suspended and
// their notice, and writes that with what it revokes and its records. A
// suspended member's sessions end, their apps stop until they are reinstated.
func (s *IdentityStore) ChangeMember(ctx context.Context, id loop.MemberID, onEnd outbox.OnSessionEnd, change func(*loop.Member) ([]loop.Revocation, []audit.Record, error)) error {
	return s.write(ctx, func(tx *Tx) error {
		m, err := lockMember(tx, id, "FOR UPDATE")
		if err != nil {
			return err
		}
		before := m.Suspended
		revocations, records, err := change(m)
		if err != nil {
			return err
		}
		tables.UpdateMember(tx, m)
		if m.Suspended != before {
			apps, err := tables.SuspendClients(tx, s.cache, m)
			if err != nil {
				return err
			}
			revocations = tables.RevokeClients(revocations, apps)
			for _, id := range apps {
				revocations = append(revocations, loop.Revocation{Kind: clientChanged, ID: string(id), ExpiresAt: s.world.Now()})
			}
		}
		if m.Suspended {
			if _, err := endSessions(tx, onEnd, `member_id = $1`, m.ID); err != nil {
				return err
			}
		}
		if err := tables.RecordAll(tx, records); err != nil {
			return err
		}
		s.publish(tx, revocations)
		return nil
	})
}

// lockMember reads a member and keeps others from changing them until the
// transaction is over; how is FOR UPDATE or FOR SHARE.
func lockMember(tx *Tx, id loop.MemberID, how string) (m *loop.Member, err error) {
	err = tx.QueryRow(func(row tables.Scanner) (err error) {
		m, err = tables.ScanMember(row)
		return err
	}, tables.SelectMember+` `+how, id)
	return m, err
}
