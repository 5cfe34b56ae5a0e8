package account

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// appView is the data of app.html.
type appView struct {
	web.AccountFrame
	readsView
	ID        loop.GrantID
	ClientID  loop.ClientID
	App       *visitor.App
	Since     time.Time
	Until     time.Time // zero: no end was chosen
	Terms     visitor.Terms
	LastUsed  time.Time // zero: never
	Scopes    []scopeRow
	CanNarrow bool
	Declined  loop.Scopes
	Chart     chart
	Saved     bool // less than before, just now
	SavedEnd  bool // another end, just now
	SavedAsk  bool // the app may ask again, just now
	Fault     *loop.Error
}

// scopeRow is a scope that the app has.
type scopeRow struct {
	Scope  loop.Scope
	Needed bool // the app can't do without it
}

// newestReads is how many reads an app's page shows.
const newestReads = 10

// showApp answers GET /account/apps/{grant}: one app, what it may see and what it read.
func (h *Host) showApp(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	return h.appPage(w, r, m, nil)
}

func (h *Host) appPage(w http.ResponseWriter, r *http.Request, m *loop.Member, fault *loop.Error) error {
	app, err := h.Connections.Find(r.Context(), m.ID, loop.GrantID(r.PathValue("grant")))
	if errors.Is(err, loop.ErrNotFound) {
		return errNoApp
	}
	if err != nil {
		return err
	}
	page, err := h.Connections.Activity(r.Context(), m.ID, app.Client.ID, connection.ReadPlace{}, newestReads)
	if err != nil {
		return err
	}
	view := newAppView(app, page.Reads)
	view.AccountFrame, view.Saved, view.Fault = h.frame(w, r, "apps", m), r.URL.Query().Has("saved"), fault
	view.SavedEnd, view.SavedAsk = r.URL.Query().Has("ends"), r.URL.Query().Has("asks")
	return h.Visitors.Show(w, r, h.ownPages, "app", view, fault)
}

// errNoApp is the answer for a grant that is not there any more, or another member's.
var errNoApp = loop.Errorf(loop.NotFound, "No app of yours stands here. It may have been disconnected already.").Worded("fault.no_app")

func newAppView(app *connection.App, reads []connection.Read) appView {
	view := appView{
		ID: app.Grant.ID, ClientID: app.Client.ID, App: newApp(app.Client), Since: app.Grant.CreatedAt, Until: app.Grant.EndsAt,
		Terms:    visitor.Terms{Kept: app.Grant.EndsAt},
		LastUsed: app.LastUsedAt, Declined: app.Grant.Declined, Chart: newChart(app.Usage),
		readsView: readsView{Reads: newReadRows(reads, nil)},
	}
	needed := oauth.NeededOf(app.Client, app.Grant.Scopes)
	for _, scope := range app.Grant.Scopes {
		view.Scopes = append(view.Scopes, scopeRow{Scope: scope, Needed: needed.Has(scope)})
	}
	view.CanNarrow = len(needed) < len(app.Grant.Scopes)
	return view
}

// postApp answers POST /account/apps/{grant}: take scopes away, let the app ask
// again for what was left out, change its end, or disconnect. Doing
// so twice leads on as the first time does.
func (h *Host) postApp(w http.ResponseWriter, r *http.Request) error {
	form, err := h.Visitors.Form(w, r)
	if err != nil {
		return err
	}
	return h.own(func(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
		switch form.Get("act") {
		case "disconnect":
			return h.disconnect(w, r, m)
		case "narrow":
			return h.narrow(w, r, m, form)
		case "ask":
			return h.letAsk(w, r, m)
		case "term":
			return h.setEnd(w, r, m, loop.Term(form.Get("term")))
		default:
			return loop.Errorf(loop.InvalidRequest, "This form does not say what to do. Go back and try again.")
		}
	})(w, r)
}

func (h *Host) disconnect(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	err := h.Connections.Disconnect(r.Context(), m.ID, loop.GrantID(r.PathValue("grant")), byMember(m))
	if errors.Is(err, loop.ErrNotFound) {
		return errNoApp
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, appsPath+"?disconnected")
}

func (h *Host) letAsk(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	id := loop.GrantID(r.PathValue("grant"))
	if err := h.Connections.LetAsk(r.Context(), m.ID, id, byMember(m)); err != nil {
		return err
	}
	return web.SeeOther(w, r, appsPath+"/"+string(id)+"?asks")
}

// setEnd lets the app have what it has for another term, from now on.
func (h *Host) setEnd(w http.ResponseWriter, r *http.Request, m *loop.Member, term loop.Term) error {
	id := loop.GrantID(r.PathValue("grant"))
	if err := h.Connections.SetEnd(r.Context(), m.ID, id, term, byMember(m)); err != nil {
		return err
	}
	return web.SeeOther(w, r, appsPath+"/"+string(id)+"?ends")
}

func (h *Host) narrow(w http.ResponseWriter, r *http.Request, m *loop.Member, form url.Values) error {
	id := loop.GrantID(r.PathValue("grant"))
	app, err := h.Connections.Find(r.Context(), m.ID, id)
	if errors.Is(err, loop.ErrNotFound) {
		return errNoApp
	}
	if err != nil {
		return err
	}
	keep := oauth.NeededOf(app.Client, app.Grant.Scopes)
	for _, scope := range form["scope"] {
		keep = keep.Or(loop.NewScopes(loop.Scope(scope)))
	}
	err = h.Connections.Narrow(r.Context(), m.ID, id, keep, byMember(m))
	if fault, ok := fieldFault(err); ok {
		return h.appPage(w, r, m, fault)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, appsPath+"/"+string(id)+"?saved")
}
