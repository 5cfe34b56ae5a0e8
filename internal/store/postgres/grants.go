package postgres

import (
	"context"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// LiveGrant reads the live grant of a member to a client; nil where there is none.
func (s *IdentityStore) LiveGrant(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error) {
	return store.Optional(store.ScanGrant(s.db.QueryRow(ctx,
		`SELECT `+store.GrantColumns+` FROM grants WHERE member_id = $1 AND client_id = $2 AND revoked_at = 0`, member, client)))
}

// Grants lists the grants of a member, or of everybody where member is empty,
// newest first, the revoked ones too.
func (s *IdentityStore) Grants(ctx context.Context, member loop.MemberID) ([]*loop.Grant, error) {
	if member == "" {
		return list(ctx, s.db, store.ScanGrant, `SELECT `+store.GrantColumns+` FROM grants ORDER BY id DESC`)
	}
	return list(ctx, s.db, store.ScanGrant, `SELECT `+store.GrantColumns+` FROM grants WHERE member_id = $1 ORDER BY id DESC`, member)
}

// putGrant inserts a grant or brings it to its new state. A grant that is
// revoked ends its chains.
func putGrant(tx *Tx, g *loop.Grant) {
	tx.Exec(`INSERT INTO grants (`+store.GrantColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (member_id, id) DO UPDATE SET scopes = excluded.scopes, declined = excluded.declined,
			updated_at = excluded.updated_at, revoked_at = excluded.revoked_at, reason = excluded.reason`, store.GrantValues(g)...)
	if g.Live() {
		return
	}
	tx.Exec(`UPDATE chains SET ended_at = $1, ending = $2 WHERE member_id = $3 AND grant_id = $4 AND ended_at = 0`,
		store.Micro(g.RevokedAt), loop.EndingRevoked, g.Member, g.ID)
}
