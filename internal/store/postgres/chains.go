package postgres

import (
	"context"
	"errors"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store"
)

// Chain reads a chain; loop.ErrNotFound where there is none.
func (s *IdentityStore) Chain(ctx context.Context, member loop.MemberID, id loop.ChainID) (*loop.Chain, error) {
	var c loop.Chain
	err := s.db.QueryRow(ctx, `SELECT `+store.ChainColumns+` FROM chains WHERE member_id = $1 AND id = $2`, member, id).Scan(store.ChainFields(&c)...)
	if err != nil {
		return nil, store.Found(err)
	}
	return &c, nil
}

// putChain brings a chain to its new state, or begins it and ends those beyond what
// is kept.
func (s *IdentityStore) putChain(tx *Tx, st oauth.State, change oauth.Change) {
	if st.Chain != nil {
		updateChain(tx, st.Chain, change.Chain)
		return
	}
	c := change.Chain
	tx.Exec(`INSERT INTO chains (`+store.ChainColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`, store.ChainValues(c)...)
	// The new one stays, whatever the clock said when the others began.
	tx.Exec(`UPDATE chains SET ended_at = $1, ending = $2 WHERE member_id = $3 AND ended_at = 0 AND id IN (
		SELECT id FROM chains WHERE member_id = $3 AND grant_id = $4 AND ended_at = 0 AND id <> $5 ORDER BY created_at DESC, id DESC OFFSET $6)`,
		store.Micro(s.world.Now()), loop.EndingReplaced, c.Member, c.Grant, c.ID, change.Keep-1)
}

var errChainChanged = store.Unavailable(errors.New("the chain changed while it was decided on"))

// updateChain brings a chain to its new state, if it is still as it was read:
// the compare-and-set that lets one of two refreshes win.
func updateChain(tx *Tx, before, after *loop.Chain) {
	tx.One(errChainChanged, `UPDATE chains SET generation = $1, key_id = $2, rotated_at = $3, rotated_by = $4, rotated_for = $5, idle_expires_at = $6, ended_at = $7, ending = $8, rotated_key = $9
		WHERE member_id = $10 AND id = $11 AND generation = $12`,
		after.Generation, after.KeyID, store.Micro(after.RotatedAt), after.RotatedBy, after.RotatedFor.String(), store.Micro(after.IdleExpiresAt),
		store.Micro(after.EndedAt), after.Ending, after.RotatedKey, before.Member, before.ID, before.Generation)
}

// narrowChains takes from the chains of a grant what the grant has lost, so that a
// later consent does not give it back to them.
func narrowChains(tx *Tx, before, after *loop.Grant) {
	if before == nil || before.ID != after.ID {
		return
	}
	for _, lost := range before.Scopes.Without(after.Scopes) {
		tx.Exec(`UPDATE chains SET scopes = trim(replace(' ' || scopes || ' ', ' ' || $1::text || ' ', ' ')) WHERE member_id = $2 AND grant_id = $3 AND ended_at = 0`,
			lost, after.Member, after.ID)
	}
}
