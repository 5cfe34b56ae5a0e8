package docsite

import (
	"slices"
	"strings"
	"unicode"
)

// word is a word of a text: as it is compared, and where it is.
type word struct {
	term     string
	from, to int
}

// wordsOf are the words of a text: runs of letters, digits and underscores, in lower
// case.
func wordsOf(text string) []word {
	var words []word
	from := -1
	end := func(to int) {
		if from >= 0 {
			words = append(words, word{strings.ToLower(text[from:to]), from, to})
		}
		from = -1
	}
	for at, r := range text {
		switch inside := unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_'; {
		case !inside:
			end(at)
		case from < 0:
			from = at
		}
	}
	end(len(text))
	return words
}

// terms are what a word is found by: itself and, of a name such as invalid_grant, its
// parts.
func (w word) terms() []string {
	found := []string{w.term}
	if strings.Contains(w.term, "_") {
		found = append(found, strings.FieldsFunc(w.term, func(r rune) bool { return r == '_' })...)
	}
	return found
}

// small are words of a question that say nothing of what is looked for.
var small = []string{
	"a", "an", "and", "are", "can", "do", "does", "for", "get", "how", "i", "in", "is", "it", "my", "of", "on", "the", "to", "what", "when", "why", "with",
}

// askedFor are the words of a query to look for: all but small ones, and those too where
// there is nothing else.
func askedFor(query string) []word {
	words := wordsOf(query)
	telling := slices.DeleteFunc(slices.Clone(words), func(w word) bool { return slices.Contains(small, w.term) })
	if len(telling) == 0 {
		return words
	}
	return telling
}

// vocabulary is every term of the documentation, in order.
type vocabulary []string

// How well a term answers for a word that was asked for.
const (
	exactly     = 1.0
	oneOrMany   = 0.9 // token for tokens, and tokens for token
	asBeginning = 0.6
	nearly      = 0.4
)

// maxExpanded is how many terms a beginning may stand for.
const maxExpanded = 60

// lookUp gives the terms that a word may mean, each with how well it answers: the word
// itself, what begins with it, and where there is neither, what differs by a typing
// error.
func (v vocabulary) lookUp(asked string) map[string]float64 {
	found := map[string]float64{}
	at, _ := slices.BinarySearch(v, asked)
	for _, term := range v[at:min(len(v), at+maxExpanded)] {
		if !strings.HasPrefix(term, asked) {
			break
		}
		found[term] = asBeginning
	}
	if _, is := found[asked]; is {
		found[asked] = exactly
	}
	for _, other := range []string{asked + "s", strings.TrimSuffix(asked, "s")} {
		if _, is := slices.BinarySearch(v, other); is && other != asked {
			found[other] = oneOrMany
		}
	}
	if len(found) == 0 {
		v.addSimilar(found, asked)
	}
	return found
}

// addSimilar adds the terms that differ from the word by one typing error; from eight
// letters on, by two.
func (v vocabulary) addSimilar(found map[string]float64, asked string) {
	letters := []rune(asked)
	allowed := min(len(letters)/4, 2)
	for _, term := range v {
		if errors := typingErrors(letters, []rune(term), allowed); errors <= allowed && allowed > 0 {
			found[term] = nearly / float64(errors)
		}
	}
}

// typingErrors counts the letters that were left out, added, changed or exchanged with
// their neighbour between two words (the optimal string alignment distance). Beyond
// most it gives some number that is larger.
func typingErrors(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			changed := last[j-1]
			if a[i-1] != b[j-1] {
				changed++
			}
			row[j] = min(changed, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
