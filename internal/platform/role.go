package platform

import "github.com/loop-health/loop/internal/store/postgres"

// Role is which of the hosts a process serves. Any number of processes of each may
// run on one PostgreSQL database; on SQLite one process serves all.
type Role string

// The roles.
const (
	RoleAll        Role = "all"
	RoleIdentity   Role = "identity"
	RoleClinical   Role = "clinical"
	RoleDevelopers Role = "developers"
)

// Serves reports whether a process serves the host of a role.
func (r Role) Serves(host Role) bool { return r == host || r.isAll() }

// keepsIdentity reports whether a process works on what identity keeps. The portal
// does, too; clinical reads nothing of it.
func (r Role) keepsIdentity() bool { return r != RoleClinical }

// keepsClinical reports whether a process works on what clinical keeps.
func (r Role) keepsClinical() bool { return r.Serves(RoleClinical) }

func (r Role) isAll() bool { return r == RoleAll || r == "" }

// Schemas are those of a PostgreSQL database that a process of the role writes to.
func (r Role) Schemas() (all []postgres.Schema) {
	if r.keepsIdentity() {
		all = append(all, postgres.Identity)
	}
	if r.keepsClinical() {
		all = append(all, postgres.Clinical)
	}
	return append(all, postgres.MemberKeys)
}
