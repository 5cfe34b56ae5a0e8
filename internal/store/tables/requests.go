package tables

import (
	"context"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/requestlog"
	"github.com/loop-health/loop/internal/store"
)

// A batch is known by how many entries of its ring were stored up to its end ($1 and
// $2 name the ring), so that what the ring has no room for is found by one comparison.
// Two processes may store at the same moment: their batches then have the same end,
// and both stay.
const (
	insertRequests = `INSERT INTO request_batches (client_id, claimed, stored, first_request, at, entries)
		VALUES ($1, $2, (SELECT coalesce(max(stored), 0) FROM request_batches WHERE client_id = $1 AND claimed = $2) + $3, $4, $5, $6)`
	dropRequests = `DELETE FROM request_batches WHERE client_id = $1 AND claimed = $2
		AND stored <= (SELECT max(stored) FROM request_batches WHERE client_id = $1 AND claimed = $2) - $3`
	selectRequests = `SELECT claimed, entries FROM request_batches WHERE client_id = $1 ORDER BY claimed, stored DESC, first_request`

	addToHour = `INSERT INTO request_hours AS h (client_id, hour, answered, refused, failed, refreshed) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (client_id, hour) DO UPDATE SET answered = h.answered + excluded.answered, refused = h.refused + excluded.refused,
			failed = h.failed + excluded.failed, refreshed = h.refreshed + excluded.refreshed`
	selectHours = `SELECT hour, answered, refused, failed, refreshed FROM request_hours WHERE client_id = $1 AND hour >= $2 ORDER BY hour`
)

// AppendRequests stores what apps sent (requestlog.Store).
func (s Identity) AppendRequests(ctx context.Context, batches []requestlog.Batch, hours []requestlog.Hour) error {
	return appendRequests(ctx, s.db, batches, hours)
}

// AppendRequests stores what apps sent (requestlog.Store).
func (s Clinical) AppendRequests(ctx context.Context, batches []requestlog.Batch, hours []requestlog.Hour) error {
	return appendRequests(ctx, s.db, batches, hours)
}

func appendRequests(ctx context.Context, db Database, batches []requestlog.Batch, hours []requestlog.Hour) error {
	return db.Do(ctx, func(tx Act) error {
		for _, b := range batches {
			if err := appendBatch(tx, b); err != nil {
				return err
			}
		}
		for _, h := range hours {
			tx.Exec(addToHour, h.Client, store.Micro(h.Begin), h.Answered, h.Refused, h.Failed, h.Refreshed)
		}
		return nil
	})
}

func appendBatch(tx Tx, b requestlog.Batch) error {
	text, err := b.Encode()
	if err != nil {
		return fmt.Errorf("encoding requests: %w", err)
	}
	claimed, most := 0, requestlog.Kept
	if b.Claimed {
		claimed, most = 1, requestlog.KeptClaimed
	}
	tx.Exec(insertRequests, b.Client, claimed, len(b.Entries), b.Entries[0].Request, store.Micro(b.At()), text)
	tx.Exec(dropRequests, b.Client, claimed, most)
	return nil
}

// RequestBatches gives what an app sent (requestlog.Store).
func (s Identity) RequestBatches(ctx context.Context, client loop.ClientID) ([]requestlog.Batch, error) {
	return list(ctx, s.db, func(row Scanner) (requestlog.Batch, error) {
		var claimed int
		var text []byte
		if err := row.Scan(&claimed, &text); err != nil {
			return requestlog.Batch{}, err
		}
		return requestlog.DecodeBatch(client, claimed == 1, text)
	}, selectRequests, client)
}

// RequestHours counts what an app sent (requestlog.Store).
func (s Identity) RequestHours(ctx context.Context, client loop.ClientID, since time.Time) ([]requestlog.Hour, error) {
	return list(ctx, s.db, func(row Scanner) (requestlog.Hour, error) {
		h := requestlog.Hour{Client: client}
		err := row.Scan(moment(&h.Begin), &h.Answered, &h.Refused, &h.Failed, &h.Refreshed)
		return h, err
	}, selectHours, client, store.Micro(since))
}
