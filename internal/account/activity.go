package account

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// readsView is the data of a list of reads.
type readsView struct {
	Reads   []readRow
	ShowApp bool
}

// readRow is a read in words.
type readRow struct {
	At    time.Time
	App   string
	Count int // of lab results
}

// activityView is the data of activity.html.
type activityView struct {
	web.AccountFrame
	readsView
	OnlyApp string // the one app whose reads are listed; empty: all
	Next    string // the address of older ones; empty: there are none
}

// readsAtOnce is how many reads a page lists.
const readsAtOnce = 50

// showActivity answers GET /account/activity: what apps read of the member, newest
// first.
func (h *Host) showActivity(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	query := r.URL.Query()
	after, err := connection.ParseReadPlace(query.Get("cursor"))
	if err != nil {
		return err
	}
	client := loop.ClientID(query.Get("client"))
	page, err := h.Connections.Activity(r.Context(), m.ID, client, after, readsAtOnce)
	if err != nil {
		return err
	}
	names, err := h.names(r.Context(), page.Reads)
	if err != nil {
		return err
	}
	view := activityView{
		AccountFrame: h.frame(w, r, "activity", m),
		readsView:    readsView{Reads: newReadRows(page.Reads, names), ShowApp: client == ""},
	}
	if client != "" && len(page.Reads) > 0 {
		view.OnlyApp = names[client]
	}
	if !page.Next.IsZero() {
		view.Next = activityPath + "?" + olderThan(client, page.Next).Encode()
	}
	return h.Visitors.Show(w, r, h.ownPages, "activity", view, nil)
}

func olderThan(client loop.ClientID, place connection.ReadPlace) url.Values {
	query := url.Values{"cursor": {place.String()}}
	if client != "" {
		query.Set("client", string(client))
	}
	return query
}

// names finds the names of the apps in a list of reads. Apps are not deleted, but
// one that is not found is called by its id.
func (h *Host) names(ctx context.Context, reads []connection.Read) (map[loop.ClientID]string, error) {
	names := make(map[loop.ClientID]string)
	for i := range reads {
		id := reads[i].Client
		if _, known := names[id]; known {
			continue
		}
		name, err := h.Connections.NameOf(ctx, id)
		if err != nil {
			return nil, err
		}
		names[id] = name
	}
	return names, nil
}

func newReadRows(reads []connection.Read, names map[loop.ClientID]string) []readRow {
	rows := make([]readRow, len(reads))
	for i := range reads {
		rows[i] = readRow{At: reads[i].At(), App: names[reads[i].Client], Count: reads[i].Count}
	}
	return rows
}
