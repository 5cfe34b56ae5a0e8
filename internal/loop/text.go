package loop

import (
	"strings"
	"unicode"
)

// invisible reports whether a character shows nothing, changes direction or
// belongs to no script, and so has no place in a name. Joiners are judged where
// they stand: see misplacedJoiner.
func invisible(r rune) bool {
	const brailleBlank = '\u2800'
	return r != ' ' && !isJoiner(r) && (!unicode.IsGraphic(r) || r == brailleBlank ||
		unicode.In(r, unicode.Cf, unicode.Co, unicode.Zs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector))
}

// hidesSomething reports whether a name holds a character that shows nothing, or a
// joiner where its script has no use for one.
func hidesSomething(name string) bool {
	return strings.ContainsFunc(name, invisible) || misplacedJoiner(name)
}
