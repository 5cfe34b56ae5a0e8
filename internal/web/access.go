package web

import (
	"slices"

	"github.com/loop-health/loop/internal/limit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// Access is what an address needs of a token: a scope that a member allows, or one that a
// service has by its registration.
type Access struct {
	Scope   loop.Scope
	Service string // a service scope in its place; empty: Scope
	Class   limit.Class
	// InForm: the token may come in a form too (RFC 6750 §2.2).
	InForm bool
	// ByCall: what the body asks for decides which scope is needed. The handler judges
	// that, refuses by Lacking, and Scope is only what a challenge names.
	ByCall bool
}

// openedBy reports whether the token has the scope.
func (needs Access) openedBy(token oauth.AccessToken) bool {
	if needs.Service != "" {
		return token.Member == "" && slices.Contains(token.ServiceScopes, needs.Service)
	}
	return needs.ByCall || token.Scopes.Has(needs.Scope)
}

// refusal is the answer to a token without the scope.
func (needs Access) refusal() *loop.Error {
	if needs.Service != "" {
		e := loop.Errorf(loop.InsufficientScope, "This needs the scope %s, which the token does not have. A service that an operator registered for it asks for it with client_credentials.", needs.Service)
		e.Scope = loop.Scopes{loop.Scope(needs.Service)}
		return e
	}
	e := loop.Errorf(loop.InsufficientScope, "This needs the scope %s, which the token does not have. Ask for it at authorization; the member may also have left it out.", needs.Scope)
	e.Scope = loop.NewScopes(needs.Scope)
	return e
}
