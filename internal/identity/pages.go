package identity

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/visitor"
	"github.com/loop-health/loop/internal/web"
)

// scopeView is a row of the consent page.
type scopeView struct {
	Scope    loop.Scope
	Own      string // the member's own data, in place of the detail
	Language string // theirs, behind that; empty: it is not shared
	Needed   bool
	New      bool
	Ticked   bool // before the member has chosen
}

// consentView is the data of consent.html.
type consentView struct {
	visitor.Carried
	App    *visitor.App
	Ticket string
	Health bool              // data of it is shared
	Amount *biomarker.Amount // of health data that there is; nil: it could not be counted
	Groups []scopeGroup
	Gone   string    // what the app had and asks for no longer
	Before time.Time // when an earlier consent ended by itself; zero: there is none, or it goes on
	Terms  visitor.Terms
	Real   bool // an app in development asks a member who is no test member
	Cannot string
	Member string
	// Anybody: it returns to this machine, and no person registered it.
	Anybody bool
	Fault   *loop.Error
}

// scopeGroup is health data, or all else: what is shared of the two is not alike.
type scopeGroup struct {
	ID     string
	Health bool
	Scopes []scopeView
}

func (h *Host) consentPage(w http.ResponseWriter, r *http.Request, j visitor.Journey, req *oauth.AuthorizationRequest, signIn *loop.SignIn, fault *loop.Error) error {
	grant, err := h.oauth.Ledger.LastGrant(r.Context(), signIn.Member.ID, req.Client.ID)
	if err != nil {
		return err
	}
	l, app := h.visitors.Language(r), visitor.NewApp(req.Client, req.RedirectURI)
	view := consentView{
		Carried: h.visitors.Carry(w, r, j), App: app,
		Ticket: h.oauth.Forms.NewTicket(req, signIn, h.words[l.Tag]), Health: len(req.Scopes.PHI()) > 0,
		Groups: grouped(scopeViews(l, req, signIn.Member, grant)), Real: app.Development && !signIn.Member.Test,
		Cannot: cannot(l, req.Scopes), Member: signIn.Member.Name, Terms: visitor.Terms{Short: app.Unregistered},
		Anybody: app.Unregistered && req.RedirectURI.Loopback(), Fault: fault,
	}
	if view.Health {
		view.Amount = h.amount(r.Context(), signIn.Member.ID)
	}
	if grant != nil {
		view.sinceLastTime(l, req, grant, h.site.World.Now())
	}
	return h.visitors.Show(w, r, h.pages, "consent", view, fault)
}

// Results says how many lab results a member has.
type Results interface {
	Amount(ctx context.Context, member loop.MemberID) (biomarker.Amount, error)
}

// countedWithin is how long a consent page waits for the amount of health data.
const countedWithin = 500 * time.Millisecond

// amount is how many lab results the member has; nil where that can't be said at once:
// they may be another process's, and nobody is kept from deciding by that.
func (h *Host) amount(ctx context.Context, member loop.MemberID) *biomarker.Amount {
	ctx, cancel := context.WithTimeout(ctx, countedWithin)
	defer cancel()
	amount, err := h.results.Amount(ctx, member)
	if err != nil {
		h.site.Log.Warn("counting lab results for a consent page", "cause", err)
		return nil
	}
	return &amount
}

// sinceLastTime says what is different from the member's last answer, and until when
// that holds or held.
func (v *consentView) sinceLastTime(l *locale.Language, req *oauth.AuthorizationRequest, last *loop.Grant, now time.Time) {
	var gone []string
	for _, scope := range last.Scopes.Without(req.Scopes) {
		gone = append(gone, l.ScopeTitle(scope))
	}
	v.Gone = strings.Join(gone, "; ")
	switch {
	case last.Live(now):
		v.Terms.Kept = last.EndsAt
	case last.Over(now):
		v.Before = last.EndsAt
	}
}

// grouped puts health data first, and apart from all else.
func grouped(all []scopeView) []scopeGroup {
	health, others := scopeGroup{ID: "asks-health", Health: true}, scopeGroup{ID: "asks"}
	for _, view := range all {
		if info, _ := view.Scope.Info(); info.PHI {
			health.Scopes = append(health.Scopes, view)
		} else {
			others.Scopes = append(others.Scopes, view)
		}
	}
	return slices.DeleteFunc([]scopeGroup{health, others}, func(g scopeGroup) bool { return len(g.Scopes) == 0 })
}

