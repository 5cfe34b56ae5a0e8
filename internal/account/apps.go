package account

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// appsView is the data of apps.html.
type appsView struct {
	web.AccountFrame
	Apps []appRow
	Done string // what was just done; empty: nothing
}

// appRow is an app in the list.
type appRow struct {
	ID       loop.GrantID
	App      *visitor.App
	MaySee   string
	Since    string
	Until    string
	LastUsed string
	LastRead string
}

// showApps answers GET /account/apps: the apps that the member allowed.
func (h *Host) showApps(w http.ResponseWriter, r *http.Request, m *loop.Member) error {
	apps, err := h.Connections.List(r.Context(), m.ID)
	if err != nil {
		return err
	}
	view := appsView{AccountFrame: h.frame(w, r, "apps", m)}
	for i := range apps {
		view.Apps = append(view.Apps, newAppRow(&apps[i]))
	}
	if r.URL.Query().Has("disconnected") {
		view.Done = "The app is disconnected. It can see nothing of yours any more."
	}
	return h.Visitors.Show(w, r, h.ownPages, "apps", view, nil)
}

func newAppRow(app *connection.App) appRow {
	return appRow{
		ID: app.Grant.ID, App: newApp(app.Client), MaySee: titles(app.Grant.Scopes), Since: day(app.Grant.CreatedAt),
		Until:    dayOr(app.Grant.EndsAt, "you disconnect it"),
		LastUsed: dayOr(app.LastUsedAt, "never"), LastRead: dayOr(app.Usage.LastReadAt, fmt.Sprintf("nothing in the last %d weeks", connection.Weeks)),
	}
}

// newApp is how a member sees an app that they allowed: by the host of its home page,
// else of where it returns to.
func newApp(c *loop.Client) *visitor.App {
	var uri loop.RedirectURI
	if len(c.RedirectURIs) > 0 {
		uri = c.RedirectURIs[0]
	}
	return visitor.NewApp(c, uri)
}

// titles says in plain words what scopes open.
func titles(scopes loop.Scopes) string {
	var list []string
	for _, scope := range scopes {
		if info, known := scope.Info(); known {
			list = append(list, strings.ToLower(info.Title[:1])+info.Title[1:])
		}
	}
	return strings.Join(list, "; ")
}
