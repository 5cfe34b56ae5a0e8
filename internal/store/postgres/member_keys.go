package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store/tables"
)

// MemberKeysStore keeps the data keys of members.
type MemberKeysStore struct {
	tables.MemberKeys
	db *Database
}

// NewMemberKeys makes the store of a database that was opened with MemberKeys.
func NewMemberKeys(db *Database) *MemberKeysStore {
	return &MemberKeysStore{tables.NewMemberKeys(db, lockMemberKeys), db}
}

// lockMemberKeys has whoever changes a member's keys wait for the one before.
func lockMemberKeys(tx tables.Tx, member loop.MemberID) {
	tx.Exec(`SELECT pg_advisory_xact_lock(hashtextextended('keys of ' || $1::text, 0))`, member)
}

// EraseMember destroys a member's keys (credential.MemberKeyStore). The row that was
// deleted stays in the table's file until that is written anew, which is done here,
// and in the server's log, which must not be kept for longer than a week.
func (s *MemberKeysStore) EraseMember(ctx context.Context, member loop.MemberID, at time.Time) error {
	if err := s.MemberKeys.EraseMember(ctx, member, at); err != nil {
		return err
	}
	if err := s.db.alone(ctx, `VACUUM (FULL) `+string(MemberKeys)+`.member_keys`); err != nil {
		return fmt.Errorf("writing the member keys anew: %w", err)
	}
	return nil
}
