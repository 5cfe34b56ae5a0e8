package tables

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	selectLeft = `SELECT id FROM members WHERE erase_at > 0 AND erase_at <= $1 ORDER BY erase_at LIMIT $2`
	comeBack   = `UPDATE members SET erase_at = 0, notice = $1 WHERE id = $2`
	// eraseMember leaves of a member nothing but their id, and when they came and went.
	eraseMember = `UPDATE members SET email = $1, name = '', address = NULL, sealed = NULL, born = NULL, password = '', locale = '', sex = '', notice = '', suspended = (1 = 1),
		email_verified = (1 = 0), erase_at = 0, erased_at = $2 WHERE id = $3`
	endGrantsOfMember = `UPDATE grants SET revoked_at = $1, updated_at = $1, reason = $2 WHERE member_id = $3 AND revoked_at = 0`
	endChainsOfMember = `UPDATE chains SET ended_at = $1, ending = $2 WHERE member_id = $3 AND ended_at = 0`
)

// reasonErased is why a member's grants ended.
const reasonErased = "the member was erased"

// What else is kept of a member, by tables with a column member_id: an erasure deletes
// it. Grants, chains and records stay, which hold ids and no data of the member's own.
var (
	ofIdentity = []string{"sessions", "mail_links", "receipts", "passkeys", "second_factors", "recovery_codes", "portal_visits", "operators"}
	ofClinical = []string{"result_chunks", "results", "submissions", "imported", "asides", "read_counts"}
)

// Left lists members whose time to come back ended at or before a moment
// (member.LeavingStore).
func (s Identity) Left(ctx context.Context, at time.Time, atMost int) ([]loop.MemberID, error) {
	return list(ctx, s.db, func(row Scanner) (id loop.MemberID, err error) {
		err = row.Scan((*string)(&id))
		return id, err
	}, selectLeft, store.Micro(at), atMost)
}

// ComeBack keeps a member who was leaving and signs in, with its record.
func ComeBack(tx Act, m *loop.Member, signedIn audit.Record) error {
	if m.ErasesAt.IsZero() {
		return nil
	}
	tx.Exec(comeBack, loop.NewNotice(loop.NoticeStayed), m.ID)
	signedIn.Event, signedIn.Detail = audit.MemberStayed, nil
	return tx.Record(signedIn)
}

// EraseMember takes away what identity keeps of a member whose data keys were destroyed
// (member.Room).
func (s Identity) EraseMember(ctx context.Context, member loop.MemberID, at time.Time) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.Exec(eraseMember, standIn(member), store.Micro(at), member)
		tx.Exec(endGrantsOfMember, store.Micro(at), reasonErased, member)
		tx.Exec(endChainsOfMember, store.Micro(at), loop.EndingRevoked, member)
		deleteOf(tx, ofIdentity, member)
		return nil
	})
}

// EraseMember deletes what clinical keeps of a member whose data keys were destroyed
// (member.Room).
func (s Clinical) EraseMember(ctx context.Context, member loop.MemberID, _ time.Time) error {
	return s.db.Do(ctx, func(tx Act) error {
		s.lock(tx, member)
		deleteOf(tx, ofClinical, member)
		return nil
	})
}

func deleteOf(tx Tx, tables []string, member loop.MemberID) {
	for _, table := range tables {
		tx.Exec(`DELETE FROM `+table+` WHERE member_id = $1`, member)
	}
}
