package loop

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Protocol is how a client speaks with the authorization server: which grant
// types, how it authenticates, with which keys, and how strictly. The names in
// JSON are those of dynamic client registration (RFC 7591 §2) and of the
// specifications that add to it.
type Protocol struct {
	GrantTypes    []GrantType `json:"grant_types"`
	AuthMethod    AuthMethod  `json:"token_endpoint_auth_method"`
	Profile       Profile     `json:"profile"`
	ServiceScopes []string    `json:"service_scopes,omitempty"` // of named resources, for client_credentials
	Resource      string      `json:"resource,omitempty"`       // the resource server that this client is; empty: none

	KeySet    json.RawMessage `json:"jwks,omitempty"` // the client's public keys (RFC 7517 §5)
	KeySetURI string          `json:"jwks_uri,omitempty"`

	IDTokenAlgorithm       Algorithm `json:"id_token_signed_response_alg"`
	UserInfoAlgorithm      Algorithm `json:"userinfo_signed_response_alg,omitempty"`      // empty: plain JSON
	IntrospectionAlgorithm Algorithm `json:"introspection_signed_response_alg,omitempty"` // empty: ES256, where a JWT is asked for

	Software string `json:"software_id,omitempty"` // the client library that the app is built with (RFC 7591 §2); empty: not said

	RequireState               bool `json:"require_state,omitempty"`                 // in every authorization request
	RequireSignedRequestObject bool `json:"require_signed_request_object,omitempty"` // RFC 9101 §10.5

	DPoPBound        bool   `json:"dpop_bound_access_tokens,omitempty"`                   // RFC 9449 §5.2
	CertificateBound bool   `json:"tls_client_certificate_bound_access_tokens,omitempty"` // RFC 8705 §3.4
	TLSSubjectDN     string `json:"tls_client_auth_subject_dn,omitempty"`                 // RFC 8705 §2.1.2
	TLSSANDNS        string `json:"tls_client_auth_san_dns,omitempty"`

	// RateLimits are the client's own, in requests a minute: token, introspect,
	// revoke, read, write. What is not named has the platform's default.
	RateLimits map[string]int `json:"rate_limits,omitempty"`

	AllowedOrigins         []Origin      `json:"allowed_origins,omitempty"` // whose pages may read the client's answers
	PostLogoutRedirectURIs []RedirectURI `json:"post_logout_redirect_uris,omitempty"`
	BackchannelLogoutURI   string        `json:"backchannel_logout_uri,omitempty"`
}

func (p *Protocol) clone() Protocol {
	copied := *p
	copied.GrantTypes = slices.Clone(p.GrantTypes)
	copied.ServiceScopes = slices.Clone(p.ServiceScopes)
	copied.KeySet = slices.Clone(p.KeySet)
	copied.RateLimits = maps.Clone(p.RateLimits)
	copied.AllowedOrigins = slices.Clone(p.AllowedOrigins)
	copied.PostLogoutRedirectURIs = slices.Clone(p.PostLogoutRedirectURIs)
	return copied
}

// GrantType is a way to get tokens (RFC 6749 §1.3).
type GrantType string

// The grant types on offer.
const (
	GrantAuthorizationCode GrantType = "authorization_code"
	GrantRefreshToken      GrantType = "refresh_token"
	GrantClientCredentials GrantType = "client_credentials"
)

// AuthMethod is how a client proves at our endpoints who it is (OpenID Connect
// Core §9, RFC 8705 §2). The two that send the secret are one to us: a client
// with a secret may send it either way.
type AuthMethod string

// The authentication methods on offer.
const (
	AuthNone          AuthMethod = "none"
	AuthSecretBasic   AuthMethod = "client_secret_basic"
	AuthSecretPost    AuthMethod = "client_secret_post"
	AuthPrivateKeyJWT AuthMethod = "private_key_jwt"
	AuthTLS           AuthMethod = "tls_client_auth"
	AuthSelfSignedTLS AuthMethod = "self_signed_tls_client_auth"
)

// BySecret reports whether the client proves itself with a secret.
func (m AuthMethod) BySecret() bool { return m == AuthSecretBasic || m == AuthSecretPost }

// ByCertificate reports whether the client proves itself with a certificate.
func (m AuthMethod) ByCertificate() bool { return m == AuthTLS || m == AuthSelfSignedTLS }

// Profile is how strictly the protocol is held to.
type Profile string

