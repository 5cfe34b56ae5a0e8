package portal

import (
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

//go:embed pages/*.html
var pageFiles embed.FS

func parsePages() (*web.Pages, error) {
	files, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, err
	}
	return web.ParsePages("portal", files)
}

func (h *Host) frame(section string, dev *developer) web.PortalFrame {
	f := web.PortalFrame{Section: section}
	if dev != nil && dev.ID != "" { // who has no session can't sign out of it
		f.Developer, f.CSRF = dev.Name, h.newFormToken(dev.Member)
	}
	return f
}

// Reader gives who reads the documentation, which is another room on this host.
func (h *Host) Reader(r *http.Request, section string) (web.PortalReader, error) {
	dev, err := h.developer(r)
	if err != nil || dev == nil {
		return web.PortalReader{Frame: h.frame(section, nil)}, err
	}
	apps, err := h.clients.Store.ClientsOf(r.Context(), dev.Member)
	if err != nil {
		return web.PortalReader{}, err
	}
	reader := web.PortalReader{Frame: h.frame(section, dev)}
	for _, app := range apps {
		reader.Apps = append(reader.Apps, web.PortalApp{ID: app.ID, Name: app.Name, Path: appPath(app.ID), Settings: h.settings(app, "")})
	}
	return reader, nil
}

// copied are the pages from which one copies: a script puts a button there.
var copied = []string{"app", "secret", "request", "debugger", "playground", "webhook_secret", "test_members"}

// render shows a page. Its forms lead to this host, and to identity where their
// sender has to sign in first: browsers hold a form's redirects to the policy too.
func (h *Host) render(w http.ResponseWriter, status int, name string, view any) error {
	var more []string
	if slices.Contains(copied, name) {
		more = []string{"script-src 'self'"}
	}
	web.AllowPage(w.Header(), "'self' "+h.identity.origin(), more...)
	return h.pages.Render(w, status, name, view)
}

// appsView is the data of apps.html.
type appsView struct {
	web.PortalFrame
	Apps  []appRow
	Full  bool // no more can be registered
	Most  int
	News  []activity // since the visit before this one
	Since string     // when that was
}

type appRow struct {
	Name        string
	ID          loop.ClientID
	Path        string
	Public      bool
	Development bool
	Disabled    bool
	MadeOn      string
}

func newAppRow(app *loop.Client) appRow {
	return appRow{
		Name: app.Name, ID: app.ID, Path: appPath(app.ID), Public: app.Type == loop.Public,
		Development: app.Mode == loop.Development, Disabled: !app.Enabled, MadeOn: day(app.CreatedAt),
	}
}

func (h *Host) appsPage(w http.ResponseWriter, dev *developer, apps []*loop.Client, news []activity) error {
	view := appsView{PortalFrame: h.frame("apps", dev), Full: len(apps) >= registration.MaxApps, Most: registration.MaxApps, News: news, Since: moment(dev.Since)}
	for _, app := range apps {
		view.Apps = append(view.Apps, newAppRow(app))
	}
	return h.render(w, http.StatusOK, "apps", view)
}

// secretView is the data of secret.html.
type secretView struct {
	web.PortalFrame
	App      string
	Path     string
	ID       loop.ClientID
	Secret   string
	Settings web.AppSettings
}

func (h *Host) secretPage(w http.ResponseWriter, dev *developer, app *loop.Client, secret string) error {
	return h.render(w, http.StatusOK, "secret", secretView{
		PortalFrame: h.frame("apps", dev), App: app.Name, Path: appPath(app.ID), ID: app.ID, Secret: secret,
		Settings: h.settings(app, secret),
	})
}

// confirmation is a question before an act: the data of confirm.html.
type confirmation struct {
	web.PortalFrame
	App      string
	Question string // as far as the app's name
	Text     string
	Action   string
	Button   string // its id
	Verb     string
	Back     string
	Danger   bool
}

func (h *Host) confirmPage(w http.ResponseWriter, dev *developer, view confirmation) error {
	view.PortalFrame = h.frame("apps", dev)
	return h.render(w, http.StatusOK, "confirm", view)
}

// signedOutView is the data of signed_out.html.
type signedOutView struct {
	web.PortalFrame
	SignOut string // identity's own page for it
}

// signedOut answers GET /signed-out.
func (h *Host) signedOut(w http.ResponseWriter, _ *http.Request) error {
	return h.render(w, http.StatusOK, "signed_out", signedOutView{SignOut: h.identity.issuer + "/signout"})
}

// errorView is the data of error.html.
type errorView struct {
	web.PortalFrame
	Title       string
	Description string
	Page        string // of the documentation
	Code        loop.Code
	RequestID   loop.RequestID
}

// errorPage is the page of every error of the host.
func (h *Host) errorPage(w http.ResponseWriter, r *http.Request, e *loop.Error) error {
	dev, _ := h.developer(r) // who is signed in is in the header, if it is known
	view := errorView{
		PortalFrame: h.frame("", dev), Title: h.english.Text(web.ErrorTitle(e.Code)), Description: e.Description,
		Page: web.ErrorPath(e.Code), Code: e.Code, RequestID: web.RequestID(r.Context()),
	}
	return h.render(w, h.site.Note(w, r, e), "error", view)
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04") + " UTC" }
