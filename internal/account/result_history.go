package account

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/resultview"
	"github.com/loop-health/loop/internal/web"
)

// historyView is the data of result.html.
type historyView struct {
	web.AccountFrame
	Name   string
	Newest *resultRow // nil: there is no result
	Chart  template.HTML
	Legend []string // keys of the texts that explain the chart's marks
	// How many results the chart shows in another unit than theirs, and which one, and
	// how many are only in the list.
	Converted, Listed int
	Unit              string

	Rows  []historyRow
	Older string    // the address of what is before; empty: nothing is
	Shown time.Time // the day, for who prints it
}

// historyRow is a result in a list of one biomarker's.
type historyRow struct {
	resultRow
	At       time.Time // zero: no time of the day is known
	Received time.Time
	Source   string
	Own      bool   // the member added it from a file
	App      string // which sent it; empty: none did
}

// historyAtOnce is how many results are in a list and its chart.
const historyAtOnce = 100

// showHistory answers GET /account/results/{code}: all results of one biomarker.
func (h *Host) showHistory(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	measured, known := h.Biomarkers.Catalogue.Find(biomarker.Code(r.PathValue("code")))
	if !known {
		return web.NotFound()
	}
	page, err := h.ownResults(r, m, biomarker.Query{Codes: []biomarker.Code{measured.Code}, Limit: historyAtOnce, Cursor: r.URL.Query().Get("cursor")})
	if err != nil {
		return err
	}
	words := resultview.Words{Language: h.Visitors.Language(r)}
	view := historyView{AccountFrame: h.frame(w, r, "results", m), Name: words.Name(measured), Shown: h.world.Now()}
	if view.Rows, err = h.historyRows(r.Context(), words, page.Results); err != nil {
		return err
	}
	if len(view.Rows) > 0 {
		view.Newest = &view.Rows[0].resultRow
	}
	if drawn := resultview.NewHistory(words, page.Results, ""); drawn != nil {
		view.Chart, view.Legend, view.Unit = drawn.Inline(), drawn.Legend(), drawn.Unit()
		view.Converted, view.Listed = drawn.Converted, drawn.Listed
	}
	if page.Next != "" {
		view.Older = resultsPath + "/" + string(measured.Code) + "?cursor=" + page.Next
	}
	return h.Visitors.Show(w, r, h.ownPages, "result", view, nil)
}

func (h *Host) historyRows(ctx context.Context, words resultview.Words, results []biomarker.Judged) ([]historyRow, error) {
	rows := make([]historyRow, len(results))
	for i := range results {
		r := &results[i]
		row := historyRow{resultRow: newResultRow(words, r), Received: r.ParsedAt, Source: r.Source, Own: r.Source == uploadSource && r.SentBy == ""}
		if r.Precision == biomarker.ToTheMoment {
			row.At = r.CollectedAt
		}
		if r.SentBy != "" {
			var err error
			if row.App, err = h.Connections.NameOf(ctx, r.SentBy); err != nil {
				return nil, err
			}
		}
		rows[i] = row
	}
	return rows, nil
}
