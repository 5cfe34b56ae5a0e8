package loop

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// ShownHost is what a member reads as the place that the answer goes to: Host, and
// where it is a name in another script, that name before it. A name that mixes
// scripts, or that reads as one in Latin letters, is shown as xn--… alone, as browsers
// do (UTS 39 §5.2, §4).
func (u RedirectURI) ShownHost() string {
	host := u.Host()
	name, err := idna.Display.ToUnicode(host)
	if err != nil || name == strings.ToLower(host) {
		return host
	}
	for label := range strings.SplitSeq(name, ".") {
		if !ofOneScript(label) || !hasLatin(label) && looksLatin(label) {
			return host
		}
	}
	return name + " (" + host + ")"
}

// writtenTogether are the scripts that one language is written in (UTS 39 §5.1).
var writtenTogether = [][]*unicode.RangeTable{
	{unicode.Han, unicode.Hiragana, unicode.Katakana},
	{unicode.Han, unicode.Hangul},
	{unicode.Han, unicode.Bopomofo},
}

// ofOneScript reports whether the letters of a label are of one script, or of those
// that one language is written in.
func ofOneScript(label string) bool {
	for _, script := range unicode.Scripts {
		if within(label, script) {
			return true
		}
	}
	for _, scripts := range writtenTogether {
		if within(label, scripts...) {
			return true
		}
	}
	return false
}

// within reports whether every character of a label is of these scripts, or of none in
// particular.
func within(label string, scripts ...*unicode.RangeTable) bool {
	return !strings.ContainsFunc(label, func(r rune) bool {
		return !unicode.In(r, scripts...) && !unicode.In(r, unicode.Common, unicode.Inherited)
	})
}

func hasLatin(label string) bool {
	return strings.ContainsFunc(label, func(r rune) bool { return unicode.Is(unicode.Latin, r) })
}

// looksLatin reports whether every character of a label looks like one of ASCII.
func looksLatin(label string) bool {
	return !strings.ContainsFunc(skeleton(label), func(r rune) bool { return r > unicode.MaxASCII })
}
