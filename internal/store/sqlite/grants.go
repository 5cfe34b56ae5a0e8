package sqlite

import (
	"context"
	"fmt"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/store"
)

// LiveGrant reads the live grant of a member to a client; nil where there is none.
func (s *Identity) LiveGrant(ctx context.Context, member loop.MemberID, client loop.ClientID) (*loop.Grant, error) {
	return store.Optional(store.ScanGrant(s.db.QueryRowContext(ctx,
		`SELECT `+store.GrantColumns+` FROM grants WHERE member_id = ? AND client_id = ? AND revoked_at = 0`, member, client)))
}

// Grants lists the grants of a member, or of everybody where member is empty,
// newest first, the revoked ones too.
func (s *Identity) Grants(ctx context.Context, member loop.MemberID) ([]*loop.Grant, error) {
	query, args := `SELECT `+store.GrantColumns+` FROM grants ORDER BY id DESC`, []any(nil)
	if member != "" {
		query, args = `SELECT `+store.GrantColumns+` FROM grants WHERE member_id = ? ORDER BY id DESC`, []any{member}
	}
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing grants: %w", err)
	}
	defer rows.Close() //nolint:errcheck // reading: Err says what went wrong
	var grants []*loop.Grant
	for rows.Next() {
		grant, err := store.ScanGrant(rows)
		if err != nil {
			return nil, err
		}
		grants = append(grants, grant)
	}
	return grants, rows.Err()
}

// putGrant inserts a grant or brings it to its new state. A grant that is
// revoked ends its chains.
func putGrant(tx *Tx, g *loop.Grant) error {
	_, err := tx.Exec(`INSERT INTO grants (`+store.GrantColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (member_id, id) DO UPDATE SET scopes = excluded.scopes, declined = excluded.declined,
			updated_at = excluded.updated_at, revoked_at = excluded.revoked_at, reason = excluded.reason`, store.GrantValues(g)...)
	if err != nil || g.Live() {
		return err
	}
	_, err = tx.Exec(`UPDATE chains SET ended_at = ?, ending = ? WHERE member_id = ? AND grant_id = ? AND ended_at = 0`,
		store.Micro(g.RevokedAt), loop.EndingRevoked, g.Member, g.ID)
	return err
}
