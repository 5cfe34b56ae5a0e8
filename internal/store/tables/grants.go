package tables

import (
	"context"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// GrantColumns are the columns of a grant, in the order of GrantFields.
const GrantColumns = `id, member_id, client_id, app_name, scopes, declined, created_at, updated_at, revoked_at, reason, ends_at`

const (
	selectLiveGrant     = `SELECT ` + GrantColumns + ` FROM grants WHERE member_id = $1 AND client_id = $2 AND revoked_at = 0`
	selectGrants        = `SELECT ` + GrantColumns + ` FROM grants ORDER BY id DESC`
	selectGrantsOf      = `SELECT ` + GrantColumns + ` FROM grants WHERE member_id = $1 ORDER BY id DESC`
	insertOrUpdateGrant = `INSERT INTO grants (` + GrantColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (member_id, id) DO UPDATE SET app_name = excluded.app_name, scopes = excluded.scopes, declined = excluded.declined,
			updated_at = excluded.updated_at, revoked_at = excluded.revoked_at, reason = excluded.reason,
			ends_at = excluded.ends_at`
	// The condition is that of the index grants_by_end.
	selectOverGrants = `SELECT id FROM grants WHERE ends_at > 0 AND revoked_at = 0 AND ends_at <= $1 ORDER BY ends_at LIMIT $2`
	endAllGrants     = `UPDATE grants SET revoked_at = $1, updated_at = $1, reason = $2 WHERE revoked_at = 0`
)

// LiveGrant reads the live grant of a member to a client; nil where there is none.
func (s Identity) LiveGrant(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error) {
	return store.Optional(scanGrant(s.db.Row(ctx, selectLiveGrant, member, client)))
}

// Grants lists the grants of a member, or of everybody where member is empty,
// newest first, the revoked ones too.
func (s Identity) Grants(ctx context.Context, member loop.MemberID) ([]*loop.Grant, error) {
	if member == "" {
		return list(ctx, s.db, scanGrant, selectGrants)
	}
	return list(ctx, s.db, scanGrant, selectGrantsOf, member)
}

// OverGrants gives grants whose end came at or before a moment and that nobody has
// revoked yet, the earliest end first.
func (s Identity) OverGrants(ctx context.Context, at time.Time, atMost int) ([]loop.GrantID, error) {
	return list(ctx, s.db, func(row Scanner) (id loop.GrantID, err error) {
		err = row.Scan((*string)(&id))
		return id, err
	}, selectOverGrants, store.Micro(at), atMost)
}

// putGrant inserts a grant or brings it to its new state. A grant that is revoked
// ends its chains.
func putGrant(tx Tx, g *loop.Grant) {
	tx.Exec(insertOrUpdateGrant, grantValues(g)...)
	if !g.RevokedAt.IsZero() {
		tx.Exec(endChainsOfGrant, store.Micro(g.RevokedAt), loop.EndingRevoked, g.Member, g.ID)
	}
}

func scanGrant(row Scanner) (*loop.Grant, error) {
	var g loop.Grant
	if err := row.Scan(GrantFields(&g)...); err != nil {
		return nil, store.Found(err)
	}
	return &g, nil
}

// GrantFields is where the GrantColumns of a row go.
func GrantFields(g *loop.Grant) []any {
	return []any{
		text(&g.ID), text(&g.Member), text(&g.Client), text(&g.AppName), scopes(&g.Scopes), scopes(&g.Declined),
		moment(&g.CreatedAt), moment(&g.UpdatedAt), moment(&g.RevokedAt), text(&g.Reason), moment(&g.EndsAt),
	}
}

func grantValues(g *loop.Grant) []any {
	return []any{
		g.ID, g.Member, g.Client, g.AppName, g.Scopes.String(), g.Declined.String(), store.Micro(g.CreatedAt), store.Micro(g.UpdatedAt), store.Micro(g.RevokedAt), g.Reason,
		store.Micro(g.EndsAt),
	}
}
