package portal

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/registration/library"
)

// appForm is what a developer can say about an app. Everything else about it is
// an operator's to decide, and has no field here.
type appForm struct {
	Name         string
	Type         loop.ClientType // of a new app; fixed afterwards
	RedirectURIs []loop.RedirectURI
	Scopes       loop.Scopes
	HomePage     string
	PolicyPage   string
	TermsPage    string
	LogoURI      string
	Library      string       // that the app is built with; empty: not said
	Settings     *appSettings // nil: the form has no second half
}

func newAppForm(c *loop.Client) appForm {
	return appForm{
		Name: c.Name, Type: c.Type, RedirectURIs: c.RedirectURIs, Scopes: c.AllowedScopes,
		HomePage: c.HomePage, PolicyPage: c.PolicyPage, TermsPage: c.TermsPage, LogoURI: c.Logo.URI,
		Library: c.Protocol.Software, Settings: newAppSettings(c),
	}
}

// readAppForm reads the posted form. Spaces around a value are a slip of copying,
// and an empty redirect URI is a field that was not needed.
func readAppForm(posted url.Values) appForm {
	text := func(name string) string { return strings.TrimSpace(posted.Get(name)) }
	form := appForm{
		Name: text("name"), Type: loop.ClientType(text("type")),
		HomePage: text("client_uri"), PolicyPage: text("policy_uri"), TermsPage: text("tos_uri"), LogoURI: text("logo_uri"),
		Library: text("built_with"), Settings: readAppSettings(posted),
	}
	for _, value := range posted["redirect_uri"] {
		if uri := strings.TrimSpace(value); uri != "" {
			form.RedirectURIs = append(form.RedirectURIs, loop.RedirectURI(uri))
		}
	}
	var scopes []loop.Scope
	for _, value := range posted["scope"] {
		scopes = append(scopes, loop.Scope(value))
	}
	form.Scopes = loop.NewScopes(scopes...)
	return form
}

// apply puts the form's values into a client. A scope that is no longer allowed
// is no longer required.
func (f appForm) apply(c *loop.Client, known library.Table) {
	c.Name, c.RedirectURIs, c.AllowedScopes = f.Name, slices.Clone(f.RedirectURIs), f.Scopes
	c.RequiredScopes = c.RequiredScopes.And(f.Scopes)
	c.HomePage, c.PolicyPage, c.TermsPage, c.Logo.URI = f.HomePage, f.PolicyPage, f.TermsPage, f.LogoURI
	var built *library.Library
	if l, ok := known.Find(f.Library); ok && f.Library != c.Protocol.Software {
		built = &l
	}
	c.Protocol.Software = f.Library
	switch {
	case f.Settings != nil:
		f.Settings.apply(c, built)
	case built != nil:
		built.Apply(c)
	}
}

// libraryFaults is what is wrong with the library that was chosen.
func (f appForm) libraryFaults(c *loop.Client, known library.Table) []error {
	if f.Library == "" {
		return nil
	}
	l, ok := known.Find(f.Library)
	switch {
	case !ok:
		return []error{loop.Errorf(loop.ValidationError, "Choose one of the list.").About("software_id")}
	case l.Type == loop.Public && c.Type == loop.Confidential:
		return []error{loop.Errorf(loop.ValidationError, "%s runs where no secret can be kept: choose \"On a phone, a desktop or in a browser\".", l.Name).About("software_id")}
	case l.Type == loop.Confidential && c.Type == loop.Public:
		return []error{loop.Errorf(loop.ValidationError, "%s runs on a server: choose \"On a server\".", l.Name).About("software_id")}
	}
	return nil
}

// faults are the descriptions of what is wrong, by field; what belongs to no
// field of the form is under "".
type faults map[string][]string

// formFields are the fields beside which a fault can stand.
var formFields = []string{
	"client_name", "client_type", "redirect_uris", "allowed_scopes", "client_uri", "policy_uri", "tos_uri", "logo_uri", "id_token_signed_response_alg",
	"software_id", "required_scopes", "access_token_ttl", "refresh_grace", "token_endpoint_auth_method", "jwks", "jwks_uri", "allowed_origins",
	"post_logout_redirect_uris", "backchannel_logout_uri", "dpop_bound_access_tokens", "userinfo_signed_response_alg", "introspection_signed_response_alg", "url", "events",
}

// newFaults sorts faults to their fields. What is wrong with one redirect URI
// stands beside that one, and not once more beside them all.
func newFaults(errs []error, uris []loop.RedirectURI) faults {
	f := faults{}
	for _, err := range errs {
		e := loop.AsError(err)
		field := e.Field
		if !slices.Contains(formFields, field) {
			field = ""
		}
		besideOne := field == "redirect_uris" && slices.ContainsFunc(uris, func(uri loop.RedirectURI) bool {
			return uriFault(uri) == e.Description
		})
		if !besideOne {
			f[field] = append(f[field], e.Description)
		}
	}
	return f
}

// Of joins the faults of a field; empty where it has none.
func (f faults) Of(field string) string { return strings.Join(f[field], " ") }

// uriFault is what is wrong with one redirect URI, by the rules that authorize
// goes by; empty where nothing is.
func uriFault(uri loop.RedirectURI) string {
	fault, ok := errors.AsType[*loop.Error](uri.Validate())
	if !ok {
		return ""
	}
	return fault.Description
}
