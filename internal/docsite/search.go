package docsite

import (
	"cmp"
	"math"
	"slices"
)

// passage is a part of a page, from a heading to the next: what a search finds.
type passage struct {
	page    *page
	heading string // empty: what stands below the title
	anchor  string
	lines   []string // paragraphs, rows of tables and lines of code, as plain text
}

// address is where the passage is.
func (p *passage) address() string {
	if p.anchor == "" {
		return p.page.Path
	}
	return p.page.Path + "#" + p.anchor
}

// index finds passages by their words. It is made once, at the start.
type index struct {
	passages []*passage
	terms    vocabulary
	weights  map[string]map[int]float64 // of a term, by passage
}

// What a word counts, by where it is. A page's title counts most for its beginning,
// and little for each of its other parts.
const (
	inTitle       = 10
	inHeading     = 5
	inOthersTitle = 3
	inText        = 1 // half of it where it is there once, and twice as much at most
	// less is by how much less a page counts that says what its neighbours say, or is
	// for who reviews the platform.
	less = 0.6
)

func newIndex(passages []*passage) *index {
	ix := &index{passages: passages, weights: map[string]map[int]float64{}}
	for at, p := range passages {
		ix.addPassage(at, p)
	}
	for term := range ix.weights {
		ix.terms = append(ix.terms, term)
	}
	slices.Sort(ix.terms)
	return ix
}

func (ix *index) addPassage(at int, p *passage) {
	weights := map[string]float64{}
	for _, line := range p.lines {
		for _, w := range wordsOf(line) {
			for _, term := range w.terms() {
				weights[term] = min(weights[term]+inText/2.0, 2*inText)
			}
		}
	}
	titled := float64(inOthersTitle)
	if p.heading == "" {
		titled = inTitle
	}
	for text, weight := range map[string]float64{p.page.Title: titled, p.heading: inHeading} {
		for _, w := range wordsOf(text) {
			for i, term := range w.terms() {
				if i == 0 {
					weights[term] += weight
				} else {
					weights[term] += weight / 4 // a part of a name, such as an error's code
				}
			}
		}
	}
	for term, weight := range weights {
		if len(p.page.Tabs) > 0 || p.page.forReview {
			weight *= less
		}
		if ix.weights[term] == nil {
			ix.weights[term] = map[int]float64{}
		}
		ix.weights[term][at] = weight
	}
}

// Bounds of what a search shows.
const (
	maxResults = 20
	maxPerPage = 3
	// least is how much of the best passage's score another must have to be shown.
	least = 0.12
)

// found is a passage that answers a search.
type found struct {
	*passage
	at    int // its place among all
	score float64
}

// search gives the passages that answer, the best first, and the terms that the words
// were taken for.
func (ix *index) search(asked []word) ([]found, map[string]float64) {
	scores, covered := map[int]float64{}, map[int]float64{}
	meant, all := map[string]float64{}, 0.0
	for _, w := range asked {
		best, rarity := ix.answers(w.term, meant)
		all += rarity
		for at, score := range best {
			scores[at] += score * rarity
			covered[at] += rarity
		}
	}
	var results []found
	for at, score := range scores {
		share := covered[at] / all // a passage with all the words is worth more than one with some of them often
		results = append(results, found{ix.passages[at], at, score * share * share})
	}
	slices.SortFunc(results, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.at, b.at))
	})
	return limited(results), meant
}

// answers gives how well each passage answers for one word, and how rare the word is;
// it adds what the word was taken for.
func (ix *index) answers(asked string, meant map[string]float64) (best map[int]float64, rarity float64) {
	best = map[int]float64{}
	for term, quality := range ix.terms.lookUp(asked) {
		meant[term] = max(meant[term], quality)
		for at, weight := range ix.weights[term] {
			best[at] = max(best[at], weight*quality)
		}
	}
	return best, math.Log(1 + float64(len(ix.passages))/float64(1+len(best)))
}

// limited leaves out what answers much worse than the best, and more than a few parts
// of one page.
func limited(results []found) []found {
	var shown []found
	of := map[*page]int{}
	for _, r := range results {
		if len(shown) == maxResults || r.score < results[0].score*least {
			break
		}
		if of[r.page]++; of[r.page] <= maxPerPage {
			shown = append(shown, r)
		}
	}
	return shown
}
