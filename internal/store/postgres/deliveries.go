package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// claimDeliveries claims in one statement: of each destination as many as it has room
// for ($4), of all of them the longest due ($5), until a moment ($3). What another
// process is claiming meanwhile is passed over; what it has claimed since this
// statement began is looked at again once its row is locked.
var claimDeliveries = tables.WithDestinations + `,
ready AS (
	SELECT one.number FROM destinations CROSS JOIN LATERAL (
		` + tables.SelectReady("destinations.name") + ` LIMIT greatest($4::bigint - (` + tables.CountClaims + `), 0)) AS one
	ORDER BY one.due_at, one.number LIMIT $5),
locked AS (
	SELECT number FROM deliveries WHERE number IN (SELECT number FROM ready) AND settled_at = 0 AND claimed_until <= $2
	FOR UPDATE SKIP LOCKED)
UPDATE deliveries SET claimed_until = $3 FROM locked WHERE deliveries.number = locked.number RETURNING deliveries.` + tables.DeliveryColumns

// ClaimDeliveries hands out messages that are due (outbox.Store). Where none is, it
// writes nothing.
func (s *IdentityStore) ClaimDeliveries(ctx context.Context, claim outbox.Claim) ([]outbox.Delivery, error) {
	return claimDue(ctx, s.db, claim)
}

// ClaimDeliveries hands out messages that are due (outbox.Store).
func (s *ClinicalStore) ClaimDeliveries(ctx context.Context, claim outbox.Claim) ([]outbox.Delivery, error) {
	return claimDue(ctx, s.db, claim)
}

func claimDue(ctx context.Context, db *Database, claim outbox.Claim) (claimed []outbox.Delivery, err error) {
	kind, now := string(claim.Kind), store.Micro(claim.Now)
	var due int
	if err := store.Found(db.Row(ctx, tables.SelectDueDelivery, kind, now).Scan(&due)); err != nil || due == 0 {
		return nil, err
	}
	err = db.Write(ctx, func(tx *Tx) error {
		return tx.Each(func(row tables.Scanner) error {
			d, err := tables.ScanDelivery(row)
			claimed = append(claimed, d)
			return err
		}, claimDeliveries, kind, now, store.Micro(claim.Until), claim.PerDestination, claim.AtMost)
	})
	return claimed, err
}
