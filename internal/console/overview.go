package console

import (
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/operator"
	"github.com/loop-health/loop/internal/web"
)

// overviewView is the data of overview.html.
type overviewView struct {
	web.ConsoleFrame
	Health    []Finding
	Keys      []keyRow
	Operators []operatorRow
}

type keyRow struct{ For, State, Until string }

type operatorRow struct {
	ID, Name string
	Role     operator.Role
	Since    string
}

// showOverview answers GET /admin.
func (h *Host) showOverview(w http.ResponseWriter, r *http.Request, on *onDuty) error {
	view := overviewView{ConsoleFrame: h.frame(w, r, "overview", on), Health: h.Health.Health(r.Context())}
	lives, err := h.Operations.Keys.Lives(r.Context())
	if err != nil {
		return err
	}
	for _, life := range lives {
		view.Keys = append(view.Keys, keyRow{life.String(), string(life.State), moment(life.KeptUntil)})
	}
	all, err := h.Team.List(r.Context())
	if err != nil {
		return err
	}
	for _, o := range all {
		m, err := h.Operations.Store.Member(r.Context(), o.Member)
		if err != nil {
			return err
		}
		view.Operators = append(view.Operators, operatorRow{string(o.Member), m.Name, o.Role, moment(o.AddedAt)})
	}
	return h.show(w, r, on, "overview", "", "", view)
}

// moment is a time as the console shows it; empty: there is none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
