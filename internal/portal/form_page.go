package portal

import (
	"net/http"
	"strconv"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/web"
)

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
	Libraries  []libraryChoice
	Methods    []methodChoice
	More       bool // the settings that few apps need are open
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
	Title  string // as members read it
	Ticked bool
	Needed bool // members cannot leave it out
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
		needed := view.Settings != nil && view.Settings.Required.Has(info.Scope)
		view.Choices = append(view.Choices, scopeChoice{info, h.english.ScopeTitle(info.Scope), view.Scopes.Has(info.Scope), needed})
	}
	view.Libraries = h.libraryChoices(view.appForm)
	if view.Settings != nil {
		view.Algorithms, view.Methods = algorithmChoices(view.Settings.Algorithm), methodChoices(view.Type, view.Settings.AuthMethod)
	}
	view.More = len(errs) > 0 || notes.Returned || notes.SentBefore
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

// libraryChoice is one client library of the list.
type libraryChoice struct {
	ID, Label, Language string
	Chosen              bool
}

// libraryChoices are those that fit the app; all of them for a new one.
func (h *Host) libraryChoices(form appForm) []libraryChoice {
	var choices []libraryChoice
	for _, l := range h.libraries {
		if form.Settings == nil || l.Type == "" || l.Type == form.Type || l.ID == form.Library {
			choices = append(choices, libraryChoice{l.ID, l.Label(), l.Language, l.ID == form.Library})
		}
	}
	return choices
}

// methodChoice is one way in which an app proves who it is.
type methodChoice struct {
	Name   loop.AuthMethod
	For    string
	Ticked bool
}

// methodChoices are those that a developer can choose, and the one that an operator
// chose; none for a public app.
func methodChoices(kind loop.ClientType, chosen loop.AuthMethod) []methodChoice {
	if kind == loop.Public {
		return nil
	}
	choices := []methodChoice{
		{Name: loop.AuthSecretBasic, For: "Its secret, in the Authorization header. What most libraries do."},
		{Name: loop.AuthSecretPost, For: "Its secret, in the form. Loop takes either way from an app with a secret."},
		{Name: loop.AuthPrivateKeyJWT, For: "A signature with a key of its own: give its public keys below."},
	}
	if chosen.ByCertificate() {
		choices = append(choices, methodChoice{Name: chosen, For: "A client certificate, as an operator of Loop registered it."})
	}
	for i := range choices {
		choices[i].Ticked = choices[i].Name == chosen
	}
	return choices
}
