package biomarker

import (
	_ "embed" // the scales
	"fmt"
	"strconv"
	"strings"
)

//go:embed data/scales.csv
var scalesCSV string

// Scale is what the results of a test without numbers can be, such as negative,
// trace, 1+, 2+.
type Scale struct {
	Name    string
	Ordered bool     // the values are steps, from the lowest
	Values  []string // in the scale's order
	words   map[string]string
}

// Find gives the scale's value that a word stands for: the value itself or one of
// its synonyms, without regard to case and surrounding space.
func (s *Scale) Find(word string) (value string, ok bool) {
	value, ok = s.words[fold(word)]
	return value, ok
}

// fold brings words of laboratories into one form for comparing. Only the letters of
// ASCII have a case here: the catalogue has no others, and rules for case differ
// between languages.
func fold(word string) string { return strings.Map(lowerASCII, strings.TrimSpace(word)) }

func lowerASCII(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func parseScales(text string) (map[string]*Scale, error) {
	scales := make(map[string]*Scale)
	err := readTable("the scales", text, []string{"scale", "ordered", "rank", "value", "synonyms"}, func(r row) error {
		s := scales[r["scale"]]
		if s == nil {
			s = &Scale{Name: r["scale"], Ordered: r["ordered"] == "yes", words: make(map[string]string)}
			scales[s.Name] = s
		}
		return s.add(r)
	})
	return scales, err
}

func (s *Scale) add(r row) error {
	rank, err := strconv.Atoi(r["rank"])
	if err != nil || rank != len(s.Values) || r["value"] == "" || s.Ordered != (r["ordered"] == "yes") {
		return fmt.Errorf("the values of a scale are not numbered from 0, or it is ordered in part")
	}
	s.Values = append(s.Values, r["value"])
	for _, word := range append(r.list("synonyms"), r["value"]) {
		if other, taken := s.words[fold(word)]; taken {
			return fmt.Errorf("%q stands for %s and %s", word, other, r["value"])
		}
		s.words[fold(word)] = r["value"]
	}
	return nil
}
