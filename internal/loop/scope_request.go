package loop

import (
	"slices"
	"strings"
)

// maxScopeLength bounds the scope parameter; the whole registry fits many times, and
// so does what apps of SMART App Launch ask for.
const maxScopeLength = 2048

// ScopeRequest is what a scope parameter asks for.
type ScopeRequest struct {
	Own     Scopes       // by the registry's names
	Smart   []SmartScope // by the names of SMART App Launch
	Offline bool         // offline_access is among the names
}

// Scopes is all that is asked for, by whatever name.
func (r ScopeRequest) Scopes() Scopes {
	opened := slices.Clone(r.Own)
	for _, smart := range r.Smart {
		opened = append(opened, smart.Opens)
	}
	return NewScopes(opened...)
}

// Within is the part of the request that these scopes allow. A name that opens
// nothing by itself stays while anything does.
func (r ScopeRequest) Within(granted Scopes) ScopeRequest {
	allowed := ScopeRequest{Own: r.Own.And(granted), Offline: r.Offline}
	if len(r.Scopes().And(granted)) == 0 {
		return allowed
	}
	for _, smart := range r.Smart {
		if smart.Opens == "" || granted.Has(smart.Opens) {
			allowed.Smart = append(allowed.Smart, smart)
		}
	}
	return allowed
}

// And adds scopes to what is asked for by the registry's names, where they are not in
// the request by any name.
func (r ScopeRequest) And(more Scopes) ScopeRequest {
	r.Own = r.Own.Or(more.Without(r.Scopes()))
	return r
}

// Asks reports whether a name of SMART App Launch is in the request.
func (r ScopeRequest) Asks(smart string) bool {
	return slices.ContainsFunc(r.Smart, func(s SmartScope) bool { return s.Name == smart })
}

// OfPatient reports whether the request is for one patient by SMART App Launch, whom
// the answer then names.
func (r ScopeRequest) OfPatient() bool {
	return slices.ContainsFunc(r.Smart, func(s SmartScope) bool { return s.Name != SmartUser })
}

// String is the request as on the wire.
func (r ScopeRequest) String() string {
	var names []string
	for _, scope := range r.Own {
		names = append(names, string(scope))
	}
	for _, smart := range r.Smart {
		names = append(names, smart.Name)
	}
	if r.Offline {
		names = append(names, string(ScopeOfflineAccess))
	}
	return strings.Join(names, " ")
}

// add takes in a name; false where there is none such.
func (r *ScopeRequest) add(name string) bool {
	scope := Scope(name)
	if _, known := scope.Info(); known {
		r.Own = NewScopes(append(r.Own, scope)...)
		return true
	}
	if scope == ScopeOfflineAccess {
		r.Offline = true
		return true
	}
	found, smart := readSmart(name)
	for _, one := range found {
		if !slices.Contains(r.Smart, one) {
			r.Smart = append(r.Smart, one)
		}
	}
	return smart
}

// ReadScopeRequest reads what String wrote; a name that is known no more is gone from
// it.
func ReadScopeRequest(text string) ScopeRequest {
	var r ScopeRequest
	for name := range strings.FieldsSeq(text) {
		r.add(name)
	}
	return r
}

// ParseScopes reads a scope parameter: names separated by single spaces (RFC
// 6749 §3.3). An unknown name is InvalidScope.
func ParseScopes(text string) (ScopeRequest, error) {
	if text == "" {
		return ScopeRequest{}, Errorf(InvalidScope, "The scope parameter is missing. Name the scopes that the app needs, separated by spaces.").About("scope")
	}
	if len(text) > maxScopeLength {
		return ScopeRequest{}, Errorf(InvalidScope, "The scope parameter is longer than %d characters.", maxScopeLength).About("scope")
	}
	var (
		r       ScopeRequest
		unknown []string
	)
	for name := range strings.SplitSeq(text, " ") {
		if !r.add(name) {
			unknown = append(unknown, name)
		}
	}
	if unknown != nil {
		return ScopeRequest{}, unknownScopes(unknown)
	}
	return r, nil
}
