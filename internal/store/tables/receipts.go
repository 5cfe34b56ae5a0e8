package tables

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	receiptColumns  = `id, grant_id, member_id, at, shown, allowed, declined, ends_at`
	insertReceipt   = `INSERT INTO receipts (` + receiptColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectReceipts  = `SELECT ` + receiptColumns + ` FROM receipts WHERE member_id = $1 AND grant_id = $2 ORDER BY id DESC LIMIT $3`
	selectLastGrant = `SELECT ` + GrantColumns + ` FROM grants WHERE member_id = $1 AND client_id = $2 ORDER BY id DESC LIMIT 1`
)

// Receipts gives what the member was shown and answered under a grant, the newest
// first.
func (s Identity) Receipts(ctx context.Context, member loop.MemberID, grant loop.GrantID, atMost int) ([]loop.Receipt, error) {
	return list(ctx, s.db, scanReceipt, selectReceipts, member, grant, atMost)
}

// LastGrant reads the newest grant of a member to a client, live or not; nil where
// there never was one.
func (s Identity) LastGrant(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error) {
	return store.Optional(scanGrant(s.db.Row(ctx, selectLastGrant, member, client)))
}

func putReceipt(tx Tx, r *loop.Receipt) error {
	shown, err := json.Marshal(r.Shown)
	if err != nil {
		return fmt.Errorf("encoding a receipt: %w", err)
	}
	tx.Exec(insertReceipt, r.ID, r.Grant, r.Member, store.Micro(r.At), string(shown), r.Allowed.String(), r.Declined.String(), store.Micro(r.EndsAt))
	return nil
}

func scanReceipt(row Scanner) (loop.Receipt, error) {
	var r loop.Receipt
	var shown string
	err := row.Scan(text(&r.ID), text(&r.Grant), text(&r.Member), moment(&r.At), &shown, scopes(&r.Allowed), scopes(&r.Declined), moment(&r.EndsAt))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(shown), &r.Shown); err != nil {
		return r, fmt.Errorf("reading the receipt %s: %w", r.ID, err)
	}
	return r, nil
}
