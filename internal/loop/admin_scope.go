package loop

import "slices"

// The scopes of the admin API. They open what is the platform's own and no member's
// consent gives: an operator registers them, as service scopes, for a service of Loop's
// that gets its tokens by client_credentials (RFC 6749 §4.4). No app asks a member for them.
const (
	AdminUsers        = "admin:users"         // find members and see their accounts
	AdminSuspendUsers = "admin:users.suspend" // suspend members, and let them in again
	AdminAuditLog     = "admin:audit_log"     // search the audit record
)

// AdminScopes are all of them.
func AdminScopes() []string { return []string{AdminUsers, AdminSuspendUsers, AdminAuditLog} }

// administers reports whether the client is registered for a part of the admin API.
func (c *Client) administers() bool {
	return slices.ContainsFunc(c.Protocol.ServiceScopes, func(name string) bool { return slices.Contains(AdminScopes(), name) })
}
