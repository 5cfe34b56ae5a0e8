package docsite

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/loop-health/loop/internal/web"
)

// SearchPath is the page that searches the documentation.
const SearchPath = web.DocumentationPath + "/search"

// maxQuery is how long a search may be, in letters.
const maxQuery = 100

// A result shows so much of a line, in bytes, and of that so many words before the
// first that was looked for.
const (
	maxLine     = 240
	wordsBefore = 8
)

// searchView is the data of search.html.
type searchView struct {
	web.PortalFrame
	Sections []section
	Current  string
	Query    string
	Most     int  // letters
	TooLong  bool // nothing was searched
	Results  []result
}

// result is a passage that was found, as it is shown.
type result struct {
	Path    string
	Page    string
	Heading string
	Line    []piece
}

// piece is a part of a line: with a word that was looked for, or without.
type piece struct {
	Text   string
	Marked bool
}

// search answers GET /docs/search?q=…
func (h *Host) search(w http.ResponseWriter, r *http.Request) error {
	reader, err := h.readers.Reader(r, "search")
	if err != nil {
		return err
	}
	query := strings.TrimSpace(strings.ToValidUTF8(r.URL.Query().Get("q"), ""))
	view := searchView{PortalFrame: reader.Frame, Sections: h.contents.sections, Current: SearchPath, Query: query, Most: maxQuery}
	status := http.StatusOK
	if utf8.RuneCountInString(query) > maxQuery {
		view.TooLong, status = true, http.StatusBadRequest
	} else {
		view.Results = h.contents.index().results(query)
	}
	web.AllowPage(w.Header(), "'self'")
	return h.layout.Render(w, status, "search", view)
}

func (ix *index) results(query string) []result {
	passages, meant := ix.search(askedFor(query))
	results := make([]result, len(passages))
	for i, p := range passages {
		results[i] = result{Path: p.address(), Page: p.page.Title, Heading: p.heading, Line: p.excerpt(meant)}
	}
	return results
}

// excerpt is the line of the passage that answers best, with the words marked.
func (p *passage) excerpt(meant map[string]float64) []piece {
	var best []piece
	most := -1.0
	for _, line := range p.lines {
		if pieces, score := mark(line, meant); score > most {
			best, most = pieces, score
		}
	}
	return best
}

// mark cuts a line into pieces and says how many of the words are in it. Of a long line
// it keeps what is around the first of them.
func mark(line string, meant map[string]float64) (pieces []piece, score float64) {
	line = around(line, meant)
	counted := map[string]bool{}
	end := 0
	for _, w := range wordsOf(line) {
		term, quality := w.meaning(meant)
		if quality == 0 {
			continue
		}
		if !counted[term] {
			counted[term], score = true, score+quality
		}
		if w.from > end {
			pieces = append(pieces, piece{Text: line[end:w.from]})
		}
		pieces = append(pieces, piece{line[w.from:w.to], true})
		end = w.to
	}
	return append(pieces, piece{Text: line[end:]}), score
}

// meaning is which of the terms that were looked for a word stands for, and how well.
func (w word) meaning(meant map[string]float64) (best string, quality float64) {
	for _, term := range w.terms() {
		if q := meant[term]; q > quality {
			best, quality = term, q
		}
	}
	return best, quality
}

// around shortens a line to what is around the first word that was looked for, from
// the beginning of a word to the end of one.
func around(line string, meant map[string]float64) string {
	if len(line) <= maxLine {
		return line
	}
	words := wordsOf(line)
	hit := slices.IndexFunc(words, func(w word) bool { _, quality := w.meaning(meant); return quality > 0 })
	from, to := 0, 0
	if before := hit - wordsBefore; before > 0 {
		from = words[before].from
	}
	for _, w := range words {
		if w.to <= from+maxLine {
			to = w.to
		}
	}
	short := line[from:to]
	if from > 0 {
		short = "… " + short
	}
	if to < len(line) {
		short += " …"
	}
	return short
}
