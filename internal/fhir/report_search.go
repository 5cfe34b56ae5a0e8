package fhir

import (
	"net/url"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// ReportSearch is what a search for reports asks for.
type ReportSearch struct {
	Search

	ids    []string // only these, by _id; nil: any
	behind *Report  // the last report of the page before; nil: from the newest on
}

// reportParameters lists the names that a search for reports reads.
func reportParameters() []string {
	return []string{paramID, paramPatient, paramSubject, paramCategory, paramCode, paramDate, paramStatus, paramCount, paramSort, paramSummary, paramTotal, paramFormat, paramPretty, ParamCursor}
}

// ParseReportSearch reads the parameters of a search for a member's reports, as
// ParseSearch does.
func (m *Resources) ParseReportSearch(member loop.MemberID, values url.Values) (*ReportSearch, error) {
	s := &ReportSearch{}
	s.begin()
	if err := onlyKnown(values, reportParameters()); err != nil {
		return nil, err
	}
	err := s.readAll(values,
		s.readPatient(member), s.readReportID, s.choose(paramCategory, SystemServiceSection, codeLaboratorySection),
		s.choose(paramStatus, systemReportStatus, StatusFinal), s.choose(paramCode, SystemLOINC, codeReport), s.readDate,
		s.readCount, s.readSort, s.readSummary, s.readTotal, s.readFormat, s.readReportCursor)
	s.Query.Matching = &s.matching
	return s, err
}

const systemReportStatus = "http://hl7.org/fhir/diagnostic-report-status"

func (s *ReportSearch) readReportID(values url.Values) error {
	return s.once(values, paramID, func(text string) error {
		s.ids = strings.Split(text, ",")
		return nil
	})
}

func (s *ReportSearch) readReportCursor(values url.Values) error {
	if err := s.readCursor(values); err != nil || s.Query.Cursor == "" {
		return err
	}
	behind, ok := ParseReportID(s.Query.Cursor)
	if !ok {
		return refuse(ParamCursor, "This cursor belongs to no list of reports. Follow the link next as it came.")
	}
	s.behind = &behind
	return nil
}

// WantsReport reports whether a report is what the search is for.
func (s *ReportSearch) WantsReport(r *Report) bool {
	return s.ids == nil || slices.Contains(s.ids, r.ID())
}

// Behind reports whether a report is on the page that is asked for, or one behind it.
func (s *ReportSearch) Behind(r *Report) bool { return s.behind == nil || s.behind.Compare(r) < 0 }

// ParseEverything reads the parameters of a request for everything about a member.
func (m *Resources) ParseEverything(c *biomarker.Catalogue, member loop.MemberID, values url.Values) (*Search, error) {
	if err := onlyKnown(values, []string{paramCount, paramFormat, paramPretty, ParamCursor}); err != nil {
		return nil, err
	}
	return m.ParseSearch(c, member, values)
}