// The profiles on offer.
const (
	ProfileOAuth Profile = "oauth" // OAuth 2.1 and OpenID Connect, as everybody
	ProfileFAPI2 Profile = "fapi2" // FAPI 2.0 Security Profile
)

// Algorithm is a signature algorithm of JOSE (RFC 7518 §3.1, RFC 8037 §3.1).
type Algorithm string

// The algorithms with which we sign.
const (
	ES256 Algorithm = "ES256"
	EdDSA Algorithm = "EdDSA"
	RS256 Algorithm = "RS256"
	PS256 Algorithm = "PS256"
)

// Algorithms lists those with which we sign, the default first.
func Algorithms() []Algorithm { return []Algorithm{ES256, EdDSA, RS256, PS256} }

// MayUse reports whether the client registered the grant type.
func (c *Client) MayUse(grant GrantType) bool { return slices.Contains(c.Protocol.GrantTypes, grant) }

// SetDefaults fills in what a registration left open: how a client of its type
// authenticates.
func (c *Client) SetDefaults() {
	switch {
	case c.Protocol.AuthMethod != "":
	case c.Type == Public:
		c.Protocol.AuthMethod = AuthNone
	default:
		c.Protocol.AuthMethod = AuthSecretBasic
	}
}

// Bounds of what a client can be given.
const (
	maxServiceScopes = 50
	maxRateLimit     = 1_000_000
)

// validateProtocol checks the rules of Protocol that need no more than the
// client itself; key sets are read where there is a reader for them.
func (c *Client) validateProtocol() []error {
	var faults []error
	refuse := func(field, format string, args ...any) {
		faults = append(faults, Errorf(ValidationError, format, args...).About(field))
	}
	p := &c.Protocol
	c.validateGrantTypes(refuse)
	c.validateAuthMethod(refuse)
	c.validateProfile(refuse)
	for _, field := range []struct {
		name string
		alg  Algorithm
		must bool
	}{
		{"id_token_signed_response_alg", p.IDTokenAlgorithm, true},
		{"userinfo_signed_response_alg", p.UserInfoAlgorithm, false},
		{"introspection_signed_response_alg", p.IntrospectionAlgorithm, false},
	} {
		if (field.must || field.alg != "") && !slices.Contains(Algorithms(), field.alg) {
			refuse(field.name, "The algorithm is ES256, EdDSA, RS256 or PS256.")
		}
	}
	if p.RequireSignedRequestObject && p.KeySet == nil && p.KeySetURI == "" {
		refuse("require_signed_request_object", "Signed requests need the client's public keys: give jwks or jwks_uri.")
	}
	if p.KeySet != nil && p.KeySetURI != "" {
		refuse("jwks", "Give the keys themselves (jwks) or where they are (jwks_uri), not both.")
	}
	for class, perMinute := range p.RateLimits {
		if !slices.Contains([]string{"token", "introspect", "revoke", "read", "write"}, class) || perMinute < 1 || perMinute > maxRateLimit {
			refuse("rate_limits", "A rate limit is for token, introspect, revoke, read or write, and allows 1 to %d requests a minute.", maxRateLimit)
		}
	}
	if p.Resource != "" && !ValidResource(p.Resource) {
		refuse("resource", "A resource is named by an absolute URI without a fragment (RFC 8707).")
	}
	faults = append(faults, validateOrigins(p.AllowedOrigins)...)
	return append(faults, validateURIs("post_logout_redirect_uris", p.PostLogoutRedirectURIs)...)
}

func (c *Client) validateGrantTypes(refuse func(field, format string, args ...any)) {
	p := &c.Protocol
	known := []GrantType{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials}
	for _, grant := range p.GrantTypes {
		if !slices.Contains(known, grant) {
			refuse("grant_types", "The grant types are authorization_code, refresh_token and client_credentials.")
			return
		}
	}
	switch {
	case len(p.GrantTypes) == 0 && p.Resource == "":
		refuse("grant_types", "Choose at least one grant type: authorization_code for members, client_credentials for a service.")
	case c.MayUse(GrantRefreshToken) && !c.MayUse(GrantAuthorizationCode):
		refuse("grant_types", "Refresh tokens come from authorization_code: choose that too.")
	case c.MayUse(GrantClientCredentials) && c.Type == Public:
		refuse("grant_types", "A public client can't act for itself: anybody could.")
	}
	if p.Resource != "" && c.Type == Public {
		refuse("resource", "A resource server keeps a secret or a key: it is confidential.")
	}
	if len(p.ServiceScopes) > maxServiceScopes || slices.ContainsFunc(p.ServiceScopes, func(name string) bool { return !ValidScopeName(name) }) {
		refuse("service_scopes", "Service scopes are at most %d names of printable ASCII without space, quote and backslash.", maxServiceScopes)
	}
	// The owner of an app takes a new secret in the portal, and would have its tokens.
	if c.administers() && (!c.FirstParty || c.Owner != "") {
		refuse("service_scopes", "Scopes of the admin API (admin:…) are for services of Loop's own: make the client first-party, and give it no owner.")
	}
}

