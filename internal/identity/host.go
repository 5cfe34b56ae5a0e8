package identity

import (
	"net/http"
	"net/url"

	"github.com/loop-health/loop/internal/credential"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/member"
	"github.com/loop-health/loop/internal/oauth"
	"github.com/loop-health/loop/internal/web"
)

// Config is what the host needs.
type Config struct {
	OAuth    *oauth.Server
	Accounts *member.Accounts
	Ring     *credential.Ring
}

// Host is identity's public host.
type Host struct {
	site     *web.Site
	oauth    *oauth.Server
	accounts *member.Accounts
	pages    *web.Pages
	csrf     web.CSRF
	devices  credential.Tagger
	session  web.Cookie // of a signed-in member
	device   web.Cookie // of a browser that a member has signed in with
	browser  web.Cookie // of a browser, before and after: forms and continuations are bound to it
}

// New makes the host. A page that does not parse is an error.
func New(config Config) (*Host, error) {
	pages, err := parsePages()
	if err != nil {
		return nil, err
	}
	return &Host{
		oauth: config.OAuth, accounts: config.Accounts, pages: pages,
		csrf:    web.CSRF{Tagger: credential.Tagger{Ring: config.Ring, Purpose: credential.ForPages, Label: "identity forms"}},
		devices: credential.Tagger{Ring: config.Ring, Purpose: credential.ForPages, Label: "identity devices"},
	}, nil
}

// Mount adds the host's routes to its site, whose errors it shows as pages.
func (h *Host) Mount(site *web.Site) {
	h.site, h.csrf.Site = site, site
	site.ErrorPage = h.errorPage
	h.session = web.Cookie{Name: "loop_session", Secure: site.Secure()}
	h.device = web.Cookie{Name: "loop_device", Secure: site.Secure()}
	h.browser = web.Cookie{Name: "loop_browser", Secure: site.Secure()}
	h.routes()
}

// browserOf gives the value of the browser's cookie, and sets one where there
// is none yet.
func (h *Host) browserOf(w http.ResponseWriter, r *http.Request) string {
	if value := h.browser.Read(r); value != "" {
		return value
	}
	value := credential.NewSecret(h.site.World, credential.SessionPrefix).Reveal()
	h.browser.Set(w, value, member.CookieLifetime())
	return value
}

// signIn gives the live sign-in of the request's browser; nil where nobody is
// signed in.
func (h *Host) signIn(r *http.Request) (*oauth.SignIn, error) {
	session, m, err := h.accounts.Resume(r.Context(), h.session.Read(r))
	if isNotFound(err) {
		return nil, nil //nolint:nilnil // nobody is signed in, and that is no error
	}
	if err != nil {
		return nil, err
	}
	web.NoteMember(r.Context(), m.ID)
	return &oauth.SignIn{Session: session.ID, Member: m, AuthTime: session.AuthTime}, nil
}

// form reads a posted form of one of the host's own pages and proves where it
// came from.
func (h *Host) form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	form, err := web.Form(w, r)
	if err != nil {
		return nil, err
	}
	for name, values := range form {
		if name != "scope" && len(values) > 1 {
			return nil, loop.Errorf(loop.InvalidRequest, "A field of this form was sent twice.")
		}
	}
	return form, h.csrf.Check(r, h.browser.Read(r), form.Get("csrf"))
}
