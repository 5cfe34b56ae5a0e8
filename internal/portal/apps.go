package portal

import (
	"errors"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
)

// listApps answers GET /apps.
func (h *Host) listApps(w http.ResponseWriter, r *http.Request, dev *developer) error {
	apps, err := h.clients.Store.ClientsOf(r.Context(), dev.Member)
	if err != nil {
		return err
	}
	news, err := h.news(r.Context(), dev, apps)
	if err != nil {
		return err
	}
	return h.appsPage(w, dev, apps, news)
}

// newApp answers GET /apps/new.
func (h *Host) newApp(w http.ResponseWriter, r *http.Request, dev *developer) error {
	if kept, ok := h.takeKeptForm(w, r, dev); ok {
		return h.newAppPage(w, r, dev, readAppForm(kept), formNotes{Returned: true})
	}
	return h.newAppPage(w, r, dev, newAppForm(registration.New()), formNotes{})
}

// createApp answers POST /apps/new. The app that is made is the developer's; what
// only an operator decides has its defaults.
func (h *Host) createApp(w http.ResponseWriter, r *http.Request, dev *developer) error {
	form, err := h.form(w, r, dev)
	sent := readAppForm(form.Values)
	if errors.Is(err, errOldForm) {
		return h.newAppPage(w, r, dev, sent, formNotes{Returned: true})
	}
	if err != nil {
		return err
	}
	app := registration.New()
	app.Owner, app.Type = dev.Member, sent.Type
	app.SetDefaults()
	sent.apply(app, h.libraries)
	if faults := append(h.clients.Faults(app), sent.libraryFaults(app, h.libraries)...); len(faults) > 0 {
		return h.newAppPage(w, r, dev, sent, formNotes{Faults: faults})
	}
	act, known := h.once(r, dev, form)
	err = h.answer(w, r, dev, form, known, app.ID, act.Create(r.Context(), app))
	switch {
	case errors.Is(err, errOtherContent):
		return h.newAppPage(w, r, dev, sent, formNotes{SentBefore: true})
	case errors.Is(err, registration.ErrTooMany):
		return h.newAppPage(w, r, dev, sent, formNotes{Faults: []error{loop.Errorf(loop.ValidationError,
			"You have %d apps, and that is as many as one developer can have. Change one that you no longer use.", registration.MaxApps)}})
	}
	return err
}

// showApp answers GET /apps/{id}. Whoever is here has left the page with the
// secret, and it is gone.
func (h *Host) showApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	if h.secret.Read(r) != "" {
		h.secret.Clear(w)
	}
	done, err := h.appActivity(r.Context(), dev, app.ID)
	if err != nil {
		return err
	}
	return h.appPage(w, dev, app, done)
}

// editApp answers GET /apps/{id}/edit.
func (h *Host) editApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	if kept, ok := h.takeKeptForm(w, r, dev); ok {
		return h.editAppPage(w, r, dev, app, readAppForm(kept), formNotes{Returned: true})
	}
	return h.editAppPage(w, r, dev, app, newAppForm(app), formNotes{})
}

// updateApp answers POST /apps/{id}/edit.
func (h *Host) updateApp(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	form, err := h.form(w, r, dev)
	sent := readAppForm(form.Values)
	if errors.Is(err, errOldForm) {
		return h.editAppPage(w, r, dev, app, sent, formNotes{Returned: true})
	}
	if err != nil {
		return err
	}
	changed := app.Clone()
	sent.apply(changed, h.libraries)
	if faults := append(h.clients.Faults(changed), sent.libraryFaults(changed, h.libraries)...); len(faults) > 0 {
		return h.editAppPage(w, r, dev, app, sent, formNotes{Faults: faults})
	}
	act, known := h.once(r, dev, form)
	err = h.answer(w, r, dev, form, known, app.ID, act.Update(r.Context(), app.ID, func(c *loop.Client) { sent.apply(c, h.libraries) }))
	if errors.Is(err, errOtherContent) {
		return h.editAppPage(w, r, dev, app, sent, formNotes{SentBefore: true})
	}
	return err
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
	return h.press(w, r, dev, app, func(act registration.Sent) error { return act.SetEnabled(r.Context(), app.ID, enabled) })
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
