package locale

import "github.com/loop-health/loop/internal/loop"

// ScopeTitle is what an app with the scope may do, as a phrase of its own.
func (l *Language) ScopeTitle(s loop.Scope) string { return l.Text("scope." + scopeName(s) + ".title") }

// ScopeDetail is a line of what a scope means in practice.
func (l *Language) ScopeDetail(s loop.Scope) string {
	return l.Text("scope." + scopeName(s) + ".detail")
}

// scopeName is a scope as a part of a key. Keys have no colon.
func scopeName(s loop.Scope) string {
	name := []byte(s)
	for i, c := range name {
		if c == ':' {
			name[i] = '_'
		}
	}
	return string(name)
}

// ScopeCannot is what an app without the scope can't do.
func (l *Language) ScopeCannot(s loop.Scope) string {
	return l.Text("scope." + scopeName(s) + ".cannot")
}
