package sqlite

import (
	"fmt"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

const chainColumns = `id, grant_id, member_id, client_id, scopes, session_id, auth_time, generation, key_id, salt,
	rotated_at, rotated_by, rotated_for, created_at, idle_expires_at, ended_at, ending, rotated_key, resources, key`

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

func scanChain(row scanner) (*loop.Chain, error) {
	var (
		c                                          loop.Chain
		scopes, rotatedFor, resources              string
		salt                                       []byte
		auth, rotated, created, idleExpires, ended int64
	)
	err := row.Scan(&c.ID, &c.Grant, &c.Member, &c.Client, &scopes, &c.Session, &auth, &c.Generation, &c.KeyID, &salt,
		&rotated, &c.RotatedBy, &rotatedFor, &created, &idleExpires, &ended, &c.Ending, &c.RotatedKey, &resources, &c.Key)
	if err != nil {
		return nil, found(err)
	}
	if len(salt) != len(c.Salt) {
		return nil, fmt.Errorf("the salt of %s has %d bytes", c.ID, len(salt))
	}
	c.Salt = [16]byte(salt)
	c.Resources = strings.Fields(resources)
	c.Scopes, c.RotatedFor = loop.ReadScopes(scopes), loop.ReadScopes(rotatedFor)
	c.AuthTime, c.RotatedAt, c.CreatedAt = fromMicro(auth), fromMicro(rotated), fromMicro(created)
	c.IdleExpiresAt, c.EndedAt = fromMicro(idleExpires), fromMicro(ended)
	return &c, nil
}
