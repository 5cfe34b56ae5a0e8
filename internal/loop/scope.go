package loop

import (
	"slices"
	"strings"
)

// Scope is one permission, <verb>:<resource> or one of OpenID Connect's words.
type Scope string

// The scopes that something serves. A scope that opens nothing is not offered.
const (
	ScopeOpenID              Scope = "openid"
	ScopeProfile             Scope = "profile"
	ScopeEmail               Scope = "email"
	ScopeReadAccount         Scope = "read:account"
	ScopeManageConnectedApps Scope = "manage:connected_apps"
	ScopeReadDemographics    Scope = "read:demographics"
	ScopeReadBiomarkers      Scope = "read:biomarkers"
	ScopeWriteBiomarkers     Scope = "write:biomarkers"
)

// ScopeOfflineAccess may be asked for and changes nothing: a refresh token always
// comes. It is no permission, so no set of scopes holds it; an answer to who asked
// for it names it (SMART App Launch, OpenID Connect Core §11).
const ScopeOfflineAccess Scope = "offline_access"

// ScopeInfo is a row of the registry.
type ScopeInfo struct {
	Scope Scope
	PHI   bool // opens protected health information; needs a BAA outside development
}

// registry is the one table of scopes, in the order in which pages show them.
// Adding a scope is adding a row, and its texts in package locale.
var registry = []ScopeInfo{
	{Scope: ScopeOpenID},
	{Scope: ScopeProfile},
	{Scope: ScopeEmail},
	{Scope: ScopeReadAccount},
	{Scope: ScopeManageConnectedApps},
	{Scope: ScopeReadDemographics, PHI: true},
	{Scope: ScopeReadBiomarkers, PHI: true},
	{Scope: ScopeWriteBiomarkers, PHI: true},
}

// ScopeRegistry lists every scope that the platform knows, in display order.
func ScopeRegistry() []ScopeInfo { return slices.Clone(registry) }

// Info finds the registry's row for the scope.
func (s Scope) Info() (ScopeInfo, bool) {
	i := slices.IndexFunc(registry, func(row ScopeInfo) bool { return row.Scope == s })
	if i < 0 {
		return ScopeInfo{}, false
	}
	return registry[i], true
}

// Scopes is a set of registered scopes in the registry's order, so that equal
// sets are equal slices.
type Scopes []Scope

// NewScopes makes a set of the given scopes; one that is not in the registry is
// left out.
func NewScopes(scopes ...Scope) Scopes {
	var set Scopes
	for _, row := range registry {
		if slices.Contains(scopes, row.Scope) {
			set = append(set, row.Scope)
		}
	}
	return set
}

// ReadScopes reads a set that String wrote; a scope that the registry no longer
// has is gone from it.
func ReadScopes(text string) Scopes {
	var named []Scope
	for name := range strings.FieldsSeq(text) {
		named = append(named, Scope(name))
	}
	return NewScopes(named...)
}

// String joins the scopes with spaces, as on the wire.
func (s Scopes) String() string {
	names := make([]string, len(s))
	for i, scope := range s {
		names[i] = string(scope)
	}
	return strings.Join(names, " ")
}

// Has reports whether the set holds the scope.
func (s Scopes) Has(scope Scope) bool { return slices.Contains(s, scope) }

// HasAll reports whether the set holds each of the others.
func (s Scopes) HasAll(others Scopes) bool { return len(others.Without(s)) == 0 }

// And is what both sets hold.
func (s Scopes) And(others Scopes) Scopes {
	return s.filter(others.Has)
}

// Without is what the set holds and the others don't.
func (s Scopes) Without(others Scopes) Scopes {
	return s.filter(func(scope Scope) bool { return !others.Has(scope) })
}

// Or is what either set holds.
func (s Scopes) Or(others Scopes) Scopes {
	return NewScopes(append(slices.Clone(s), others...)...)
}

// PHI is the part of the set that opens protected health information.
func (s Scopes) PHI() Scopes {
	return s.filter(func(scope Scope) bool {
		info, _ := scope.Info()
		return info.PHI
	})
}

func (s Scopes) filter(keep func(Scope) bool) Scopes {
	var kept Scopes
	for _, scope := range s {
		if keep(scope) {
			kept = append(kept, scope)
		}
	}
	return kept
}