func (c *Client) validateAuthMethod(refuse func(field, format string, args ...any)) {
	const field = "token_endpoint_auth_method"
	p := &c.Protocol
	hasKeys := p.KeySet != nil || p.KeySetURI != ""
	switch p.AuthMethod {
	case AuthNone:
		if c.Type != Public {
			refuse(field, "A confidential client authenticates: choose a method other than none.")
		}
		return
	case AuthSecretBasic, AuthSecretPost:
	case AuthPrivateKeyJWT:
		if !hasKeys {
			refuse("jwks", "private_key_jwt needs the client's public keys: give jwks or jwks_uri.")
		}
	case AuthTLS:
		if (p.TLSSubjectDN == "") == (p.TLSSANDNS == "") {
			refuse("tls_client_auth_subject_dn", "tls_client_auth needs one name in the certificate: tls_client_auth_subject_dn or tls_client_auth_san_dns (RFC 8705).")
		}
	case AuthSelfSignedTLS:
		if !hasKeys {
			refuse("jwks", "self_signed_tls_client_auth needs the certificate's public key: give jwks or jwks_uri.")
		}
	default:
		refuse(field, "The authentication method is one of client_secret_basic, client_secret_post, private_key_jwt, tls_client_auth, self_signed_tls_client_auth and none.")
		return
	}
	if c.Type == Public {
		refuse(field, "A public client has nothing to authenticate with: its method is none.")
	}
}

// validateProfile: FAPI 2.0 Security Profile §5.3.2 and §5.4.
func (c *Client) validateProfile(refuse func(field, format string, args ...any)) {
	p := &c.Protocol
	switch p.Profile {
	case ProfileOAuth:
		return
	case ProfileFAPI2:
	default:
		refuse("profile", "The profile is oauth or fapi2.")
		return
	}
	if p.AuthMethod != AuthPrivateKeyJWT && !p.AuthMethod.ByCertificate() {
		refuse("token_endpoint_auth_method", "The profile fapi2 needs private_key_jwt or a client certificate.")
	}
	if !p.DPoPBound && !p.CertificateBound {
		refuse("dpop_bound_access_tokens", "The profile fapi2 binds tokens: set dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens.")
	}
	for field, alg := range map[string]Algorithm{
		"id_token_signed_response_alg": p.IDTokenAlgorithm, "userinfo_signed_response_alg": p.UserInfoAlgorithm, "introspection_signed_response_alg": p.IntrospectionAlgorithm,
	} {
		if alg == RS256 {
			refuse(field, "The profile fapi2 signs with PS256, ES256 or EdDSA, not RS256.")
		}
	}
}

// ValidResource reports whether the text can name a resource: an absolute URI
// without a fragment (RFC 8707 §2).
func ValidResource(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && len(text) <= maxRedirectURILength && parsed.IsAbs() && parsed.Host != "" && parsed.User == nil &&
		!strings.Contains(text, "#") && strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// ValidScopeName reports whether the text is a scope-token (RFC 6749 §3.3).
func ValidScopeName(name string) bool {
	return name != "" && len(name) <= 100 && strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) < 0
}

// Resource is a resource server outside this platform for which tokens can be
// made; the operator names it in the configuration.
type Resource struct {
	Identifier string      // an absolute URI (RFC 8707 §2)
	Scopes     []string    // what services may ask for there
	Format     TokenFormat // of its access tokens
}

// TokenFormat is what an access token looks like to the resource server.
type TokenFormat string

// The formats of access tokens for resources outside this platform.
const (
	FormatOpaque TokenFormat = "opaque" // it asks introspection, and a revocation works at once
	FormatJWT    TokenFormat = "jwt"    // RFC 9068: it reads the token itself, which ends by expiry alone
)
