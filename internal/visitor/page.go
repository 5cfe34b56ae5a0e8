package visitor

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

// Carried is what every form of a page posts back.
type Carried struct {
	Continue string // the continuation; empty: none
	CSRF     string
	Here     string // the page's own address, to come back to
}

// Carry is what the forms of a page post back.
func (v *Visitors) Carry(w http.ResponseWriter, r *http.Request, j Journey) Carried {
	return Carried{Continue: j.text, CSRF: v.csrf.Token(v.Browser(w, r)), Here: here(r, j)}
}

// App is an app as a member sees it.
type App struct {
	Name        string
	Initial     string
	Logo        string // the path of its picture; empty: its initial is shown
	Verified    bool
	Development bool
	Host        string // where the member returns to
	HomePage    string
	PolicyPage  string
	TermsPage   string
	// Unregistered: no person registered it. Source is then the host of the document in
	// which it describes itself; empty: it registered itself.
	Unregistered bool
	Source       string
}

// Terms are what the list of terms offers first.
type Terms struct {
	Kept  time.Time // the end that stays unless another is chosen; zero: there is none
	Short bool      // 30 days, where none is kept
}

// LogoPath is where identity's host shows a client's logo; empty where it has none. It
// names what is there: another picture has another path.
func LogoPath(c *loop.Client) string {
	if c.Logo.Picture == "" {
		return ""
	}
	return "/logos/" + url.PathEscape(string(c.ID)) + "/" + c.Logo.Picture + ".png"
}

// NewApp is how a member sees a client that they return to at a redirect URI.
func NewApp(c *loop.Client, uri loop.RedirectURI) *App {
	first, _ := utf8.DecodeRuneInString(c.Name)
	return &App{
		Name: c.Name, Initial: strings.ToUpper(string(first)), Verified: c.Verified || c.FirstParty,
		Development: c.Mode == loop.Development && !c.FirstParty, Host: uri.ShownHost(),
		Logo: LogoPath(c), Unregistered: c.Unregistered(), Source: source(c), HomePage: c.HomePage, PolicyPage: c.PolicyPage, TermsPage: c.TermsPage,
	}
}

// source is the host of a client's metadata document, as members read hosts.
func source(c *loop.Client) string {
	if c.Registration.By != loop.RegisteredByDocument {
		return ""
	}
	return loop.RedirectURI(c.ID).ShownHost()
}

// App finds the app that a journey leads to, for a page's heading; nil where
// there is none or the request no longer holds: the next step will say so.
func (v *Visitors) App(r *http.Request, j Journey) *App {
	if !j.Travels() {
		return nil
	}
	req, err := v.oauth.CheckAuthorizationRequest(r.Context(), j.continuation.RawRequest)
	if err != nil {
		return nil
	}
	return NewApp(req.Client, req.RedirectURI)
}

// Show answers with a page that has a form, with the status of the fault that it
// shows, if any.
func (v *Visitors) Show(w http.ResponseWriter, r *http.Request, pages *web.Translated, name string, view any, fault *loop.Error) error {
	return v.show(w, r, pages, name, view, fault)
}

// ShowScripted is Show for a page with a script of ours.
func (v *Visitors) ShowScripted(w http.ResponseWriter, r *http.Request, pages *web.Translated, name string, view any, fault *loop.Error) error {
	return v.show(w, r, pages, name, view, fault, "script-src 'self'")
}

func (v *Visitors) show(w http.ResponseWriter, r *http.Request, pages *web.Translated, name string, view any, fault *loop.Error, more ...string) error {
	status := http.StatusOK
	if fault != nil {
		status = v.site.Note(w, r, fault)
	}
	web.AllowPage(w.Header(), "", more...)
	return pages.Render(w, v.Language(r), status, name, view)
}
