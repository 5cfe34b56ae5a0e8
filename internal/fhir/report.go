package fhir

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// ProfileReport is US Core's profile of a laboratory's reports.
const ProfileReport = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-diagnosticreport-lab"

// codeReport is LOINC's code of a laboratory's report, whatever is in it.
const codeReport = "11502-2"

// Report is the results of one sample from one laboratory.
type Report struct {
	CollectedAt time.Time
	Precision   biomarker.Precision
	Source      string
	Results     []biomarker.Judged
}

// reportMoment is how a report's id writes a time, to the microsecond.
const (
	reportMoment = "20060102T150405.000000Z"
	reportDay    = "20060102"
)

// ID is the report's id: when the sample was drawn, and by whom it was measured. The
// same results have the same one.
func (r *Report) ID() string {
	layout := reportMoment
	if r.Precision == biomarker.ToTheDay {
		layout = reportDay
	}
	return r.CollectedAt.UTC().Format(layout) + "-" + r.Source
}

// ParseReportID reads what ID wrote; false where it did not.
func ParseReportID(id string) (Report, bool) {
	at, source, _ := strings.Cut(id, "-")
	r := Report{Source: source}
	layout := reportMoment
	if len(at) == len(reportDay) {
		layout, r.Precision = reportDay, biomarker.ToTheDay
	}
	var err error
	r.CollectedAt, err = time.Parse(layout, at)
	return r, err == nil && source != "" && r.ID() == id
}

// Compare orders reports: the newest first, those of one moment by their ids.
func (r *Report) Compare(other *Report) int {
	return cmp.Or(other.CollectedAt.Compare(r.CollectedAt), cmp.Compare(r.ID(), other.ID()))
}

// Reports puts results, newest first, together to reports, newest first.
func Reports(results []biomarker.Judged) []*Report {
	var reports []*Report
	byID := map[string]*Report{}
	for i := range results {
		one := Report{CollectedAt: results[i].CollectedAt, Precision: results[i].Precision, Source: results[i].Source}
		report, known := byID[one.ID()]
		if !known {
			report = &one
			byID[one.ID()] = report
			reports = append(reports, report)
		}
		report.Results = append(report.Results, results[i])
	}
	slices.SortFunc(reports, (*Report).Compare)
	return reports
}

// DiagnosticReport makes the resource of a report.
func (m *Resources) DiagnosticReport(member loop.MemberID, r *Report) *DiagnosticReport {
	var issued time.Time
	d := &DiagnosticReport{
		ResourceType: TypeDiagnosticReport, ID: r.ID(), Status: StatusFinal,
		Category: []CodeableConcept{{Coding: []Coding{{System: SystemServiceSection, Code: codeLaboratorySection}}}},
		Code:     CodeableConcept{Coding: []Coding{{System: SystemLOINC, Code: codeReport}}, Text: "Laboratory report"},
		Subject:  PatientReference(member), EffectiveDateTime: r.Results[0].Collected(),
		Performer: []Reference{{Display: r.Source}},
	}
	for i := range r.Results {
		d.Result = append(d.Result, Reference{Reference: TypeObservation + "/" + ObservationID(r.Results[i].ID)})
		if r.Results[i].ParsedAt.After(issued) {
			issued = r.Results[i].ParsedAt
		}
	}
	d.Issued = Instant(issued)
	d.Meta = &Meta{LastUpdated: d.Issued, Profile: []string{ProfileReport}}
	return d
}
