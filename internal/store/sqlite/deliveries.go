package sqlite

import (
	"context"

	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/store"
	"github.com/loop-health/loop/internal/store/tables"
)

// SQLite can't limit a sub-query by what the outer one found, so a claim asks once
// for each destination: all of it runs in this process, in the one writer's act.
var (
	selectDestinations = tables.WithDestinations + ` SELECT name, (` + tables.CountClaims + `),
		(SELECT min(due_at) FROM deliveries WHERE settled_at = 0 AND kind = $1 AND destination = destinations.name) AS since
		FROM destinations WHERE name IS NOT NULL AND since <= $2 ORDER BY since`
	selectReady = tables.SelectReady("$3") + ` LIMIT $4`
)

const claimDelivery = `UPDATE deliveries SET claimed_until = $1 WHERE number = $2 RETURNING ` + tables.DeliveryColumns

// ClaimDeliveries hands out messages that are due (outbox.Store). Where none is, it
// writes nothing.
func (s *Identity) ClaimDeliveries(ctx context.Context, claim outbox.Claim) ([]outbox.Delivery, error) {
	return claimDeliveries(ctx, s.db, claim)
}

// ClaimDeliveries hands out messages that are due (outbox.Store).
func (s *Clinical) ClaimDeliveries(ctx context.Context, claim outbox.Claim) ([]outbox.Delivery, error) {
	return claimDeliveries(ctx, s.db, claim)
}

func claimDeliveries(ctx context.Context, db *Database, claim outbox.Claim) (claimed []outbox.Delivery, err error) {
	var due int
	if err := store.Found(db.Row(ctx, tables.SelectDueDelivery, string(claim.Kind), store.Micro(claim.Now)).Scan(&due)); err != nil || due == 0 {
		return nil, err
	}
	err = db.Write(ctx, func(tx *Tx) error {
		claimed, err = claimDue(tx, claim)
		return err
	})
	return claimed, err
}

// destination is who has messages that are due, with how many claims on its messages
// run.
type destination struct {
	name   string
	claims int
}

func claimDue(tx *Tx, claim outbox.Claim) (claimed []outbox.Delivery, err error) {
	kind, now := string(claim.Kind), store.Micro(claim.Now)
	var destinations []destination
	err = tx.Each(func(row tables.Scanner) error {
		var d destination
		var since int64
		err := row.Scan(&d.name, &d.claims, &since)
		destinations = append(destinations, d)
		return err
	}, selectDestinations, kind, now)
	for _, d := range destinations {
		room := min(claim.PerDestination-d.claims, claim.AtMost-len(claimed))
		if err != nil || room <= 0 {
			continue
		}
		var ready []int64
		err = tx.Each(func(row tables.Scanner) error {
			var number, due int64
			err := row.Scan(&number, &due)
			ready = append(ready, number)
			return err
		}, selectReady, kind, now, d.name, room)
		for _, number := range ready {
			tx.Then(func(row tables.Scanner) error {
				d, err := tables.ScanDelivery(row)
				claimed = append(claimed, d)
				return err
			}, claimDelivery, store.Micro(claim.Until), number)
		}
	}
	return claimed, err
}
