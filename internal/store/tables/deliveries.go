package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/outbox"
	"github.com/loop-health/loop/internal/signin"
	"github.com/loop-health/loop/internal/store"
)

// keptDeliveries is how long a settled delivery is kept, in which no message with
// its id is written again: as long as a session can last, whose end is one.
const keptDeliveries = signin.SessionAtMost

// Clinical's deliveries go to identity, which knows them by their ids for as long as
// they could come twice: they are kept for a day.
const (
	keptForwarded   = 24 * time.Hour
	deleteForwarded = `DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries WHERE settled_at > 0 AND settled_at <= $1 LIMIT $2)`
)

// DeliveryColumns are the columns of a delivery, in the order of ScanDelivery.
const DeliveryColumns = `number, id, kind, destination, order_key, payload, attempts, due_at, claimed_until, settled_at, outcome, failing_since, failure`

const (
	insertDelivery = `INSERT INTO deliveries (id, kind, destination, order_key, payload, due_at, attempts, claimed_until, settled_at, outcome)
		VALUES ($1, $2, $3, $4, $5, $6, 0, 0, 0, '') ON CONFLICT (id) DO NOTHING`
	settleDelivery = `UPDATE deliveries SET attempts = $1, due_at = $2, settled_at = $3, outcome = $4, payload = $5, failing_since = $6, failure = $7, claimed_until = 0
		WHERE number = $8 AND claimed_until = $9 AND settled_at = 0`
	countWaiting = `SELECT kind, count(*), min(due_at) FROM (SELECT kind, due_at FROM deliveries WHERE settled_at = 0 ORDER BY kind, due_at LIMIT $1) AS waiting GROUP BY kind`
)

// AddMessages writes the messages of an act, in its transaction. One whose id is
// there already is not written again.
func AddMessages(tx Tx, messages []outbox.Message) {
	for _, m := range messages {
		tx.Exec(insertDelivery, m.ID, string(m.Kind), m.Destination, m.OrderKey, m.Payload, store.Micro(m.DueAt))
	}
}

// Deliveries is the outbox of a database: every room has one of its own.
type Deliveries struct{ db Database }

// AddMessages writes messages, in a transaction of their own. One whose id is there
// already is not written again.
func (s Deliveries) AddMessages(ctx context.Context, messages []outbox.Message) error {
	return s.db.Do(ctx, func(tx Act) error {
		AddMessages(tx, messages)
		return nil
	})
}

// SettleDelivery ends a claim (outbox.Store).
func (s Deliveries) SettleDelivery(ctx context.Context, d outbox.Delivery, records []audit.Record) error {
	return s.db.Do(ctx, func(tx Act) error {
		tx.One(outbox.ErrClaimLost, settleDelivery, d.Attempts, store.Micro(d.DueAt), store.Micro(d.SettledAt), string(d.Outcome), d.Payload, store.Micro(d.FailingSince), d.Failure, d.Number, store.Micro(d.ClaimedUntil))
		return RecordAll(tx, records)
	})
}

// Waiting counts what is on its way, by kind.
func (s Deliveries) Waiting(ctx context.Context) (map[outbox.Kind]outbox.Waiting, error) {
	waiting := make(map[outbox.Kind]outbox.Waiting)
	err := s.db.Rows(ctx, func(row Scanner) error {
		var kind outbox.Kind
		var of outbox.Waiting
		err := row.Scan(text(&kind), &of.Messages, moment(&of.OldestAt))
		waiting[kind] = of
		return err
	}, countWaiting, outbox.CountedAtMost)
	return waiting, err
}

// SelectDueDelivery finds out whether anything of a kind ($1) is due at a moment
// ($2), before anybody writes a claim.
const SelectDueDelivery = `SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE settled_at = 0 AND kind = $1 AND due_at <= $2 AND claimed_until <= $2 LIMIT 1) AS due`

// WithDestinations begins a statement with the destinations of a kind ($1) that have
// messages on their way: it steps from one to the next by the index, however many
// messages each has.
const WithDestinations = `WITH RECURSIVE destinations (name) AS (
		SELECT (SELECT min(destination) FROM deliveries WHERE settled_at = 0 AND kind = $1)
	UNION ALL
		SELECT (SELECT min(destination) FROM deliveries WHERE settled_at = 0 AND kind = $1 AND destination > name) FROM destinations WHERE name IS NOT NULL)`

// CountClaims counts the claims of a kind ($1) at a destination that run at a moment
// ($2).
const CountClaims = `SELECT count(*) FROM deliveries WHERE settled_at = 0 AND kind = $1 AND destination = destinations.name AND claimed_until > 0 AND claimed_until > $2`

// lookedAt is how many messages of one destination a claim looks at for those that
// may go. Behind so many that wait for an earlier one, others of the same destination
// wait too.
const lookedAt = 200

// SelectReady gives number and due time of the messages of a kind ($1) at a
// destination that are due at a moment ($2) and wait for no earlier one, the longest
// due first. The engine adds how many it takes.
func SelectReady(destination string) string {
	return fmt.Sprintf(`SELECT ready.number, ready.due_at FROM (
			SELECT number, due_at, order_key FROM deliveries
			WHERE settled_at = 0 AND kind = $1 AND destination = %s AND due_at <= $2 AND claimed_until <= $2
			ORDER BY due_at, number LIMIT %d) AS ready
		WHERE ready.order_key = '' OR NOT EXISTS (SELECT 1 FROM deliveries AS earlier
			WHERE earlier.settled_at = 0 AND earlier.kind = $1 AND earlier.order_key = ready.order_key AND earlier.order_key <> '' AND earlier.number < ready.number)
		ORDER BY ready.due_at, ready.number`, destination, lookedAt)
}

// ScanDelivery reads a delivery.
func ScanDelivery(row Scanner) (d outbox.Delivery, err error) {
	err = row.Scan(&d.Number, &d.ID, text(&d.Kind), &d.Destination, &d.OrderKey, &d.Payload, &d.Attempts,
		moment(&d.DueAt), moment(&d.ClaimedUntil), moment(&d.SettledAt), text(&d.Outcome), moment(&d.FailingSince), &d.Failure)
	if err != nil {
		return d, fmt.Errorf("reading a delivery: %w", err)
	}
	return d, nil
}
