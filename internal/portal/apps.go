package portal

import (
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
)

// maxApps is how many apps a developer can register.
const maxApps = 50

// appHandler answers a request about an app of the signed-in developer's.
type appHandler func(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error

// ofTheirs is the phase that every page about one app passes. An app that is
// somebody else's is NotFound, like one that does not exist.
func (h *Host) ofTheirs(next appHandler) func(http.ResponseWriter, *http.Request, *developer) error {
	missing := loop.Errorf(loop.NotFound, "There is no such app among yours.")
	return func(w http.ResponseWriter, r *http.Request, dev *developer) error {
		id := loop.ClientID(r.PathValue("id"))
		if !id.Valid() {
			return missing
		}
		app, err := h.clients.Store.Client(r.Context(), id)
		if errors.Is(err, loop.ErrNotFound) || err == nil && app.Owner != dev.Member {
			return missing
		}
		if err != nil {
			return err
		}
		web.NoteClient(r.Context(), id)
		return next(w, r, dev, app)
	}
}

// listApps answers GET /apps.
func (h *Host) listApps(w http.ResponseWriter, r *http.Request, dev *developer) error {
	apps, err := h.clients.Store.ClientsOf(r.Context(), dev.Member)
	if err != nil {
		return err
	}
	return h.appsPage(w, dev, apps)
}

// newApp answers GET /apps/new.
func (h *Host) newApp(w http.ResponseWriter, r *http.Request, dev *developer) error {
	app := registration.New()
	return h.newAppPage(w, r, dev, newAppForm(app), nil)
}

// createApp answers POST /apps/new. The app that is made is the developer's; what
// only an operator decides has its defaults.
func (h *Host) createApp(w http.ResponseWriter, r *http.Request, dev *developer) error {
	posted, err := h.form(w, r, dev)
	if err != nil {
		return err
	}
	sent := readAppForm(posted)
	app := registration.New()
	app.Owner, app.Type = dev.Member, sent.Type
	app.SetDefaults()
	sent.apply(app)
	if faults := app.Validate(); len(faults) > 0 {
		return h.newAppPage(w, r, dev, sent, faults)
	}
	theirs, err := h.clients.Store.ClientsOf(r.Context(), dev.Member)
	if err != nil {
		return err
	}
	if len(theirs) >= maxApps {
		return h.newAppPage(w, r, dev, sent, []error{loop.Errorf(loop.ValidationError,
			"You have %d apps, and that is as many as one developer can have. Change one that you no longer use.", len(theirs))})
	}
	secret, err := h.clients.Create(r.Context(), app, dev.actor())
	if err != nil {
		return err
	}
	web.NoteClient(r.Context(), app.ID)
	if app.Type == loop.Public {
		return web.SeeOther(w, r, appPath(app.ID))
	}
	return h.carrySecret(w, r, dev, app.ID, secret)
}

// showApp answers GET /apps/{id}. Whoever is here has left the page with the
// secret, and it is gone.
func (h *Host) showApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	if h.secret.Read(r) != "" {
		h.secret.Clear(w)
	}
	return h.appPage(w, dev, app)
}

// editApp answers GET /apps/{id}/edit.
func (h *Host) editApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	return h.editAppPage(w, r, dev, app, newAppForm(app), nil)
}

// updateApp answers POST /apps/{id}/edit.
func (h *Host) updateApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	posted, err := h.form(w, r, dev)
	if err != nil {
		return err
	}
	sent := readAppForm(posted)
	changed := app.Clone()
	sent.apply(changed)
	if faults := changed.Validate(); len(faults) > 0 {
		return h.editAppPage(w, r, dev, app, sent, faults)
	}
	if _, err := h.clients.Update(r.Context(), app.ID, dev.actor(), sent.apply); err != nil {
		return err
	}
	return web.SeeOther(w, r, appPath(app.ID))
}

// askToDisable answers GET /apps/{id}/disable: a question, since a link changes
// nothing.
func (h *Host) askToDisable(w http.ResponseWriter, _ *http.Request, dev *developer, app *loop.Client) error {
	return h.confirmPage(w, dev, confirmation{
		App: app.Name, Back: appPath(app.ID), Action: appPath(app.ID) + "/disable", Button: "disable", Verb: "Disable", Danger: true,
		Question: "Disable",
		Text:     "Every token that it holds ends at once, and members can’t connect it. You can enable it again; members whose tokens ended go through authorization once more.",
	})
}

// disableApp answers POST /apps/{id}/disable.
func (h *Host) disableApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	return h.setEnabled(w, r, dev, app, false)
}

// enableApp answers POST /apps/{id}/enable.
func (h *Host) enableApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	return h.setEnabled(w, r, dev, app, true)
}

func (h *Host) setEnabled(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client, enabled bool) error {
	if _, err := h.form(w, r, dev); err != nil {
		return err
	}
	if _, err := h.clients.SetEnabled(r.Context(), app.ID, dev.actor(), enabled); err != nil {
		return err
	}
	return web.SeeOther(w, r, appPath(app.ID))
}

func appPath(id loop.ClientID) string { return "/apps/" + string(id) }

// consentExample is an authorization request of the app as it is: it leads to
// the page that its members see. The app has not asked, so it has to refuse the
// answer.
func (h *Host) consentExample(app *loop.Client) string {
	query := url.Values{
		"response_type":         {"code"},
		"client_id":             {string(app.ID)},
		"redirect_uri":          {string(app.RedirectURIs[0])},
		"scope":                 {app.AllowedScopes.String()},
		"state":                 {"opened-from-the-portal"},
		"code_challenge":        {oauth2.S256ChallengeFromVerifier(h.random())},
		"code_challenge_method": {"S256"},
		"prompt":                {"select_account consent"},
	}
	return h.identity.issuer + "/v1/oauth/authorize?" + query.Encode()
}
