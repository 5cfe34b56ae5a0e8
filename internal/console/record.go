package console

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/admin"
	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// recordView is the data of record.html.
type recordView struct {
	web.ConsoleFrame
	Member, Client, Event, Actor string // sought
	Records                      []recordRow
}

type recordRow struct {
	At, Event, By, Member, Client, Detail string
}

// recordsAtOnce is how many records the search shows.
const recordsAtOnce = 200

// showRecord answers GET /admin/record.
func (h *Host) showRecord(w http.ResponseWriter, r *http.Request, on *onDuty) error {
	q := r.URL.Query()
	view := recordView{ConsoleFrame: h.frame(w, r, "record", on), Member: q.Get("member"), Client: q.Get("client"), Event: q.Get("event"), Actor: q.Get("actor")}
	f := filterOf(loop.MemberID(view.Member), loop.ClientID(view.Client))
	f.Event, f.Actor = view.Event, view.Actor
	var err error
	if view.Records, err = h.records(r.Context(), f, recordsAtOnce); err != nil {
		return err
	}
	return h.show(w, r, on, "record", loop.MemberID(view.Member), loop.ClientID(view.Client), view)
}

func filterOf(m loop.MemberID, c loop.ClientID) audit.Filter {
	return audit.Filter{Member: string(m), Client: string(c)}
}

// records gives the newest records, newest first.
func (h *Host) records(ctx context.Context, f audit.Filter, atMost int) (rows []recordRow, err error) {
	err = h.Operations.Audit.Tail(ctx, f, atMost, func(entry admin.Entry) error {
		rec := entry.Record
		var detail []string
		for _, key := range slices.Sorted(maps.Keys(rec.Detail)) {
			detail = append(detail, key+": "+rec.Detail[key])
		}
		rows = append(rows, recordRow{
			moment(rec.At), string(rec.Event), strings.TrimSpace(string(rec.Actor.Kind) + " " + rec.Actor.ID), string(rec.Member), string(rec.Client), strings.Join(detail, ", "),
		})
		return nil
	})
	slices.Reverse(rows)
	return rows, err
}
