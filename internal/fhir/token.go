package fhir

import "strings"

// token is one value of a search by a code: of a system, of none, or of whichever
// (https://hl7.org/fhir/R4/search.html#token).
type token struct {
	system, code string
	anySystem    bool
}

// parseTokens reads values that are separated by commas, any of which matches. A
// system applies to its own value alone.
func parseTokens(text string) []token {
	var tokens []token
	for value := range strings.SplitSeq(text, ",") {
		system, code, split := strings.Cut(value, "|")
		if !split {
			tokens = append(tokens, token{code: value, anySystem: true})
			continue
		}
		tokens = append(tokens, token{system: system, code: code})
	}
	return tokens
}

// matches reports whether a coding is what the value names. A value without a code is
// any code of its system.
func (t token) matches(system, code string) bool {
	return (t.anySystem || t.system == system) && (t.code == code || t.code == "" && !t.anySystem)
}

// anyMatches reports whether a coding is one of the values.
func anyMatches(tokens []token, system, code string) bool {
	for _, t := range tokens {
		if t.matches(system, code) {
			return true
		}
	}
	return false
}
