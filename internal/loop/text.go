package loop

import "unicode"

// invisible reports whether a character shows nothing, changes direction or
// belongs to no script, and so has no place in a name.
func invisible(r rune) bool {
	return r != ' ' && (!unicode.IsGraphic(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zs))
}
