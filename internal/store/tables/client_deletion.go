package tables

import (
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

const (
	endGrantsOfClient = `UPDATE grants SET revoked_at = $1, updated_at = $1, reason = $2 WHERE client_id = $3 AND revoked_at = 0`
	endChainsOfClient = `UPDATE chains SET ended_at = $1, ending = $2 WHERE client_id = $3 AND ended_at = 0`
	deleteClient      = `DELETE FROM clients WHERE id = $1`
)

// reasonDeleted is why the grants of a deleted app ended.
const reasonDeleted = "the app was deleted"

// What else is kept of an app, by tables with a column client_id. Grants, chains and
// records stay: they are the members'.
var ofClient = []string{"client_secrets", "pictures", "assertions", "pushed_requests", "request_batches", "request_hours"}

// DeleteClient ends what a client was given and deletes what is kept of it;
// loop.ErrNotFound where there is none. The cache gives nobody the client from before,
// from now until the transaction is over.
func DeleteClient(tx Act, cache *store.ClientCache, id loop.ClientID, at time.Time) {
	tx.AtEnd(cache.Change(id))
	for _, table := range ofClient {
		tx.Exec(`DELETE FROM `+table+` WHERE client_id = $1`, id)
	}
	tx.Exec(endGrantsOfClient, store.Micro(at), reasonDeleted, id)
	tx.Exec(endChainsOfClient, store.Micro(at), loop.EndingRevoked, id)
	tx.One(loop.ErrNotFound, deleteClient, id)
}
