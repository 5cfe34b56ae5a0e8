package account

import (
	"errors"
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// receiptsView is the data of receipts.html.
type receiptsView struct {
	web.AccountFrame
	ID       loop.GrantID
	App      string
	Receipts []receiptRow
}

// receiptRow is one answer of the member's.
type receiptRow struct {
	At    time.Time
	Until time.Time // zero: no end was chosen
	Shown loop.ConsentPage
	Lines []receiptLine
}

// receiptLine is what was said of a scope, and what the member answered to it.
type receiptLine struct {
	loop.ConsentLine
	Allowed bool
}

// showReceipts answers GET /account/apps/{grant}/receipts: what the member was shown
// each time they answered the app, and what they answered.
func (h *Host) showReceipts(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	id := loop.GrantID(r.PathValue("grant"))
	app, err := h.Connections.Find(r.Context(), m.ID, id)
	if errors.Is(err, loop.ErrNotFound) {
		return errNoApp
	}
	if err != nil {
		return err
	}
	receipts, err := h.Connections.Receipts(r.Context(), m.ID, id)
	if err != nil {
		return err
	}
	view := receiptsView{AccountFrame: h.frame(w, r, "apps", m), ID: id, App: app.Client.Name}
	for i := range receipts {
		view.Receipts = append(view.Receipts, newReceiptRow(&receipts[i]))
	}
	return h.Visitors.Show(w, r, h.ownPages, "receipts", view, nil)
}

func newReceiptRow(r *loop.Receipt) receiptRow {
	row := receiptRow{At: r.At, Until: r.EndsAt, Shown: r.Shown}
	for _, line := range r.Shown.Lines {
		row.Lines = append(row.Lines, receiptLine{line, r.Allowed.Has(line.Scope)})
	}
	return row
}
