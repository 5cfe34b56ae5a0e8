package fhir

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// Names of the parameters of a search (https://hl7.org/fhir/R4/search.html).
const (
	paramID          = "_id"
	paramLastUpdated = "_lastUpdated"
	paramPatient     = "patient"
	paramSubject     = "subject"
	paramCategory    = "category"
	paramCode        = "code"
	paramDate        = "date"
	paramStatus      = "status"
	paramCount       = "_count"
	paramSort        = "_sort"
	paramSummary     = "_summary"
	paramTotal       = "_total"
	paramFormat      = "_format"
	paramPretty      = "_pretty"
	ParamCursor      = "_cursor" // where the page before ended: an app follows links and never writes it
)

// SearchParameters lists the names that a search reads.
func SearchParameters() []string {
	return []string{
		paramID, paramLastUpdated, paramPatient, paramSubject, paramCategory, paramCode, paramDate, paramStatus,
		paramCount, paramSort, paramSummary, paramTotal, paramFormat, paramPretty, ParamCursor,
	}
}

// Search is what a search for results asks for.
type Search struct {
	Query   biomarker.Query
	Nothing bool            // no result can match
	IDs     []loop.ResultID // only these, by _id; nil: any
	// CountOnly wants the number alone; Total wants it beside the results.
	CountOnly, Total bool
	// Lowered: _count was more than a page holds, and the answer has to say so.
	Lowered bool

	matching
	parameters url.Values
}

// Parameters are those of the search as it is carried out, without the cursor.
func (s *Search) Parameters() url.Values { return s.parameters }

// ParseSearch reads the parameters of a search for a member's results. One that is
// not known, or has a value that is not, is a ValidationError that names it. Another
// member's results are NotFound, as those of somebody who never was.
func (m *Resources) ParseSearch(c *biomarker.Catalogue, member loop.MemberID, values url.Values) (*Search, error) {
	s := &Search{}
	s.begin()
	if err := onlyKnown(values, SearchParameters()); err != nil {
		return nil, err
	}
	err := s.readAll(values,
		s.readPatient(member), s.readID, s.choose(paramCategory, SystemCategory, codeLaboratory), s.choose(paramStatus, systemObservationStatus, StatusFinal),
		s.readCode(m, c), s.readDate, s.readLastUpdated,
		s.readCount, s.readSort, s.readSummary, s.readTotal, s.readFormat, s.readCursor)
	if err != nil {
		return nil, err
	}
	s.name = url.Values{paramCode: values[paramCode], paramDate: values[paramDate], paramLastUpdated: values[paramLastUpdated]}.Encode()
	s.Query.Matching = &s.matching
	return s, nil
}

// begin sets what holds where nothing is said.
func (s *Search) begin() {
	s.parameters = url.Values{}
	s.Query = biomarker.Query{System: biomarker.Conventional, Limit: biomarker.DefaultLimit}
}

// onlyKnown refuses the first parameter that a search doesn't have.
func onlyKnown(values url.Values, known []string) error {
	for _, name := range slices.Sorted(keys(values)) {
		if !slices.Contains(known, name) {
			return refuse(shown(name), "This search has no parameter %s. It has %s.", shown(name), strings.Join(known, ", "))
		}
	}
	return nil
}

// readAll reads the parameters one after the other.
func (s *Search) readAll(values url.Values, reads ...func(url.Values) error) error {
	for _, read := range reads {
		if err := read(values); err != nil {
			return err
		}
	}
	return nil
}

func refuse(name, format string, args ...any) error {
	return loop.Errorf(loop.ValidationError, format, args...).About(name)
}

// shown lets a parameter's name into an answer only where it is a plain word.
func shown(name string) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:"
	if name == "" || len(name) > 40 || strings.Trim(name, letters) != "" {
		return "of this name"
	}
	return name
}

func keys(values url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range values {
			if !yield(name) {
				return
			}
		}
	}
}

