package sqlite

import (
	"context"
	"fmt"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

const chainColumns = `id, grant_id, member_id, client_id, scopes, session_id, auth_time, generation, key_id, salt,
	rotated_at, rotated_by, rotated_for, created_at, idle_expires_at, ended_at, ending, rotated_key, resources, key`

// Chain reads a chain; loop.ErrNotFound where there is none.
func (s *Identity) Chain(ctx context.Context, member loop.MemberID, id loop.ChainID) (*loop.Chain, error) {
	var c loop.Chain
	err := s.db.QueryRowContext(ctx, `SELECT `+chainColumns+` FROM chains WHERE member_id = ? AND id = ?`, member, id).Scan(chainFields(&c)...)
	if err != nil {
		return nil, found(err)
	}
	return &c, nil
}

func insertChain(tx *Tx, c *loop.Chain) error {
	_, err := tx.Exec(`INSERT INTO chains (`+chainColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		c.ID, c.Grant, c.Member, c.Client, c.Scopes.String(), c.Session, unixMicro(c.AuthTime), c.Generation, c.KeyID, c.Salt[:],
		unixMicro(c.RotatedAt), c.RotatedBy, c.RotatedFor.String(), unixMicro(c.CreatedAt), unixMicro(c.IdleExpiresAt), unixMicro(c.EndedAt), c.Ending,
		c.RotatedKey, strings.Join(c.Resources, " "), c.Key)
	return err
}

// updateChain brings a chain to its new state, if it is still as it was read:
// the compare-and-set that lets one of two refreshes win.
func updateChain(tx *Tx, before, after *loop.Chain) error {
	changed, err := tx.Exec(`UPDATE chains SET generation = ?, key_id = ?, rotated_at = ?, rotated_by = ?, rotated_for = ?, idle_expires_at = ?, ended_at = ?, ending = ?, rotated_key = ?
		WHERE member_id = ? AND id = ? AND generation = ?`,
		after.Generation, after.KeyID, unixMicro(after.RotatedAt), after.RotatedBy, after.RotatedFor.String(), unixMicro(after.IdleExpiresAt),
		unixMicro(after.EndedAt), after.Ending, after.RotatedKey, before.Member, before.ID, before.Generation)
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

// chainFields is where the chainColumns of a row go.
func chainFields(c *loop.Chain) []any {
	return []any{
		text(&c.ID), text(&c.Grant), text(&c.Member), text(&c.Client), scopes(&c.Scopes), text(&c.Session), moment(&c.AuthTime),
		integer(&c.Generation), integer(&c.KeyID), salt(&c.Salt), moment(&c.RotatedAt), text(&c.RotatedBy), scopes(&c.RotatedFor),
		moment(&c.CreatedAt), moment(&c.IdleExpiresAt), moment(&c.EndedAt), text(&c.Ending),
		text(&c.RotatedKey), words(&c.Resources), text(&c.Key),
	}
}
