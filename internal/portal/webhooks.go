package portal

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration"
	"github.com/loop-health/loop/internal/web"
	"github.com/loop-health/loop/internal/webhook"
)

// webhooksView is the data of webhooks.html.
type webhooksView struct {
	web.PortalFrame
	App      appRow
	Webhooks []webhookRow
	Full     bool // no more can be made
	Most     int
	URL      string // as it was sent
	Choices  []eventChoice
	Faults   faults
	Returned bool // the form lay open too long, or its sender had to sign in: nothing was done yet
}

type webhookRow struct {
	webhook.View
	Path string
}

// eventChoice is a type of event that can be ticked.
type eventChoice struct {
	Type   loop.EventType
	Scope  loop.Scope // that it needs; empty: none
	Ticked bool
}

func webhooksPath(app loop.ClientID) string { return appPath(app) + "/webhooks" }

func webhookPath(app loop.ClientID, id loop.WebhookID) string {
	return webhooksPath(app) + "/" + string(id)
}

// listWebhooks answers GET /apps/{id}/webhooks.
func (h *Host) listWebhooks(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	if kept, ok := h.takeKeptForm(w, r, dev); ok {
		return h.webhooksPage(w, dev, app, kept, nil, true)
	}
	return h.webhooksPage(w, dev, app, url.Values{}, nil, false)
}

func (h *Host) webhooksPage(w http.ResponseWriter, dev *developer, app *loop.Client, sent url.Values, wrong []error, returned bool) error {
	view := webhooksView{
		PortalFrame: h.frame("apps", dev), App: newAppRow(app), Full: len(app.Webhooks) >= loop.MaxWebhooks, Most: loop.MaxWebhooks,
		URL: sent.Get("url"), Choices: eventChoices(eventsOf(sent)), Faults: newFaults(wrong, nil), Returned: returned,
	}
	for i := range app.Webhooks {
		row := webhookRow{webhook.ViewOf(app.ID, &app.Webhooks[i], h.site.World.Now()), webhookPath(app.ID, app.Webhooks[i].ID)}
		view.Webhooks = append(view.Webhooks, row)
	}
	return h.render(w, http.StatusOK, "webhooks", view)
}

func eventsOf(sent url.Values) []loop.EventType {
	var events []loop.EventType
	for _, name := range sent["event"] {
		events = append(events, loop.EventType(name))
	}
	return events
}

func eventChoices(ticked []loop.EventType) []eventChoice {
	var choices []eventChoice
	for _, row := range loop.EventRegistry() {
		choice := eventChoice{Type: row.Type, Scope: row.Scope}
		for _, one := range ticked {
			choice.Ticked = choice.Ticked || one == row.Type
		}
		choices = append(choices, choice)
	}
	return choices
}

// addWebhook answers POST /apps/{id}/webhooks.
func (h *Host) addWebhook(w http.ResponseWriter, r *http.Request, dev *developer, app *loop.Client) error {
	form, err := h.form(w, r, dev)
	if errors.Is(err, errOldForm) {
		return h.webhooksPage(w, dev, app, form.Values, nil, true)
	}
	if err != nil {
		return err
	}
	act, _ := h.once(r, dev, form)
	added, err := act.AddWebhook(r.Context(), app.ID, strings.TrimSpace(form.Get("url")), eventsOf(form.Values))
	if errors.Is(err, registration.ErrSentBefore) {
		return web.SeeOther(w, r, webhooksPath(app.ID))
	}
	if wrong := faultsOf(err); len(wrong) > 0 {
		return h.webhooksPage(w, dev, app, form.Values, wrong, false)
	}
	if err != nil {
		return err
	}
	return h.carryWebhookSecret(w, r, dev, app, added.ID)
}

// faultsOf are the faults of a form; none where an error is something else.
func faultsOf(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	return joined.Unwrap()
}