// scopeViews are the rows for what is asked; in a member's second consent, what
// they have not been asked before is new.
func scopeViews(l *locale.Language, req *oauth.AuthorizationRequest, m *loop.Member, grant *loop.Grant) []scopeView {
	needed := req.Needed()
	var views []scopeView
	for _, scope := range req.Scopes {
		info, _ := scope.Info()
		view := scopeView{Scope: scope, Needed: needed.Has(scope), Ticked: !req.Client.Unregistered() || !info.PHI}
		switch scope {
		case loop.ScopeProfile:
			view.Own, view.Language = m.Name, l.NameOf(m.Locale)
		case loop.ScopeEmail:
			view.Own = string(m.Email)
		}
		view.New = grant != nil && !grant.Covers(loop.NewScopes(scope))
		views = append(views, view)
	}
	return views
}

// cannot says what an app with these scopes can not do.
func cannot(l *locale.Language, scopes loop.Scopes) string {
	var things []string
	for _, scope := range []loop.Scope{loop.ScopeWriteBiomarkers, loop.ScopeProfile, loop.ScopeEmail, loop.ScopeReadBiomarkers} {
		shown := scopes.Has(scope) || scope == loop.ScopeProfile && scopes.Has(loop.ScopeReadDemographics) // which shows the name too
		if !shown {
			things = append(things, l.ScopeCannot(scope))
		}
	}
	return l.Text("consent.cannot", l.Or(append(things, l.Text("consent.cannot_contact"))))
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
		Carried: h.visitors.Carry(w, r, j), App: visitor.NewApp(req.Client, req.RedirectURI), Ticket: h.oauth.Forms.NewTicket(req, signIn, h.words[h.visitors.Language(r).Tag]),
		Member: signIn.Member.Name, Email: string(signIn.Member.Email),
	}, nil)
}

// leavingView is the data of leaving.html.
type leavingView struct {
	visitor.Carried // empty: only the app can make its request again
	App             *visitor.App
	To              template.URL // proven: a registered redirect URI with our answer
}

func (h *Host) leavingPage(w http.ResponseWriter, r *http.Request, to *oauth.Answer, target string) error {
	view := leavingView{App: visitor.NewApp(to.Client, to.RedirectURI), To: template.URL(target)} //nolint:gosec // G203: as said at the field
	web.AllowPage(w.Header(), "'none'")
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
	visitor.Carried        // empty: there is no form
	Title           string // the key of its text
	Fault           *loop.Error
	Developer       *developerNote // nil: the error is not about a request of an app
	Lead            string         // where the page leads on
	RequestID       loop.RequestID
}

// developerNote shows an app's developer what to correct.
type developerNote struct {
	Parameter  string
	Sent       string
	Registered string // the redirect URI that was probably meant
	Page       string // of the documentation
}

// maxEcho is how much of what was sent an error page repeats.
const maxEcho = 300

// authorizationErrorPage answers an authorization request whose client or
// redirect URI is not proven: a page, never a redirect (RFC 6749 §4.1.2.1).
func (h *Host) authorizationErrorPage(w http.ResponseWriter, r *http.Request, refused *oauth.AuthorizationError) error {
	return h.showError(w, r, errorView{Title: "error.unsafe", Fault: refused.Fault.Worded("fault.unsafe"), Developer: &developerNote{
		Parameter: refused.Fault.Field, Sent: echo(string(refused.Sent)), Registered: string(refused.Swapped), Page: h.site.ExplainURI(r.Context(), refused.Fault.Code),
	}})
}

// errorPage is the page of every other error of the host.
func (h *Host) errorPage(w http.ResponseWriter, r *http.Request, e *loop.Error) error {
	return h.showError(w, r, errorView{Title: web.ErrorTitle(e.Code), Fault: e})
}

// showError shows a page that leads on to the member's account, or to sign-in. What
// led to the error is repeated to no page.
func (h *Host) showError(w http.ResponseWriter, r *http.Request, view errorView) error {
	view.RequestID, view.Lead = web.RequestID(r.Context()), visitor.HomePath
	web.AllowPage(w.Header(), "'none'")
	return h.pages.Render(w, h.visitors.Language(r), h.site.Note(w, r, view.Fault), "error", view)
}

func echo(text string) string {
	if len(text) > maxEcho {
		return strings.ToValidUTF8(text[:maxEcho], "") + "…"
	}
	return text
}
