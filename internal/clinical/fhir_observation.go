package clinical

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/fhir"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// showObservation answers GET /fhir/Observation/{id}: one of the member's results.
// Another member's is not found, as one that never was.
func (f *fhirHost) showObservation(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	id, ok := fhir.ResultID(r.PathValue("id"))
	if !ok {
		return noSuchResult()
	}
	person, err := f.person(r.Context(), token.Member)
	if err != nil {
		return err
	}
	found, err := f.Biomarkers.Find(r.Context(), token.Member, person, id)
	if errors.Is(err, loop.ErrNotFound) {
		return noSuchResult()
	}
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	if err := f.record(r, token, 1, []string{"id"}); err != nil {
		return err
	}
	f.writeResource(w, r, found.ParsedAt, f.resources.Observation(token.Member, found).AppendJSON(nil))
	return nil
}

// searchObservations answers GET /fhir/Observation and POST /fhir/Observation/_search:
// a page of the member's results, newest first.
func (f *fhirHost) searchObservations(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	search, page, total, err := f.search(w, r, token.Member, f.resources.ParseSearch)
	if err != nil {
		return err
	}
	if err := f.record(r, token, len(page.Results), search.Filters()); err != nil {
		return err
	}
	set := f.newSet("/"+fhir.TypeObservation, search, page.Next, total)
	for i := range page.Results {
		set.Matches = append(set.Matches, f.observation(token.Member, &page.Results[i], fhir.ModeMatch))
	}
	f.write(w, set.AppendJSON(make([]byte, 0, resultLength*(2+3*len(page.Results)))))
	return nil
}

// newSet begins the answer to a search, with what is to be said of the search itself.
func (f *fhirHost) newSet(path string, search *fhir.Search, next string, total *int) *fhir.Set {
	set := &fhir.Set{Timestamp: fhir.Instant(f.World.Now()), Total: total}
	parameters := search.Parameters()
	if search.Lowered {
		parameters.Set("_count", strconv.Itoa(search.Query.Limit))
		set.Matches = append(set.Matches, loweredCount())
	}
	set.Links = f.links(path, parameters, search.Query.Cursor, next)
	return set
}

// parseSearch reads a search for a member's results.
type parseSearch func(c *biomarker.Catalogue, member loop.MemberID, values url.Values) (*fhir.Search, error)

// search reads what a request searches for, and finds it.
func (f *fhirHost) search(w http.ResponseWriter, r *http.Request, member loop.MemberID, parse parseSearch) (search *fhir.Search, page biomarker.Page, total *int, err error) {
	values, err := f.parameters(w, r)
	if err != nil {
		return nil, page, nil, err
	}
	if search, err = parse(f.Biomarkers.Catalogue, member, values); err != nil {
		return nil, page, nil, err
	}
	person, err := f.person(r.Context(), member)
	if err != nil {
		return nil, page, nil, err
	}
	if page, total, err = f.found(r, member, person, search); err != nil {
		return nil, page, nil, refusedOr(web.Unavailable, err)
	}
	return search, page, total, nil
}

// found reads the page that a search asks for, and how many there are in all where it
// asks for that.
func (f *fhirHost) found(r *http.Request, member loop.MemberID, person biomarker.Person, search *fhir.Search) (page biomarker.Page, total *int, err error) {
	switch {
	case search.Nothing:
	case search.IDs != nil:
		page, err = f.foundByID(r, member, person, search)
	case !search.CountOnly:
		page, err = f.Biomarkers.Read(r.Context(), member, person, search.Query)
	}
	if err != nil || !search.CountOnly && !search.Total {
		return page, nil, err
	}
	count := len(page.Results)
	if search.IDs == nil && !search.Nothing {
		count, err = f.Biomarkers.Count(r.Context(), member, person, search.Query)
	}
	if search.CountOnly {
		page = biomarker.Page{}
	}
	return page, &count, err
}

// foundByID reads the results of the ids that a search names, which are on one page:
// an address has room for no more.
func (f *fhirHost) foundByID(r *http.Request, member loop.MemberID, person biomarker.Person, search *fhir.Search) (biomarker.Page, error) {
	var page biomarker.Page
	for _, id := range search.IDs {
		found, err := f.Biomarkers.Find(r.Context(), member, person, id)
		if errors.Is(err, loop.ErrNotFound) {
			continue
		}
		if err != nil {
			return biomarker.Page{}, err
		}
		if search.Wants(found) {
			page.Results = append(page.Results, *found)
		}
	}
	slices.SortFunc(page.Results, func(a, b biomarker.Judged) int {
		if order := b.CollectedAt.Compare(a.CollectedAt); order != 0 {
			return order
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return page, nil
}
