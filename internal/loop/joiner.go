package loop

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// The two joiners show nothing themselves, and change how the letters beside them
// look. Persian, Sinhala, Malayalam and others spell names with them.
const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

func isJoiner(r rune) bool { return r == zeroWidthNonJoiner || r == zeroWidthJoiner }

// joinerRules are the two rules of RFC 5892 appendices A.1 and A.2, and no other
// rule of domain names.
var joinerRules = idna.New(idna.CheckJoiners(true))

// misplacedJoiner reports whether a joiner stands where it changes nothing that a
// reader sees, so that two names that look the same would differ.
func misplacedJoiner(name string) bool {
	for word := range strings.FieldsSeq(name) {
		if !strings.ContainsFunc(word, isJoiner) {
			continue
		}
		if _, err := joinerRules.ToUnicode(word); err != nil || strings.HasPrefix(word, string(zeroWidthJoiner)) || strings.HasPrefix(word, string(zeroWidthNonJoiner)) {
			return true
		}
	}
	return false
}

// maxMarks is how many marks of its script a letter carries in any spelling.
const maxMarks = 4

// misplacedMark reports whether a name holds a mark that is not of the script of
// the letter before it, or more of them on one letter than any script has. An
// accent that a Latin letter has is one character with it in normal form C.
func misplacedMark(name string) bool {
	var letter rune
	marks := 0
	for _, r := range name {
		switch {
		case unicode.Is(unicode.Me, r):
			return true
		case unicode.Is(unicode.Mn, r):
			if marks++; marks > maxMarks || !sameScript(letter, r) {
				return true
			}
		case unicode.IsLetter(r):
			letter, marks = r, 0
		case !isJoiner(r) && !unicode.Is(unicode.Mc, r):
			letter = 0
		}
	}
	return false
}

// sameScript reports whether a mark belongs to the letter's own script. Marks that
// all scripts share (Inherited) do not.
func sameScript(letter, mark rune) bool {
	for name, script := range unicode.Scripts {
		if !slices.Contains([]string{"Common", "Inherited"}, name) && unicode.Is(script, mark) {
			return unicode.Is(script, letter)
		}
	}
	return false
}
