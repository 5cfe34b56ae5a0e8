package tables

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// The condition is that of the index audit_reads_of_members; the event is
// audit.BiomarkersRead.
const readsOfMember = ` FROM audit_records WHERE member_id = $1 AND event = 'biomarkers.read'`

const (
	listReads = `SELECT ` + AuditColumns + readsOfMember + `
		AND ($2 = '' OR client_id = $2) AND (at, lane, number) < ($3, $4, $5)
		ORDER BY at DESC, lane DESC, number DESC LIMIT $6`
	selectLastUses = `SELECT grant_id, max(rotated_at) FROM chains WHERE member_id = $1 GROUP BY grant_id`
)

// ListReads gives a member's reads, newest first (connection.Reads).
func (s Clinical) ListReads(ctx context.Context, member loop.MemberID, client loop.ClientID, after connection.ReadPlace, atMost int) ([]connection.Read, error) {
	at, lane, number := int64(math.MaxInt64), after.Lane, after.Number
	if !after.IsZero() {
		at = store.Micro(after.At)
	}
	return list(ctx, s.db, scanRead, listReads, member, client, at, lane, number, atMost)
}

func scanRead(row Scanner) (connection.Read, error) {
	r, err := ScanAudit(row)
	if err != nil {
		return connection.Read{}, err
	}
	rec, err := r.Record()
	if err != nil {
		return connection.Read{}, fmt.Errorf("reading record %d of %s: %w", r.Number, r.Lane, err)
	}
	count, _ := strconv.Atoi(rec.Detail["count"]) // a record that says no count has none
	return connection.Read{
		Place:  connection.ReadPlace{At: rec.At, Lane: r.Lane, Number: r.Number},
		Client: rec.Client, Grant: rec.Grant, Count: count,
	}, nil
}

// LastUses says when each of a member's grants last gave tokens (connection.Store).
func (s Identity) LastUses(ctx context.Context, member loop.MemberID) (map[loop.GrantID]time.Time, error) {
	uses := make(map[loop.GrantID]time.Time)
	err := s.db.Rows(ctx, func(row Scanner) error {
		var grant loop.GrantID
		var at int64
		err := row.Scan((*string)(&grant), &at)
		uses[grant] = time.UnixMicro(at).UTC()
		return err
	}, selectLastUses, member)
	return uses, err
}
