package loop

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The words that a name of somebody else's may not hold, in any spelling: Loop's
// own, and those that claim what only the badge of a verified app says.
var (
	ownWords   = []string{"loop"}
	badgeWords = []string{
		"verified", "verification", "official", "certified", "authenticated", "approved", "endorsed", "accredited",
		"verifiziert", "verifizierte", "geprüft", "geprüfte", "offiziell", "offizielle", "zertifiziert", "zertifizierte",
	}
)

// holdsWord reports whether a name holds one of the words, as UTS 39 compares: by
// the skeletons of both. A name that is one of them letter by letter holds it too.
func holdsWord(name string, words []string) bool {
	whole := strings.FieldsFunc(norm.NFKC.String(name), func(r rune) bool { return !partOfWord(r) })
	spelt := append(whole, strings.Join(whole, ""))
	for _, word := range whole {
		spelt = append(spelt, strings.TrimFunc(word, unicode.IsDigit)) // Loop24
		spelt = append(spelt, parts(word)...)
	}
	for _, word := range words {
		if slices.ContainsFunc(spelt, func(s string) bool { return skeleton(s) == skeleton(word) }) {
			return true
		}
	}
	return false
}

// parts cuts a word where a capital follows a small letter: LoopHealth.
func parts(word string) []string {
	var (
		all      []string
		start    int
		wasSmall bool
	)
	for at, r := range word {
		if wasSmall && unicode.IsUpper(r) {
			all, start = append(all, word[start:at]), at
		}
		wasSmall = unicode.IsLower(r)
	}
	return append(all, word[start:])
}

func partOfWord(r rune) bool {
	_, known := prototypes[r]
	return known || unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// skeleton folds a word to what a reader sees (UTS 39 §4, for the letters that our
// words are made of): compatibility forms to plain ones, no case, no marks, and one
// letter for those that look alike.
func skeleton(word string) string {
	var plain strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(norm.NFKC.String(word))) {
		if alike, known := prototypes[r]; known {
			r = alike
		}
		if !unicode.IsMark(r) {
			plain.WriteRune(r)
		}
	}
	return plain.String()
}

// lookAlikes are, for each letter that the words above are made of, what looks like
// it in lower case and is no compatibility form of it. From Unicode's list of
// confusables; small capitals, digits and strokes with them. The one library for Go
// has not followed Unicode since 2021, and x/text has no such table.
var lookAlikes = map[rune]string{
	'a': "аɑαᴀаⲁꭺ@",
	'c': "сϲᴄⲥꮯ¢",
	'd': "ԁɗđᴅꭰꓒ",
	'e': "еєɛᴇҽеⲉꭼꓰ3",
	'f': "ƒꜰꞙꓝ",
	'g': "ɡցɢ",
	'h': "һհʜ",
	'k': "кκᴋⲕ",
	'l': "1iı|!ӏіιǀłƚɭɫʟɩꞁⲓⲗլꮮꓡӀꓲⵏ׀ו",
	'n': "пռηɴ",
	'o': "0оοσөɵøօоᴏⲟⲑꭴꮻꭳꓳ०০੦૦୦௦౦೦൦๐໐၀០ס٥ە",
	'p': "рρþƥƿᴘⲣքꮲꓑᵽ",
	'r': "гʀꭱꓣᴦ",
	's': "ѕʂꜱꮪꓢ5$",
	't': "тτᴛⲧꭲꓔ7",
	'v': "ѵνᴠⱱꮩꓦ",
	'z': "ᴢꮓꓜ2",
}

// prototypes gives the letter that a character looks like.
var prototypes = func() map[rune]rune {
	all := make(map[rune]rune)
	for letter, alike := range lookAlikes {
		for _, r := range alike {
			all[r] = letter
		}
	}
	return all
}()

// specialForm reports whether a name holds Latin letters or digits in a form that
// only looks special: full-width, mathematical, a ligature, a Roman numeral.
func specialForm(name string) bool {
	return strings.ContainsFunc(name, func(r rune) bool {
		plain := norm.NFKC.String(string(r))
		return plain != string(r) && strings.ContainsFunc(plain, func(r rune) bool { return unicode.Is(unicode.Latin, r) || r <= '9' && unicode.IsDigit(r) })
	})
}
