package registration

import (
	"encoding/json"
	"net/url"
	"slices"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
)

// metadata is what a client says of itself (RFC 7591 §2), in its metadata document or in
// a request to register. What isn't listed here is ignored, as §2 demands.
type metadata struct {
	ClientID        loop.ClientID
	Name            string
	RedirectURIs    []loop.RedirectURI
	AuthMethod      loop.AuthMethod
	GrantTypes      []loop.GrantType
	ResponseTypes   []string
	HomePage        string
	Logo            string
	PolicyPage      string
	TermsPage       string
	KeySet          json.RawMessage
	KeySetURI       string
	Software        string
	IDTokenAlg      loop.Algorithm
	DPoPBound       bool
	AfterSignOut    []loop.RedirectURI
	Scope           string // for its form alone: it is no ceiling of what the client may ask for
	ApplicationType string // likewise: the redirect URIs say what the client is
}

// readMetadata reads a JSON object. Each member that is of another type than it has to be
// is a ValidationError that names it; one that is null is absent.
func readMetadata(body []byte) (*metadata, []error) {
	m := &metadata{}
	var sent map[string]json.RawMessage
	if err := clientjwt.DecodeClaims(body, &sent); err != nil || sent == nil {
		return nil, []error{loop.Errorf(loop.ValidationError, "It is not a JSON object, or holds a member twice.").Because(err)}
	}
	var faults []error
	for name, into := range map[string]any{
		"client_id": &m.ClientID, "client_name": &m.Name, "redirect_uris": &m.RedirectURIs, "token_endpoint_auth_method": &m.AuthMethod,
		"grant_types": &m.GrantTypes, "response_types": &m.ResponseTypes, "client_uri": &m.HomePage, "logo_uri": &m.Logo,
		"policy_uri": &m.PolicyPage, "tos_uri": &m.TermsPage, "jwks": &m.KeySet, "jwks_uri": &m.KeySetURI, "software_id": &m.Software,
		"id_token_signed_response_alg": &m.IDTokenAlg, "dpop_bound_access_tokens": &m.DPoPBound, "post_logout_redirect_uris": &m.AfterSignOut,
		"scope": &m.Scope, "application_type": &m.ApplicationType,
	} {
		text, ok := sent[name]
		if !ok || string(text) == "null" {
			continue
		}
		if err := clientjwt.DecodeClaims(text, into); err != nil {
			faults = append(faults, loop.Errorf(loop.ValidationError, "It is not of the type that RFC 7591 gives it.").Because(err).About(name))
		}
	}
	return m, faults
}

// client makes a client of what was said, with the defaults of who says nothing: a
// public client that gets refresh tokens. It may ask members for every scope, since
// nobody has judged what it needs; they choose.
func (m *metadata) client() (*loop.Client, []error) {
	var faults []error
	refuse := func(field, format string, args ...any) {
		faults = append(faults, loop.Errorf(loop.ValidationError, format, args...).About(field))
	}
	c := New()
	c.Name, c.RedirectURIs, c.HomePage, c.PolicyPage, c.TermsPage, c.Logo.URI = m.Name, m.RedirectURIs, m.HomePage, m.PolicyPage, m.TermsPage, m.Logo
	c.AllowedScopes, c.RefreshGrace = everyScope(), loop.AgentRefreshGrace
	c.Protocol.KeySet, c.Protocol.KeySetURI, c.Protocol.Software = m.KeySet, m.KeySetURI, m.Software
	c.Protocol.DPoPBound, c.Protocol.PostLogoutRedirectURIs, c.Protocol.AllowedOrigins = m.DPoPBound, m.AfterSignOut, originsOf(m.RedirectURIs)
	if m.IDTokenAlg != "" {
		c.Protocol.IDTokenAlgorithm = m.IDTokenAlg
	}
	switch m.AuthMethod {
	case "", loop.AuthNone:
		c.Type, c.Protocol.AuthMethod = loop.Public, loop.AuthNone
	case loop.AuthPrivateKeyJWT:
		c.Protocol.AuthMethod = loop.AuthPrivateKeyJWT
	default:
		refuse("token_endpoint_auth_method", "A client that registers itself authenticates with none or private_key_jwt: a secret would be given to whoever asks.")
	}
	if m.GrantTypes != nil {
		c.Protocol.GrantTypes = offered(m.GrantTypes)
	}
	if len(c.Protocol.GrantTypes) == 0 || slices.Equal(c.Protocol.GrantTypes, []loop.GrantType{loop.GrantRefreshToken}) {
		refuse("grant_types", "None of these grant types is offered here. Name authorization_code, and refresh_token with it.")
	}
	if len(m.ResponseTypes) > 0 && !slices.Contains(m.ResponseTypes, "code") {
		refuse("response_types", "The response type is code.")
	}
	return c, faults
}

// offered are those of the grant types that a client without a secret can use; the
// server may replace what is asked for (RFC 7591 §3.2.1).
func offered(asked []loop.GrantType) []loop.GrantType {
	grants := []loop.GrantType{}
	for _, one := range []loop.GrantType{loop.GrantAuthorizationCode, loop.GrantRefreshToken} {
		if slices.Contains(asked, one) {
			grants = append(grants, one)
		}
	}
	return grants
}

func everyScope() loop.Scopes {
	var scopes loop.Scopes
	for _, row := range loop.ScopeRegistry() {
		scopes = append(scopes, row.Scope)
	}
	return loop.NewScopes(scopes...)
}

// originsOf are the origins of the pages that a client in the browser returns to: there
// it reads our answers too.
func originsOf(uris []loop.RedirectURI) []loop.Origin {
	var origins []loop.Origin
	for _, uri := range uris {
		u, err := url.Parse(string(uri))
		if err != nil || u.Scheme != "https" && u.Scheme != "http" {
			continue
		}
		if origin := loop.Origin(u.Scheme + "://" + u.Host); origin.Validate() == nil && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}
