package clinical

import (
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/resultview"
	"github.com/loop-health/loop/internal/web"
)

const (
	chartPath = biomarkersPath + "/chart.svg"
	formatSVG = "image/svg+xml"
)

// chartBiomarker answers GET /v1/biomarkers/me/chart.svg: the history of one biomarker,
// drawn in a system of units, in the language of Accept-Language.
func (h *Host) chartBiomarker(w http.ResponseWriter, r *http.Request, token oauth.AccessToken) error {
	if _, err := web.Negotiate(r, formatSVG); err != nil {
		return err
	}
	query, err := h.query(r)
	if err != nil {
		return err
	}
	if len(query.Codes) != 1 {
		return loop.Errorf(loop.ValidationError, "A chart is of one biomarker: send its code, such as code=tsh, once.").About("code")
	}
	person, err := h.person(r.Context(), token.Member)
	if err != nil {
		return err
	}
	page, err := h.Biomarkers.Read(r.Context(), token.Member, person, query)
	if err != nil {
		return refusedOr(web.Unavailable, err)
	}
	measured, _ := h.Biomarkers.Catalogue.Find(query.Codes[0])
	language := h.Texts.Match(strings.Join(r.Header.Values("Accept-Language"), ","))
	chart := resultview.NewHistory(resultview.Words{Language: language}, page.Results, measured.In(query.System).Unit)
	if chart == nil {
		return loop.Errorf(loop.NotFound, "This member has no result of this biomarker that is a number, so there is nothing to draw. GET /v1/biomarkers/me has those in words.")
	}
	if err := h.record(r, token, len(page.Results), append(query.Filters(), "chart")); err != nil {
		return err
	}
	h.linkNext(w, r, page.Next)
	w.Header().Set("Content-Language", language.Tag)
	w.Header().Add("Vary", "Accept-Language")
	writeChart(w, chart)
	return nil
}

func writeChart(w http.ResponseWriter, chart *resultview.History) {
	w.Header().Set("Content-Type", formatSVG)
	w.Header().Set("Content-Security-Policy", resultview.ChartPolicy())
	_, _ = w.Write(chart.SVG()) // the client has gone: nobody reads the error
}
