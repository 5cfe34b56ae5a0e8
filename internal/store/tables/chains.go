package tables

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// ChainColumns are the columns of a chain, in the order of ChainFields.
const ChainColumns = `id, grant_id, member_id, client_id, scopes, session_id, auth_time, generation, key_id, salt,
	rotated_at, rotated_by, rotated_for, created_at, idle_expires_at, ended_at, ending, rotated_key, resources, key, asked, methods, acr, rotated_rev`

const (
	selectChain = `SELECT ` + ChainColumns + ` FROM chains WHERE member_id = $1 AND id = $2`
	insertChain = `INSERT INTO chains (` + ChainColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)`
	updateChain = `UPDATE chains SET generation = $1, key_id = $2, rotated_at = $3, rotated_by = $4, rotated_for = $5, idle_expires_at = $6,
			ended_at = $7, ending = $8, rotated_key = $9, rotated_rev = $10
		WHERE member_id = $11 AND id = $12 AND generation = $13`
	endChainsOfGrant = `UPDATE chains SET ended_at = $1, ending = $2 WHERE member_id = $3 AND grant_id = $4 AND ended_at = 0`
	endAllChains     = `UPDATE chains SET ended_at = $1, ending = $2 WHERE ended_at = 0`
	// One engine takes no OFFSET without a LIMIT: there are never as many chains.
	endOlderChains = `UPDATE chains SET ended_at = $1, ending = $2 WHERE member_id = $3 AND ended_at = 0 AND id IN (
		SELECT id FROM chains WHERE member_id = $3 AND grant_id = $4 AND ended_at = 0 AND id <> $5
		ORDER BY created_at DESC, id DESC LIMIT 1000000 OFFSET $6)`
	takeScopeFromChains = `UPDATE chains SET scopes = trim(replace(' ' || scopes || ' ', ' ' || CAST($1 AS text) || ' ', ' '))
		WHERE member_id = $2 AND grant_id = $3 AND ended_at = 0`
)

// Chain reads a chain; loop.ErrNotFound where there is none.
func (s Identity) Chain(ctx context.Context, member loop.MemberID, id loop.ChainID) (*loop.Chain, error) {
	var c loop.Chain
	if err := s.db.Row(ctx, selectChain, member, id).Scan(ChainFields(&c)...); err != nil {
		return nil, store.Found(err)
	}
	return &c, nil
}

// startChain begins a chain and ends the oldest of its grant's others, so that as
// many are left as are kept. The new one stays, whatever the clock said when the
// others began.
func startChain(tx Tx, now time.Time, c *loop.Chain, keep int) {
	tx.Exec(insertChain, chainValues(c)...)
	tx.Exec(endOlderChains, store.Micro(now), loop.EndingReplaced, c.Member, c.Grant, c.ID, keep-1)
}

// errChainChanged ends a decision on a chain that was not as it was read. Nothing
// was written, and the next attempt finds the chain as it is.
var errChainChanged = store.Unavailable(errors.New("the chain changed while it was decided on"))

// rotateChain brings a chain to its new state, if it is still as it was read: the
// compare-and-set that lets one of two refreshes win.
func rotateChain(tx Tx, before, after *loop.Chain) {
	tx.One(errChainChanged, updateChain,
		after.Generation, int64(after.KeyID), store.Micro(after.RotatedAt), string(after.RotatedBy), after.RotatedFor.String(), store.Micro(after.IdleExpiresAt),
		store.Micro(after.EndedAt), string(after.Ending), after.RotatedKey, int64(after.RotatedRev), string(before.Member), string(before.ID), before.Generation) //nolint:gosec // G115: a counter
}

// narrowChains takes from the chains of a grant what the grant has lost, so that a
// later consent does not give it back to them.
func narrowChains(tx Tx, before, after *loop.Grant) {
	if before == nil || before.ID != after.ID {
		return
	}
	for _, lost := range before.Scopes.Without(after.Scopes) {
		tx.Exec(takeScopeFromChains, lost, after.Member, after.ID)
	}
}

// ChainFields is where the ChainColumns of a row go.
func ChainFields(c *loop.Chain) []any {
	return []any{
		text(&c.ID), text(&c.Grant), text(&c.Member), text(&c.Client), scopes(&c.Scopes), text(&c.Session), moment(&c.Authentication.At),
		integer(&c.Generation), integer(&c.KeyID), salt(&c.Salt), moment(&c.RotatedAt), text(&c.RotatedBy), scopes(&c.RotatedFor),
		moment(&c.CreatedAt), moment(&c.IdleExpiresAt), moment(&c.EndedAt), text(&c.Ending),
		text(&c.RotatedKey), words(&c.Resources), text(&c.Key), scopeRequest(&c.AskedFor), methods(&c.Authentication.Methods), text(&c.Authentication.Asked),
		integer(&c.RotatedRev),
	}
}

func chainValues(c *loop.Chain) []any {
	return []any{
		c.ID, c.Grant, c.Member, c.Client, c.Scopes.String(), c.Session, store.Micro(c.Authentication.At), c.Generation, c.KeyID, c.Salt[:],
		store.Micro(c.RotatedAt), c.RotatedBy, c.RotatedFor.String(), store.Micro(c.CreatedAt), store.Micro(c.IdleExpiresAt), store.Micro(c.EndedAt), c.Ending,
		c.RotatedKey, strings.Join(c.Resources, " "), c.Key, c.AskedFor.String(), c.Authentication.Methods.String(), c.Authentication.Asked,
		int64(c.RotatedRev), //nolint:gosec // G115: a counter
	}
}
