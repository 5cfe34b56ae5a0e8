package clinical

import (
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// showBiomarker answers GET /v1/biomarkers/me/{id}: one of the member's results.
// Another member's is not found, as one that never was.
func (h *Host) showBiomarker(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	query, person, err := h.prepare(r, token)
	if err != nil {
		return err
	}
	found, err := h.Biomarkers.Find(r.Context(), token.Member, person, loop.ResultID(r.PathValue("id")))
	if errors.Is(err, loop.ErrNotFound) {
		return noSuchResult()
	}
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	if err := h.record(r, token, 1, []string{"id"}); err != nil {
		return err
	}
	web.WriteEncodedJSON(w, http.StatusOK, encodeResult(token.Member, found, query.System))
	return nil
}

func noSuchResult() error {
	return loop.Errorf(loop.NotFound, "This member has no lab result with this id.")
}

// summarizeBiomarkers answers GET /v1/biomarkers/me/summary: each biomarker's newest
// result, the one before it, and the change.
func (h *Host) summarizeBiomarkers(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	query, person, err := h.prepare(r, token)
	if err != nil {
		return err
	}
	trends, err := h.Biomarkers.Summarize(r.Context(), token.Member, person)
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	if err := h.record(r, token, shownIn(trends), []string{"summary"}); err != nil {
		return err
	}
	web.WriteEncodedJSON(w, http.StatusOK, encodeSummary(token.Member, trends, query.System))
	return nil
}

// prepare judges a request for JSON and finds out about the member.
func (h *Host) prepare(r *http.Request, token oauth.AccessToken) (biomarker.Query, biomarker.Person, error) {
	if _, err := web.Negotiate(r, formatJSON); err != nil {
		return biomarker.Query{}, biomarker.Person{}, err
	}
	query, err := h.query(r)
	if err != nil {
		return biomarker.Query{}, biomarker.Person{}, err
	}
	person, err := h.person(r.Context(), token.Member)
	return query, person, err
}

// shownIn counts the results in a summary.
func shownIn(trends []biomarker.Trend) int {
	count := 0
	for i := range trends {
		count++
		if trends[i].Previous != nil {
			count++
		}
	}
	return count
}
