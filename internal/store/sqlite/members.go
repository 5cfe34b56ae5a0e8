package sqlite

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
func (s *Identity) ChangeMember(ctx context.Context, id loop.MemberID, onEnd outbox.OnSessionEnd, change func(*loop.Member) ([]loop.Revocation, []audit.Record, error)) error {
	return s.db.Write(ctx, func(tx *Tx) error {
		m, err := tables.ScanMember(tx.QueryRow(tables.SelectMember, id))
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
		}
		if m.Suspended {
			if _, err := endSessions(tx, onEnd, `DELETE FROM sessions WHERE member_id = $1 RETURNING id, member_id`, m.ID); err != nil {
				return err
			}
		}
		return s.revokeAndRecord(tx, revocations, records)
	})
}
