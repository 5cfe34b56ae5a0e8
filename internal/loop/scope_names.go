package loop

import (
	"slices"
	"strings"
)

// maxNamedScopes bounds how many unknown scopes one error names.
const maxNamedScopes = 5

// unknownScopes is the error for names that are not in the registry. It repeats a
// name only where that is made of the registry's own characters, so that nobody
// makes us say a sentence of theirs, and says which scope may be meant.
func unknownScopes(unknown []string) *Error {
	var named, near []string
	for _, name := range unknown {
		if isScopeLike(name) && !slices.Contains(named, name) {
			named = append(named, name)
		}
		if meant := nearestScope(name); meant != "" && !slices.Contains(near, meant) {
			near = append(near, meant)
		}
	}
	text := "A scope in this request does not exist."
	if len(named) == 1 {
		text = "The scope " + named[0] + " does not exist."
	} else if len(named) > 1 {
		text = "These scopes do not exist: " + strings.Join(named[:min(len(named), maxNamedScopes)], ", ") + "."
	}
	if len(near) > 0 {
		text += " Did you mean " + strings.Join(near, ", ") + "?"
	}
	return Errorf(InvalidScope, "%s The Scopes page lists them all; separate names by one space.", text).About("scope")
}

// isScopeLike reports whether a name is made of what the registry's names are made of.
func isScopeLike(name string) bool {
	return name != "" && len(name) <= 40 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_:") == ""
}

// nearestScope is the scope that a name may have been meant for: the same words in
// another order or with other signs between them, or at most two slips of the pen.
// Empty: none is near.
func nearestScope(name string) string {
	if len(name) > 40 {
		return ""
	}
	words := scopeWords(name)
	nearest, least := "", 3
	for _, row := range registry {
		scope := string(row.Scope)
		if slices.Equal(words, scopeWords(scope)) || strings.HasSuffix(scope, ":"+strings.ToLower(name)) {
			return scope
		}
		if slips := Edits(strings.ToLower(name), scope); slips < least {
			nearest, least = scope, slips
		}
	}
	return nearest
}

// scopeWords are the words of a name, in lower case and in order.
func scopeWords(name string) []string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })
	slices.Sort(words)
	return words
}
