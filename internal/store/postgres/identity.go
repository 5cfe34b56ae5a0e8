package postgres

import "github.com/loop-health/loop/internal/oauth"

// IdentityStore keeps clients, members, grants and chains, and changes what all
// roles share.
type IdentityStore struct{ *Commons }

// NewIdentity makes the store of a database that was opened with Identity.
func NewIdentity(db *Database, revocations *oauth.Revocations) *IdentityStore {
	return &IdentityStore{NewCommons(db, revocations)}
}
