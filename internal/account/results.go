package account

import (
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/resultview"
	"github.com/loop-health/loop/internal/web"
)

const resultsPath = "/account/results"

// resultsView is the data of results.html.
type resultsView struct {
	web.AccountFrame
	Groups []resultGroup
	Shown  time.Time // the day, for who prints it

	BirthDate string // as it is kept, or was typed
	Saved     bool   // just now
	Fault     *loop.Error
}

// resultGroup is the newest result of each biomarker of a category.
type resultGroup struct {
	Category string // the key of its name
	Rows     []resultRow
}

// resultRow is a result in words, and as a mark on its range.
type resultRow struct {
	Code        biomarker.Code
	Name        string
	Value, Unit string
	Status      string // empty: not known
	Tone        biomarker.Status
	Range       string // empty: there is none
	Gauge       template.HTML
	When        string
}

// showResults answers GET /account/results: the member's newest result of each
// biomarker.
func (h *Host) showResults(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	return h.resultsPage(w, r, m, resultsView{BirthDate: m.BirthDate(), Saved: r.URL.Query().Has("saved")})
}

// postResults answers POST /account/results: the member's birth date, by which some
// ranges go.
func (h *Host) postResults(w http.ResponseWriter, r *http.Request) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	return h.own(func(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
		err := h.Accounts.SetBirthDate(r.Context(), m.ID, form.Get("birth_date"))
		if fault, ok := errors.AsType[*loop.Error](err); ok && fault.Code == loop.ValidationError {
			return h.resultsPage(w, r, m, resultsView{BirthDate: form.Get("birth_date"), Fault: fault})
		}
		if err != nil {
			return err
		}
		return web.SeeOther(w, r, resultsPath+"?saved=1")
	})(w, r)
}

func (h *Host) resultsPage(w http.ResponseWriter, r *http.Request, m *loop.Member, view resultsView) error {
	page, err := h.ownResults(r, m, biomarker.Query{Latest: true, Limit: biomarker.MaxLimit})
	if err != nil {
		return err
	}
	words := resultview.Words{Language: h.Visitors.Language(r)}
	view.AccountFrame, view.Groups, view.Shown = h.frame(w, r, "results", m), h.grouped(words, page.Results), h.world.Now()
	return h.Visitors.Show(w, r, h.ownPages, "results", view, view.Fault)
}

// ownResults reads a page of the member's results, for their own eyes. It is recorded
// before it is shown, but for one without any.
func (h *Host) ownResults(r *http.Request, m *loop.Member, q biomarker.Query) (biomarker.Page, error) {
	page, err := h.Biomarkers.Read(r.Context(), m.ID, biomarker.Person{Sex: m.Sex, BornOn: m.BornOn}, q)
	if err != nil || len(page.Results) == 0 {
		return page, err
	}
	return page, h.Accounts.ViewedResults(r.Context(), m.ID, len(page.Results))
}

// grouped brings results into the catalogue's order, by category.
func (h *Host) grouped(words resultview.Words, results []biomarker.Judged) (groups []resultGroup) {
	newest := make(map[biomarker.Code]*biomarker.Judged, len(results))
	for i := range results {
		newest[results[i].Code] = &results[i]
	}
	of := make(map[biomarker.Category]int)
	for b := range h.Biomarkers.Catalogue.All() {
		r, measured := newest[b.Code]
		if !measured {
			continue
		}
		at, begun := of[b.Category]
		if !begun {
			at = len(groups)
			of[b.Category], groups = at, append(groups, resultGroup{Category: "results.category." + string(b.Category)})
		}
		groups[at].Rows = append(groups[at].Rows, newResultRow(words, r))
	}
	return groups
}

func newResultRow(words resultview.Words, r *biomarker.Judged) resultRow {
	row := resultRow{
		Code: r.Code, Name: words.Name(r.Biomarker), Status: words.Status(r), Tone: r.Status, Range: words.Range(r),
		Gauge: resultview.Gauge(r), When: words.When(r),
	}
	row.Value, row.Unit = words.Value(r)
	return row
}
