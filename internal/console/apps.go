package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// appsView is the data of apps.html.
type appsView struct {
	web.ConsoleFrame
	Apps []*loop.Client
}

// showApps answers GET /admin/apps.
func (h *Host) showApps(w http.ResponseWriter, r *http.Request, on *onDuty) error {
	apps, err := h.Operations.Store.Clients(r.Context())
	if err != nil {
		return err
	}
	return h.show(w, r, on, "apps", "", "", appsView{h.frame(w, r, "apps", on), apps})
}

// appView is the data of app.html.
type appView struct {
	web.ConsoleFrame
	App       *loop.Client
	Standing  loop.Standing
	Agreement string
	Since     string
	Redirects []string
	Review    string // empty: nothing is to be reviewed
	Compared  []comparedRow
	Records   []recordRow
}

// comparedRow is something as it was verified and as it is now.
type comparedRow struct {
	Name, Verified, Now string
	Changed             bool
}

// appRecords is how many records of an app its page shows.
const appRecords = 50

// showApp answers GET /admin/apps/{client}.
func (h *Host) showApp(w http.ResponseWriter, r *http.Request, on *onDuty) error {
	app, err := h.app(r)
	if err != nil {
		return err
	}
	view := appView{ConsoleFrame: h.frame(w, r, "apps", on), App: app, Standing: app.Standing(), Since: moment(app.CreatedAt), Review: app.Review()}
	if app.BAA != nil {
		view.Agreement = "signed on " + app.BAA.SignedOn.Format("2006-01-02") + " by " + app.BAA.By
	}
	for _, uri := range app.RedirectURIs {
		view.Redirects = append(view.Redirects, string(uri))
	}
	if app.Appearance.Verified != nil {
		view.Compared = compare(*app.Appearance.Verified, app.Shown())
	}
	if view.Records, err = h.records(r.Context(), filterOf("", app.ID), appRecords); err != nil {
		return err
	}
	return h.show(w, r, on, "app", "", app.ID, view)
}

// compare puts what was verified beside what is there now.
func compare(verified, now loop.Shown) (rows []comparedRow) {
	for _, row := range [][3]string{
		{"Name", verified.Name, now.Name},
		{"Home page", verified.HomePage, now.HomePage},
		{"Privacy policy", verified.PolicyPage, now.PolicyPage},
		{"Terms", verified.TermsPage, now.TermsPage},
		{"Logo", verified.Logo, now.Logo},
		{"Redirect hosts", strings.Join(verified.Hosts, " "), strings.Join(now.Hosts, " ")},
	} {
		rows = append(rows, comparedRow{row[0], row[1], row[2], row[1] != row[2]})
	}
	return rows
}

// app reads the app that the address names; NotFound where there is none.
func (h *Host) app(r *http.Request) (*loop.Client, error) {
	app, err := h.Operations.Store.Client(r.Context(), loop.ClientID(r.PathValue("client")))
	if errors.Is(err, loop.ErrNotFound) {
		return nil, web.NotFound()
	}
	return app, err
}

// actOnApp answers POST /admin/apps/{client}.
func (h *Host) actOnApp(r *http.Request, on *onDuty, form url.Values) (next string, err error) {
	app, err := h.app(r)
	if err != nil {
		return "", err
	}
	switch ctx := r.Context(); form.Get("act") {
	case "disable":
		_, err = h.Operations.Clients.SetEnabled(ctx, app.ID, on.actor(), false)
	case "enable":
		_, err = h.Operations.Clients.SetEnabled(ctx, app.ID, on.actor(), true)
	case "approve":
		_, err = h.Operations.Clients.Approve(ctx, app.ID, form.Get("review"), on.actor())
	default:
		err = errNoAct
	}
	return appsPath + "/" + string(app.ID), err
}
