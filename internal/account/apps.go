package account

import (
	"net/http"
	"time"

	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// appsView is the data of apps.html.
type appsView struct {
	web.AccountFrame
	Apps         []appRow
	Weeks        int  // for which reads are looked at
	Disconnected bool // an app, just now
}

// appRow is an app in the list.
type appRow struct {
	ID       loop.GrantID
	App      *visitor.App
	Scopes   loop.Scopes
	Since    time.Time
	Until    time.Time // zero: until the member disconnects it
	LastUsed time.Time // zero: never
	LastRead time.Time // zero: not in as many weeks as are looked at
}

// showApps answers GET /account/apps: the apps that the member allowed.
func (h *Host) showApps(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	apps, err := h.Connections.List(r.Context(), m.ID)
	if err != nil {
		return err
	}
	view := appsView{AccountFrame: h.frame(w, r, "apps", m), Weeks: connection.Weeks, Disconnected: r.URL.Query().Has("disconnected")}
	for i := range apps {
		view.Apps = append(view.Apps, newAppRow(&apps[i]))
	}
	return h.Visitors.Show(w, r, h.ownPages, "apps", view, nil)
}

func newAppRow(app *connection.App) appRow {
	return appRow{
		ID: app.Grant.ID, App: newApp(app.Client), Scopes: app.Grant.Scopes, Since: app.Grant.CreatedAt, Until: app.Grant.EndsAt,
		LastUsed: app.LastUsedAt, LastRead: app.Usage.LastReadAt,
	}
}

// newApp is how a member sees an app that they allowed: by the host of its metadata
// document, else of where it returns to.
func newApp(c *loop.Client) *visitor.App {
	var uri loop.RedirectURI
	if len(c.RedirectURIs) > 0 {
		uri = c.RedirectURIs[0]
	}
	app := visitor.NewApp(c, uri)
	if app.Source != "" {
		app.Host = app.Source
	}
	return app
}
