package portal

import (
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration/library"
	"github.com/loop-health/loop/internal/web"
)

// appView is the data of app.html.
type appView struct {
	web.PortalFrame
	appRow
	RedirectURIs []loop.RedirectURI
	Scopes       loop.Scopes
	Titles       []string // of the scopes, as members read them
	Verified     bool
	BySecret     bool   // it proves itself with a secret
	Secret       string // when that was made; empty: there is none yet
	Before       string // until when the one before works; empty: there is none
	HomePage     string
	PolicyPage   string
	TermsPage    string
	Logo         loop.Logo
	Review       bool // its verification ended with a change, and Loop looks at it again
	Activity     []activity
	Built        *built // how it works with the library that it is built with; nil: not said
	Playable     bool   // in the playground
	Consent      string // leads to the consent page; empty: a service, which members never meet
	Settings     web.AppSettings
}

func (h *Host) settings(app *loop.Client, secret string) web.AppSettings {
	s := web.AppSettings{ID: app.ID, Secret: secret, Identity: h.identity.issuer, Clinical: h.clinical.String()}
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
		HomePage: app.HomePage, PolicyPage: app.PolicyPage, TermsPage: app.TermsPage, Logo: app.Logo,
		Playable: playable(app),
		Settings: h.settings(app, ""), BySecret: app.Protocol.AuthMethod.BySecret(),
	}
	if len(app.RedirectURIs) > 0 {
		view.Consent, view.Built = h.consentExample(app), h.built(app)
	}
	for _, scope := range app.AllowedScopes {
		view.Titles = append(view.Titles, h.english.ScopeTitle(scope))
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

// built is the library that an app is built with, with the lines that make it work.
type built struct {
	Name  string
	Lines string
	Notes []string
}

func (h *Host) built(app *loop.Client) *built {
	l, ok := h.libraries.Find(app.Protocol.Software)
	if !ok {
		return nil
	}
	filled, err := l.Filled(library.Values{
		ClientID: app.ID, Issuer: h.identity.issuer, RedirectURI: string(app.RedirectURIs[0]), Scope: app.AllowedScopes.String(),
	})
	if err != nil {
		return nil // the table was read at the start: it can't fail
	}
	notes := make([]string, len(l.Notes))
	for i, note := range l.Notes {
		notes[i] = strings.ReplaceAll(note, "`", "")
	}
	return &built{Name: l.Label(), Lines: strings.TrimRight(filled, "\n"), Notes: notes}
}
