package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// Chain reads a chain; loop.ErrNotFound where there is none.
func (s *Identity) Chain(ctx context.Context, member loop.MemberID, id loop.ChainID) (*loop.Chain, error) {
	var c loop.Chain
	err := s.db.QueryRowContext(ctx, `SELECT `+store.ChainColumns+` FROM chains WHERE member_id = ? AND id = ?`, member, id).Scan(store.ChainFields(&c)...)
	if err != nil {
		return nil, store.Found(err)
	}
	return &c, nil
}

func insertChain(tx *Tx, c *loop.Chain) error {
	_, err := tx.Exec(`INSERT INTO chains (`+store.ChainColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, store.ChainValues(c)...)
	return err
}

// updateChain brings a chain to its new state, if it is still as it was read:
// the compare-and-set that lets one of two refreshes win.
func updateChain(tx *Tx, before, after *loop.Chain) error {
	changed, err := tx.Exec(`UPDATE chains SET generation = ?, key_id = ?, rotated_at = ?, rotated_by = ?, rotated_for = ?, idle_expires_at = ?, ended_at = ?, ending = ?, rotated_key = ?
		WHERE member_id = ? AND id = ? AND generation = ?`,
		after.Generation, after.KeyID, store.Micro(after.RotatedAt), after.RotatedBy, after.RotatedFor.String(), store.Micro(after.IdleExpiresAt),
		store.Micro(after.EndedAt), after.Ending, after.RotatedKey, before.Member, before.ID, before.Generation)
	if err == nil && changed != 1 {
		err = fmt.Errorf("the chain changed while it was decided on")
	}
	return err
}

// narrowChains takes from the chains of a grant what the grant has lost, so that a
// later consent does not give it back to them.
func narrowChains(tx *Tx, before, after *loop.Grant) error {
	if before == nil || before.ID != after.ID {
		return nil
	}
	for _, lost := range before.Scopes.Without(after.Scopes) {
		_, err := tx.Exec(`UPDATE chains SET scopes = trim(replace(' ' || scopes || ' ', ' ' || ? || ' ', ' ')) WHERE member_id = ? AND grant_id = ? AND ended_at = 0`,
			lost, after.Member, after.ID)
		if err != nil {
			return err
		}
	}
	return nil
}
