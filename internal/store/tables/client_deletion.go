package tables

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	ofPage            = ` AND (member_id, id) > ($4, $5) AND (member_id, id) <= ($6, $7)`
	endGrantsOfClient = `UPDATE grants SET revoked_at = $1, updated_at = $1, reason = $2 WHERE client_id = $3 AND revoked_at = 0` + ofPage
	endChainsOfClient = `UPDATE chains SET ended_at = $1, ending = $2 WHERE client_id = $3 AND ended_at = 0` + ofPage
	deleteClient      = `DELETE FROM clients WHERE id = $1`
)

// reasonDeleted is why the grants of a deleted app ended.
const reasonDeleted = "the app was deleted"

// What else is kept of an app, by tables with a column client_id. Grants, chains and
// records stay: they are the members'. Pushed requests, which nobody can use any more,
// end by themselves.
var ofClient = []string{"client_secrets", "pictures", "assertions", "request_batches", "request_hours"}

// DeleteClient deletes what is kept of a client; loop.ErrNotFound where there is none.
// The cache gives nobody the client from before, from now until the transaction is over.
func DeleteClient(tx Act, cache *store.ClientCache, id loop.ClientID) {
	tx.AtEnd(cache.Change(id))
	for _, table := range ofClient {
		tx.Exec(`DELETE FROM `+table+` WHERE client_id = $1`, id)
	}
	tx.One(loop.ErrNotFound, deleteClient, id)
}

// EndGivenTo ends what members gave to a client that is gone (registration.Store). It
// looks through all grants and chains, a page a transaction: an app can have been allowed
// by everybody.
func (s Identity) EndGivenTo(ctx context.Context, id loop.ClientID, at time.Time) error {
	err := s.inPages(ctx, "grants", func(tx Act, p keyRange) {
		tx.Exec(endGrantsOfClient, store.Micro(at), reasonDeleted, id, p.member, p.id, p.lastMember, p.lastID)
	})
	if err != nil {
		return err
	}
	return s.inPages(ctx, "chains", func(tx Act, p keyRange) {
		tx.Exec(endChainsOfClient, store.Micro(at), loop.EndingRevoked, id, p.member, p.id, p.lastMember, p.lastID)
	})
}