// each reads every value of a parameter; all of them must hold.
func (s *Search) each(values url.Values, name string, read func(text string) error) error {
	for _, text := range values[name] {
		if text == "" {
			return refuse(name, "%s is empty. Give it a value, or leave it out.", name)
		}
		if err := read(text); err != nil {
			return err
		}
		s.parameters.Add(name, text)
	}
	return nil
}

// once reads a parameter that may be there once.
func (s *Search) once(values url.Values, name string, read func(text string) error) error {
	if len(values[name]) > 1 {
		return refuse(name, "%s is there more than once. Send it once.", name)
	}
	return s.each(values, name, read)
}

func (s *Search) readPatient(member loop.MemberID) func(url.Values) error {
	return func(values url.Values) error {
		for _, name := range []string{paramPatient, paramSubject} {
			err := s.each(values, name, func(text string) error {
				id := strings.TrimPrefix(text, TypePatient+"/")
				if named, ok := MemberID(id); !ok || named != member {
					return loop.Errorf(loop.NotFound, "There is no such patient here. A token is for one member's results: %s=%s.", name, PatientID(member)).About(name)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}

func (s *Search) readID(values url.Values) error {
	return s.once(values, paramID, func(text string) error {
		s.IDs = []loop.ResultID{}
		for id := range strings.SplitSeq(text, ",") {
			if result, ok := ResultID(id); ok && !slices.Contains(s.IDs, result) {
				s.IDs = append(s.IDs, result)
			}
		}
		return nil
	})
}

// choose reads a code that is the same of all that can be found: another one matches
// nothing.
func (s *Search) choose(name, system, code string) func(url.Values) error {
	return func(values url.Values) error {
		return s.each(values, name, func(text string) error {
			s.Nothing = s.Nothing || !anyMatches(parseTokens(text), system, code)
			return nil
		})
	}
}

const systemObservationStatus = "http://hl7.org/fhir/observation-status"

func (s *Search) readCount(values url.Values) error {
	return s.once(values, paramCount, func(text string) error {
		count, err := strconv.Atoi(text)
		if err != nil || strconv.Itoa(count) != text || count < 0 {
			return refuse(paramCount, "_count is a whole number, at most %d for one page.", biomarker.MaxLimit)
		}
		s.CountOnly = s.CountOnly || count == 0
		s.Lowered = count > biomarker.MaxLimit
		s.Query.Limit = min(count, biomarker.MaxLimit)
		return nil
	})
}

// readSort: results come newest first, and in no other order.
func (s *Search) readSort(values url.Values) error {
	return s.once(values, paramSort, func(text string) error {
		if text != "-"+paramDate {
			return refuse(paramSort, "_sort is -date: results come newest first, with or without it.")
		}
		return nil
	})
}

func (s *Search) readSummary(values url.Values) error {
	return s.once(values, paramSummary, func(text string) error {
		if text != "count" && text != "false" {
			return refuse(paramSummary, "_summary is count or false.")
		}
		s.CountOnly = s.CountOnly || text == "count"
		return nil
	})
}

func (s *Search) readTotal(values url.Values) error {
	return s.once(values, paramTotal, func(text string) error {
		if !slices.Contains([]string{"none", "estimate", "accurate"}, text) {
			return refuse(paramTotal, "_total is none, estimate or accurate.")
		}
		s.Total = text != "none"
		return nil
	})
}

// readFormat takes what the answer's format was chosen by.
func (s *Search) readFormat(values url.Values) error {
	for _, name := range []string{paramFormat, paramPretty} {
		if err := s.once(values, name, func(string) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

func (s *Search) readCursor(values url.Values) error {
	err := s.once(values, ParamCursor, func(text string) error {
		s.Query.Cursor = text
		return nil
	})
	s.parameters.Del(ParamCursor)
	return err
}

// Wants reports whether a result is what the search is for.
func (s *Search) Wants(r *biomarker.Judged) bool {
	inTime := !r.CollectedAt.Before(s.Query.From) && (s.Query.To.IsZero() || r.CollectedAt.Before(s.Query.To))
	return inTime && (len(s.Query.Codes) == 0 || slices.Contains(s.Query.Codes, r.Code)) && s.Matches(r)
}
