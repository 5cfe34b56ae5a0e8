package postgres

import (
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/store/tables"
)

// IdentityStore keeps clients, members, grants and chains, and changes what all
// roles share.
type IdentityStore struct {
	*Commons
	tables.Identity
	decisions *gathering[*decision]
}

// NewIdentity makes the store of a database that was opened with Identity.
func NewIdentity(db *Database, keys tables.PersonKeys, revocations *oauth.Revocations) *IdentityStore {
	c := NewCommons(db, revocations)
	s := &IdentityStore{Commons: c, Identity: tables.NewIdentity(db, c.world, c.cache, keys)}
	s.decisions = s.newDecisions()
	return s
}
