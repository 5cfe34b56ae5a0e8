package store

import "github.com/loop-health/loop/internal/loop"

// GrantColumns are the columns of a grant, in the order of GrantFields and GrantValues.
const GrantColumns = `id, member_id, client_id, scopes, declined, created_at, updated_at, revoked_at, reason`

// ScanGrant reads a grant; loop.ErrNotFound where there is none.
func ScanGrant(row Scanner) (*loop.Grant, error) {
	var g loop.Grant
	if err := row.Scan(GrantFields(&g)...); err != nil {
		return nil, Found(err)
	}
	return &g, nil
}

// GrantFields is where the GrantColumns of a row go.
func GrantFields(g *loop.Grant) []any {
	return []any{
		text(&g.ID), text(&g.Member), text(&g.Client), scopes(&g.Scopes), scopes(&g.Declined),
		moment(&g.CreatedAt), moment(&g.UpdatedAt), moment(&g.RevokedAt), text(&g.Reason),
	}
}

// GrantValues is a grant as its columns hold it.
func GrantValues(g *loop.Grant) []any {
	return []any{
		g.ID, g.Member, g.Client, g.Scopes.String(), g.Declined.String(), Micro(g.CreatedAt), Micro(g.UpdatedAt), Micro(g.RevokedAt), g.Reason,
	}
}
