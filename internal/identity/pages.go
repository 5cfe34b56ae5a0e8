package identity

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// scopeView is a row of the consent page.
type scopeView struct {
	Scope  loop.Scope
	Title  string
	Own    string // the member's own data, before the detail
	Detail string
	Needed bool
	New    bool
}

// consentView is the data of consent.html.
type consentView struct {
	visitor.Carried
	App    *visitor.App
	Ticket string
	What   string // is shared
	Scopes []scopeView
	Cannot string
	Member string
}

func (h *Host) consentPage(w http.ResponseWriter, r *http.Request, j visitor.Journey, req *oauth.AuthorizationRequest, signIn *loop.SignIn) error {
	grant, err := h.oauth.Ledger.LiveGrant(r.Context(), signIn.Member.ID, req.Client.ID)
	if err != nil {
		return err
	}
	what := "your details"
	if len(req.Scopes.PHI()) > 0 {
		what = "your health data"
	}
	return h.visitors.Show(w, r, h.pages, "consent", consentView{
		Carried: h.visitors.Carry(w, r, j), App: visitor.NewApp(req.Client, req.RedirectURI),
		Ticket: h.oauth.Forms.NewTicket(req, signIn, h.words), What: what,
		Scopes: scopeViews(req, signIn.Member, grant), Cannot: cannot(req.Scopes), Member: signIn.Member.Name,
	}, nil)
}

// scopeViews are the rows for what is asked; in a member's second consent, what
// they have not been asked before is new.
func scopeViews(req *oauth.AuthorizationRequest, m *loop.Member, grant *loop.Grant) []scopeView {
	needed := req.Needed()
	var views []scopeView
	for _, scope := range req.Scopes {
		info, _ := scope.Info()
		view := scopeView{Scope: scope, Title: info.Title, Detail: info.Detail, Needed: needed.Has(scope)}
		switch scope {
		case loop.ScopeProfile:
			view.Own, view.Detail = m.Name, ", "+languageName(m.Locale)
		case loop.ScopeEmail:
			view.Own, view.Detail = string(m.Email), ""
		}
		view.New = grant != nil && !grant.Covers(loop.NewScopes(scope))
		views = append(views, view)
	}
	return views
}

// languageName is a language in English; its tag where we have no name for it.
func languageName(locale string) string {
	names := map[string]string{"en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "tr": "Turkish"}
	language, _, _ := strings.Cut(locale, "-")
	if name, ok := names[language]; ok {
		return name
	}
	return locale
}

// cannot says what an app with these scopes can not do.
func cannot(scopes loop.Scopes) string {
	var things []string
	if !scopes.Has(loop.ScopeWriteBiomarkers) {
		things = append(things, "change your data")
	}
	for _, info := range loop.ScopeRegistry() {
		if !scopes.Has(info.Scope) && info.Cannot != "" {
			things = append(things, info.Cannot)
		}
	}
	things = append(things, "contact your care team")
	last := len(things) - 1
	return "It can’t " + strings.Join(things[:last], ", ") + " or " + things[last] + "."
}

// continueView is the data of continue.html.
type continueView struct {
	visitor.Carried
	App    *visitor.App
	Ticket string
	Member string
	Email  string
}

func (h *Host) continuePage(w http.ResponseWriter, r *http.Request, j visitor.Journey, req *oauth.AuthorizationRequest, signIn *loop.SignIn) error {
	return h.visitors.Show(w, r, h.pages, "continue", continueView{
		Carried: h.visitors.Carry(w, r, j), App: visitor.NewApp(req.Client, req.RedirectURI), Ticket: h.oauth.Forms.NewTicket(req, signIn, h.words),
		Member: signIn.Member.Name, Email: string(signIn.Member.Email),
	}, nil)
}

// leavingView is the data of leaving.html.
type leavingView struct {
	visitor.Carried
	App *visitor.App
	To  template.URL // proven: a registered redirect URI with our answer
}

func (h *Host) leavingPage(w http.ResponseWriter, r *http.Request, to *oauth.Answer, target string) error {
	view := leavingView{Carried: h.visitors.Carry(w, r, visitor.Journey{}), App: visitor.NewApp(to.Client, to.RedirectURI), To: template.URL(target)} //nolint:gosec // G203: as said at the field
	web.AllowPage(w.Header(), "'self'")
	return h.pages.Render(w, h.visitors.Language(r), http.StatusOK, "leaving", view)
}

// formPostView is the data of form_post.html.
type formPostView struct {
	visitor.Carried // empty: it is shown for a moment, and once
	App             *visitor.App
	To              template.URL
	Fields          url.Values
}

func (h *Host) formPostPage(w http.ResponseWriter, r *http.Request, to *oauth.Answer, fields url.Values) error {
	// Without form-action: browsers apply it to where the app redirects after the
	// post, too, and the member would be stranded with the code used up.
	web.AllowPage(w.Header(), "", "script-src 'self'")
	return h.pages.Render(w, h.visitors.Language(r), http.StatusOK, "form_post", formPostView{
		App: visitor.NewApp(to.Client, to.RedirectURI), To: template.URL(to.RedirectURI), Fields: fields, //nolint:gosec // G203: registered and validated
	})
}

// errorView is the data of error.html.
type errorView struct {
	visitor.Carried
	Title     string
	Advice    string
	Developer *developerNote
	RequestID loop.RequestID
}

// developerNote shows an app's developer what to correct.
type developerNote struct {
	Description string
	Parameter   string
	Sent        string
	Registered  string // the redirect URI that was probably meant
	Page        string // of the documentation
}

// maxEcho is how much of what was sent an error page repeats.
const maxEcho = 300

// authorizationErrorPage answers an authorization request whose client or
// redirect URI is not proven: a page, never a redirect (RFC 6749 §4.1.2.1).
func (h *Host) authorizationErrorPage(w http.ResponseWriter, r *http.Request, refused *oauth.AuthorizationError) error {
	note := &developerNote{
		Description: refused.Fault.Description, Parameter: refused.Fault.Field,
		Sent: echo(string(refused.Sent)), Registered: string(refused.Swapped), Page: h.site.ExplainURI(r.Context(), refused.Fault.Code),
	}
	return h.showError(w, r, refused.Fault, errorView{
		Title:     "This app asked in a way that isn’t safe to answer",
		Advice:    "Nothing was shared. Go back to the app and try again; if it happens again, write to its makers.",
		Developer: note,
	})
}

// errorPage is the page of every other error of the host.
func (h *Host) errorPage(w http.ResponseWriter, r *http.Request, e *loop.Error) error {
	view := errorView{Title: "That didn’t work", Advice: e.Description + " Nothing was shared or lost."}
	switch e.Code {
	case loop.NotFound, loop.MethodNotAllowed:
		view.Title = "There is nothing here"
	case loop.ServerError, loop.TemporarilyUnavailable:
		view.Title = "Something is wrong on our side"
	case loop.RateLimited:
		view.Title = "Too many requests"
	}
	return h.showError(w, r, e, view)
}

func (h *Host) showError(w http.ResponseWriter, r *http.Request, e *loop.Error, view errorView) error {
	view.RequestID, view.Carried = web.RequestID(r.Context()), h.visitors.Carry(w, r, visitor.Journey{})
	view.Here = visitor.HomePath // what led to an error is repeated to no page
	status := h.site.Note(w, r, e)
	web.AllowPage(w.Header(), "'self'")
	return h.pages.Render(w, h.visitors.Language(r), status, "error", view)
}

func echo(text string) string {
	if len(text) > maxEcho {
		return strings.ToValidUTF8(text[:maxEcho], "") + "…"
	}
	return text
}
