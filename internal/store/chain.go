package store

import (
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// ChainColumns are the columns of a chain, in the order of ChainFields and ChainValues.
const ChainColumns = `id, grant_id, member_id, client_id, scopes, session_id, auth_time, generation, key_id, salt,
	rotated_at, rotated_by, rotated_for, created_at, idle_expires_at, ended_at, ending, rotated_key, resources, key, asked`

// ChainFields is where the ChainColumns of a row go.
func ChainFields(c *loop.Chain) []any {
	return []any{
		text(&c.ID), text(&c.Grant), text(&c.Member), text(&c.Client), scopes(&c.Scopes), text(&c.Session), moment(&c.AuthTime),
		integer(&c.Generation), integer(&c.KeyID), salt(&c.Salt), moment(&c.RotatedAt), text(&c.RotatedBy), scopes(&c.RotatedFor),
		moment(&c.CreatedAt), moment(&c.IdleExpiresAt), moment(&c.EndedAt), text(&c.Ending),
		text(&c.RotatedKey), words(&c.Resources), text(&c.Key), scopeRequest(&c.AskedFor),
	}
}

// ChainValues is a chain as its columns hold it.
func ChainValues(c *loop.Chain) []any {
	return []any{
		c.ID, c.Grant, c.Member, c.Client, c.Scopes.String(), c.Session, Micro(c.AuthTime), c.Generation, c.KeyID, c.Salt[:],
		Micro(c.RotatedAt), c.RotatedBy, c.RotatedFor.String(), Micro(c.CreatedAt), Micro(c.IdleExpiresAt), Micro(c.EndedAt), c.Ending,
		c.RotatedKey, strings.Join(c.Resources, " "), c.Key, c.AskedFor.String(),
	}
}
