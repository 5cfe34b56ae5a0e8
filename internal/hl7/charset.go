package hl7

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// charsets are the character sets of one byte a character (HL7 table 0211).
var charsets = map[string]*charmap.Charmap{
	"8859/1": charmap.ISO8859_1, "8859/2": charmap.ISO8859_2, "8859/3": charmap.ISO8859_3, "8859/4": charmap.ISO8859_4,
	"8859/5": charmap.ISO8859_5, "8859/6": charmap.ISO8859_6, "8859/7": charmap.ISO8859_7, "8859/8": charmap.ISO8859_8,
	"8859/9": charmap.ISO8859_9, "8859/15": charmap.ISO8859_15,
}

// decode reads a segment in the character set that its message names (MSH-18). False
// where it names one that is not read, or none although there is more than ASCII in no
// UTF-8: nobody can tell then what a micro sign was.
func decode(text, named string) (string, bool) {
	named, _, _ = strings.Cut(named, "~")
	switch named = strings.ToUpper(strings.TrimSpace(named)); named {
	case "", "ASCII", "UNICODE UTF-8", "UTF-8", "UTF8", "UNICODE":
		return text, utf8.ValidString(text)
	}
	set, known := charsets[strings.TrimPrefix(named, "ISO ")]
	if !known {
		return "", false
	}
	decoded, err := set.NewDecoder().String(text)
	return decoded, err == nil
}
