package clinical

import (
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// showReport answers GET /fhir/DiagnosticReport/{id}: the results of one sample.
func (f *fhirHost) showReport(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	noSuch := loop.Errorf(loop.NotFound, "This member has no report with this id.")
	named, ok := fhir.ParseReportID(r.PathValue("id"))
	if !ok {
		return noSuch
	}
	query := biomarker.Query{System: biomarker.Conventional, From: named.CollectedAt, To: named.CollectedAt.Add(time.Microsecond)}
	results, err := f.readAll(r, token.Member, query)
	if err != nil {
		return err
	}
	for _, report := range fhir.Reports(results) {
		if report.ID() != named.ID() {
			continue
		}
		if err := f.record(r, token, len(report.Results), []string{"id"}); err != nil {
			return err
		}
		body, err := fhir.Encode(f.resources.DiagnosticReport(token.Member, report))
		if err != nil {
			return err
		}
		f.writeResource(w, r, time.Time{}, body)
		return nil
	}
	return noSuch
}

// readAll reads every result that a query matches.
func (f *fhirHost) readAll(r *http.Request, member loop.MemberID, query biomarker.Query) ([]biomarker.Judged, error) {
	person, err := f.person(r.Context(), member)
	if err != nil {
		return nil, err
	}
	query.Limit = biomarker.MaxLimit
	var results []biomarker.Judged
	for {
		page, err := f.Biomarkers.Read(r.Context(), member, person, query)
		if err != nil {
			return nil, refusedOr(web.Unavailable, err)
		}
		results = append(results, page.Results...)
		if query.Cursor = page.Next; query.Cursor == "" {
			return results, nil
		}
	}
}

// searchReports answers GET /fhir/DiagnosticReport and POST
// /fhir/DiagnosticReport/_search: a page of the member's reports, newest first. A page
// is behind the report that its cursor names, so that each report is there once.
func (f *fhirHost) searchReports(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	values, err := f.parameters(w, r)
	if err != nil {
		return err
	}
	search, err := f.resources.ParseReportSearch(token.Member, values)
	if err != nil {
		return err
	}
	reports, next, total, err := f.foundReports(r, token.Member, search)
	if err != nil {
		return err
	}
	count := 0
	set := f.newSet("/"+fhir.TypeDiagnosticReport, &search.Search, next, total)
	for _, report := range reports {
		count += len(report.Results)
		body, err := fhir.Encode(f.resources.DiagnosticReport(token.Member, report))
		if err != nil {
			return err
		}
		set.Matches = append(set.Matches, fhir.Match{FullURL: f.fullURL(fhir.TypeDiagnosticReport, report.ID()), Resource: body, Mode: fhir.ModeMatch})
	}
	if err := f.record(r, token, count, search.Filters()); err != nil {
		return err
	}
	f.write(w, set.AppendJSON(nil))
	return nil
}

// foundReports gives the page of reports that a search asks for.
func (f *fhirHost) foundReports(r *http.Request, member loop.MemberID, search *fhir.ReportSearch) (page []*fhir.Report, next string, total *int, err error) {
	var results []biomarker.Judged
	if !search.Nothing {
		query := search.Query
		query.Cursor = ""
		if results, err = f.readAll(r, member, query); err != nil {
			return nil, "", nil, err
		}
	}
	all := 0
	for _, report := range fhir.Reports(results) {
		if !search.WantsReport(report) {
			continue
		}
		all++
		switch {
		case search.CountOnly || !search.Behind(report):
		case len(page) < search.Query.Limit:
			page = append(page, report)
		default:
			next = page[len(page)-1].ID()
		}
	}
	if search.CountOnly || search.Total {
		total = &all
	}
	return page, next, total, nil
}

// everything answers GET /fhir/Patient/{id}/$everything: the member's results in pages,
// and on the first the member, if the app may see who that is.
func (f *fhirHost) everything(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	if err := own(r.PathValue("id"), token.Member); err != nil {
		return err
	}
	search, page, total, err := f.search(w, r, token.Member, f.resources.ParseEverything)
	if err != nil {
		return err
	}
	set := f.newSet(r.URL.EscapedPath()[len(FHIRPath):], search, page.Next, total)
	if search.Query.Cursor == "" && token.Scopes.Has(loop.ScopeReadDemographics) {
		patient, err := f.readPatient(r, token)
		if err != nil {
			return err
		}
		set.Matches = append(set.Matches, fhir.Match{FullURL: f.fullURL(fhir.TypePatient, fhir.PatientID(token.Member)), Resource: patient, Mode: fhir.ModeMatch})
	}
	if err := f.record(r, token, len(page.Results), []string{"everything"}); err != nil {
		return err
	}
	for i := range page.Results {
		set.Matches = append(set.Matches, f.observation(token.Member, &page.Results[i], fhir.ModeMatch))
	}
	f.write(w, set.AppendJSON(nil))
	return nil
}
