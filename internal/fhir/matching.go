package fhir

import (
	"net/url"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// matching is the part of a search that is judged result by result. All of it must
// hold.
type matching struct {
	codes     [][]token     // of each parameter code, one value has to match
	dates     [][]condition // likewise
	updated   [][]condition
	ownSystem string
	name      string // the parameters as they came
}

// Matches reports whether a result is what the search is for (biomarker.Matching).
func (m *matching) Matches(r *biomarker.Judged) bool {
	for _, tokens := range m.codes {
		if !m.coded(tokens, r) {
			return false
		}
	}
	for _, conditions := range m.dates {
		if !anyHolds(conditions, collectedSpan(&r.Result)) {
			return false
		}
	}
	for _, conditions := range m.updated {
		if !anyHolds(conditions, momentSpan(r.ParsedAt)) {
			return false
		}
	}
	return true
}

// coded reports whether a result's Observation has one of the codes.
func (m *matching) coded(tokens []token, r *biomarker.Judged) bool {
	if anyMatches(tokens, m.ownSystem, string(r.Code)) {
		return true
	}
	loinc := r.Reported().LOINC
	return loinc != "" && anyMatches(tokens, SystemLOINC, loinc)
}

// String names the condition (biomarker.Matching).
func (m *matching) String() string { return m.name }

// readCode finds the biomarkers that the codes may be of. What none has, matches
// nothing.
func (s *Search) readCode(m *Resources, c *biomarker.Catalogue) func(url.Values) error {
	return func(values url.Values) error {
		s.ownSystem = m.codes
		return s.each(values, paramCode, func(text string) error {
			tokens := parseTokens(text)
			s.codes = append(s.codes, tokens)
			found := m.biomarkersOf(c, tokens)
			if len(s.codes) > 1 {
				found = slices.DeleteFunc(found, func(code biomarker.Code) bool { return !slices.Contains(s.Query.Codes, code) })
			}
			s.Query.Codes = found
			s.Nothing = s.Nothing || len(found) == 0
			return nil
		})
	}
}

// biomarkersOf lists the biomarkers whose Observations may have one of the codes.
func (m *Resources) biomarkersOf(c *biomarker.Catalogue, tokens []token) []biomarker.Code {
	var codes []biomarker.Code
	for b := range c.All() {
		if anyMatches(tokens, m.codes, string(b.Code)) || anyMatches(tokens, SystemLOINC, b.LOINC) && b.LOINC != "" || anyMatches(tokens, SystemLOINC, b.SI.LOINC) && b.SI.LOINC != "" {
			codes = append(codes, b.Code)
		}
	}
	return codes
}

func (s *Search) readDate(values url.Values) error {
	return s.each(values, paramDate, func(text string) error {
		conditions, err := parseConditions(paramDate, text)
		if err != nil {
			return err
		}
		s.dates = append(s.dates, conditions)
		if len(conditions) == 1 {
			s.narrow(conditions[0].bounds())
		}
		return nil
	})
}

// narrow leaves the store only what can meet the conditions.
func (s *Search) narrow(from, to time.Time) {
	q := &s.Query
	if !from.IsZero() && from.After(q.From) {
		q.From = from
	}
	if !to.IsZero() && (q.To.IsZero() || to.Before(q.To)) {
		q.To = to
	}
	s.Nothing = s.Nothing || !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To)
}

func (s *Search) readLastUpdated(values url.Values) error {
	return s.each(values, paramLastUpdated, func(text string) error {
		conditions, err := parseConditions(paramLastUpdated, text)
		s.updated = append(s.updated, conditions)
		return err
	})
}

// Filters names the parameters that choose results, without their values, for the
// audit record.
func (s *Search) Filters() []string {
	var names []string
	for _, name := range []string{paramID, paramCategory, paramCode, paramDate, paramLastUpdated, paramStatus} {
		if s.parameters.Has(name) {
			names = append(names, name)
		}
	}
	return names
}
