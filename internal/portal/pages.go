package portal

import (
	"embed"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	if dev != nil {
		f.Developer, f.CSRF = dev.Name, h.newFormToken(dev.Member)
	}
	return f
}

// Frame gives what the layout shows around a page of another room on this host.
func (h *Host) Frame(r *http.Request, section string) (web.PortalFrame, error) {
	dev, err := h.developer(r)
	if err != nil {
		return web.PortalFrame{}, err
	}
	return h.frame(section, dev), nil
}

// copied are the pages from which one copies: a script puts a button there.
var copied = []string{"app", "secret"}

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

// appView is the data of app.html.
type appView struct {
	web.PortalFrame
	appRow
	RedirectURIs []loop.RedirectURI
	Scopes       loop.Scopes
	Titles       []string // of the scopes, as members read them
	Verified     bool
	Secret       string // when it was made
	Before       string // until when the one before works; empty: there is none
	HomePage     string
	PolicyPage   string
	TermsPage    string
	Review       bool // its verification ended with a change, and Loop looks at it again
	Activity     []activity
	Consent      string // leads to the consent page; empty: a service, which members never meet
	Settings     settings
}

// settings are what an app needs to know of itself and of us, as lines of shell.
type settings struct {
	ID                 loop.ClientID
	Secret             string // empty where it isn't shown
	RedirectURI        string
	Identity, Clinical string
}

func (h *Host) settings(app *loop.Client, secret string) settings {
	s := settings{ID: app.ID, Secret: secret, Identity: h.identity.issuer, Clinical: h.clinical.String()}
	if len(app.RedirectURIs) > 0 { // a service has none
		s.RedirectURI = strings.ReplaceAll(string(app.RedirectURIs[0]), "'", `'\''`) // within a shell's quotes
	}
	return s
}

func (h *Host) appPage(w http.ResponseWriter, dev *developer, app *loop.Client, done []activity) error {
	view := appView{
		PortalFrame: h.frame("apps", dev), appRow: newAppRow(app),
		RedirectURIs: app.RedirectURIs, Scopes: app.AllowedScopes, Verified: app.Verified,
		Review: app.Appearance.Verified != nil, Activity: done,
		HomePage: app.HomePage, PolicyPage: app.PolicyPage, TermsPage: app.TermsPage,
		Settings: h.settings(app, ""),
	}
	if len(app.RedirectURIs) > 0 {
		view.Consent = h.consentExample(app)
	}
	for _, scope := range app.AllowedScopes {
		info, _ := scope.Info()
		view.Titles = append(view.Titles, info.Title)
	}
	for _, secret := range app.Secrets {
		switch {
		case secret.ExpiresAt.IsZero():
			view.Secret = day(secret.CreatedAt)
		case h.site.World.Now().Before(secret.ExpiresAt):
			view.Before = moment(secret.ExpiresAt)
		}
	}
	return h.render(w, http.StatusOK, "app", view)
}

// appFormView is the data of app_form.html.
type appFormView struct {
	web.PortalFrame
	appForm
	New        bool
	Was        string // the app's name before the change
	Action     string
	Back       string
	URIs       []uriField
	Choices    []scopeChoice
	Algorithms []algorithmChoice
	Faults     faults
	FaultCount int
	Returned   bool // as it was filled in before its developer signed in again
	SentBefore bool // the form did its act already, with other values
}

// formNotes is what is said above and within a form.
type formNotes struct {
	Faults     []error
	Returned   bool
	SentBefore bool
}

// uriField is one field for a redirect URI.
type uriField struct {
	ID    string
	Value loop.RedirectURI
	Fault string
}

// scopeChoice is one box of the form.
type scopeChoice struct {
	loop.ScopeInfo
	Ticked bool
}

// algorithmChoice is one way to sign ID tokens.
type algorithmChoice struct {
	Name   loop.Algorithm
	For    string // who needs it
	Ticked bool
}

// algorithmChoices are all of them, in the order in which to try.
func algorithmChoices(chosen loop.Algorithm) []algorithmChoice {
	choices := []algorithmChoice{
		{Name: loop.ES256, For: "What we suggest: short, and known to every library of today."},
		{Name: loop.EdDSA, For: "Shorter still, where your library knows Ed25519."},
		{Name: loop.PS256, For: "RSA as it should be, for systems that have no elliptic curves."},
		{Name: loop.RS256, For: "What older frameworks expect: Spring Security, ASP.NET and many PHP libraries take nothing else unless they are configured to."},
	}
	for i := range choices {
		choices[i].Ticked = choices[i].Name == chosen
	}
	return choices
}

func (h *Host) newAppPage(w http.ResponseWriter, r *http.Request, dev *developer, form appForm, notes formNotes) error {
	return h.formPage(w, r, appFormView{
		PortalFrame: h.frame("apps", dev), appForm: form, New: true,
		Action: "/apps/new", Back: "/apps",
	}, notes)
}

func (h *Host) editAppPage(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, form appForm, notes formNotes) error {
	return h.formPage(w, r, appFormView{
		PortalFrame: h.frame("apps", dev), appForm: form,
		Was: app.Name, Action: appPath(app.ID) + "/edit", Back: appPath(app.ID),
	}, notes)
}

// formPage shows the form of an app with every fault beside its field.
func (h *Host) formPage(w http.ResponseWriter, r *http.Request, view appFormView, notes formNotes) error {
	errs := notes.Faults
	status := http.StatusOK
	if len(errs) > 0 {
		status = h.site.Note(w, r, loop.AsError(errs[0]))
	}
	view.Returned, view.SentBefore = notes.Returned, notes.SentBefore
	view.Faults, view.FaultCount = newFaults(errs, view.RedirectURIs), len(errs)
	view.URIs = uriFields(view.RedirectURIs, len(errs) > 0)
	for _, info := range loop.ScopeRegistry() {
		view.Choices = append(view.Choices, scopeChoice{info, view.Scopes.Has(info.Scope)})
	}
	view.Algorithms = algorithmChoices(view.Algorithm)
	return h.render(w, status, "app_form", view)
}

// uriFields has a field for each redirect URI, and an empty one to add another.
func uriFields(uris []loop.RedirectURI, judge bool) []uriField {
	fields := make([]uriField, 0, len(uris)+1)
	for i, uri := range append(uris[:len(uris):len(uris)], "") {
		field := uriField{ID: "redirect-uri", Value: uri}
		if i > 0 {
			field.ID += "-" + strconv.Itoa(i+1)
		}
		if judge && uri != "" {
			field.Fault = uriFault(uri)
		}
		fields = append(fields, field)
	}
	return fields
}

// secretView is the data of secret.html.
type secretView struct {
	web.PortalFrame
	App      string
	Path     string
	ID       loop.ClientID
	Secret   string
	Settings settings
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
		PortalFrame: h.frame("", dev), Title: "That didn’t work", Description: e.Description,
		Page: web.ErrorPath(e.Code), Code: e.Code, RequestID: web.RequestID(r.Context()),
	}
	switch e.Code {
	case loop.NotFound, loop.MethodNotAllowed:
		view.Title = "There is nothing here"
	case loop.ServerError, loop.TemporarilyUnavailable:
		view.Title = "Something is wrong on our side"
	case loop.RateLimited:
		view.Title = "Too many requests"
	}
	return h.render(w, h.site.Note(w, r, e), "error", view)
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04") + " UTC" }
