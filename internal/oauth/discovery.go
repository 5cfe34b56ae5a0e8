package oauth

import (
	"slices"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/clientjwt"
)

// Metadata is what both discovery documents say (RFC 8414 §2, OpenID Connect
// Discovery §3): only what is on.
type Metadata struct {
	Issuer                   string         `json:"issuer"`
	AuthorizationEndpoint    string         `json:"authorization_endpoint"`
	TokenEndpoint            string         `json:"token_endpoint"`
	UserInfoEndpoint         string         `json:"userinfo_endpoint"`
	JWKSURI                  string         `json:"jwks_uri"`
	IntrospectionEndpoint    string         `json:"introspection_endpoint"`
	RevocationEndpoint       string         `json:"revocation_endpoint"`
	EndSessionEndpoint       string         `json:"end_session_endpoint"`
	PushedEndpoint           string         `json:"pushed_authorization_request_endpoint"`
	ScopesSupported          []string       `json:"scopes_supported"`
	ResponseTypes            []string       `json:"response_types_supported"`
	ResponseModes            []string       `json:"response_modes_supported"`
	GrantTypes               []string       `json:"grant_types_supported"`
	SubjectTypes             []string       `json:"subject_types_supported"`
	IDTokenAlgorithms        []string       `json:"id_token_signing_alg_values_supported"`
	UserInfoAlgorithms       []string       `json:"userinfo_signing_alg_values_supported"`
	IntrospectionAlgorithms  []string       `json:"introspection_signing_alg_values_supported"`
	RequestObjectAlgorithms  []string       `json:"request_object_signing_alg_values_supported"`
	ProofAlgorithms          []string       `json:"dpop_signing_alg_values_supported"`
	TokenAuthMethods         []string       `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms      []string       `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuthMethods []string       `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs    []string       `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationAuthMethods    []string       `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthAlgs       []string       `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	ClaimsSupported          []string       `json:"claims_supported"`
	ClaimTypes               []string       `json:"claim_types_supported"`
	ClaimsParameter          bool           `json:"claims_parameter_supported"`
	RequestParameter         bool           `json:"request_parameter_supported"`
	RequestURIParameter      bool           `json:"request_uri_parameter_supported"`
	ChallengeMethods         []string       `json:"code_challenge_methods_supported"`
	PromptValues             []string       `json:"prompt_values_supported"`
	ACRValues                []loop.Context `json:"acr_values_supported"`
	IssParameter             bool           `json:"authorization_response_iss_parameter_supported"`
	BackchannelLogout        bool           `json:"backchannel_logout_supported"`
	BackchannelLogoutSession bool           `json:"backchannel_logout_session_supported"`
	CertificateBoundTokens   bool           `json:"tls_client_certificate_bound_access_tokens"`
	CertificateAliases       *Aliases       `json:"mtls_endpoint_aliases,omitempty"`
	UILocales                []string       `json:"ui_locales_supported"`
	ProtectedResources       []string       `json:"protected_resources,omitempty"` // RFC 9728 §4
	RegistrationEndpoint     string         `json:"registration_endpoint,omitempty"`
	ClientDocuments          bool           `json:"client_id_metadata_document_supported"`
	Documentation            string         `json:"service_documentation"`
}

// Metadata describes the server as it is configured; documentation is the
// portal's address of it.
func (s *Server) Metadata(documentation string) Metadata {
	var scopes []string
	for _, row := range loop.ScopeRegistry() {
		scopes = append(scopes, string(row.Scope))
	}
	signs := names(loop.Algorithms())
	proves := clientjwt.Algorithms()
	methods := s.authMethods(s.Clients.Authorities != nil)
	confidential := slices.DeleteFunc(slices.Clone(methods), func(name string) bool { return name == string(loop.AuthNone) })
	return Metadata{
		Issuer:                   s.Issuer,
		AuthorizationEndpoint:    s.Issuer + AuthorizePath,
		TokenEndpoint:            s.Issuer + TokenPath,
		UserInfoEndpoint:         s.Issuer + UserInfoPath,
		JWKSURI:                  s.Issuer + KeySetPath,
		IntrospectionEndpoint:    s.Issuer + IntrospectionPath,
		RevocationEndpoint:       s.Issuer + RevocationPath,
		EndSessionEndpoint:       s.Issuer + LogoutPath,
		PushedEndpoint:           s.Issuer + PushedPath,
		ScopesSupported:          append(scopes, string(loop.ScopeOfflineAccess)),
		ResponseTypes:            []string{"code"},
		ResponseModes:            []string{string(QueryMode), string(FormPostMode)},
		GrantTypes:               s.Resources.grantTypes(),
		SubjectTypes:             []string{"public"},
		IDTokenAlgorithms:        signs,
		UserInfoAlgorithms:       signs,
		IntrospectionAlgorithms:  signs,
		RequestObjectAlgorithms:  proves,
		ProofAlgorithms:          proves,
		TokenAuthMethods:         methods,
		TokenAuthAlgorithms:      proves,
		IntrospectionAuthMethods: confidential,
		IntrospectionAuthAlgs:    proves,
		RevocationAuthMethods:    methods,
		RevocationAuthAlgs:       proves,
		ClaimsSupported: []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr",
			"name", "locale", "updated_at", "email", "email_verified",
		},
		ClaimTypes:               []string{"normal"},
		ClaimsParameter:          true,
		RequestParameter:         true,
		RequestURIParameter:      false,
		ChallengeMethods:         []string{"S256"},
		PromptValues:             []string{"none", "login", "consent", "select_account"},
		ACRValues:                loop.Contexts,
		IssParameter:             true,
		BackchannelLogout:        true,
		BackchannelLogoutSession: true,
		CertificateBoundTokens:   s.CertificateURL != "",
		CertificateAliases:       s.aliases(),
		UILocales:                s.UILocales,
		ProtectedResources:       without(s.Resources.Own, []string{s.Issuer}),
		RegistrationEndpoint:     s.registrationEndpoint(),
		ClientDocuments:          s.TakesDocuments,
		Documentation:            documentation,
	}
}

func (s *Server) registrationEndpoint() string {
	if !s.Registers {
		return ""
	}
	return s.Issuer + RegistrationPath
}

// grantTypes: services get tokens where there is a resource for them. The admin API is
// not advertised: its services are Loop's own.
func (r Resources) grantTypes() []string {
	grants := []loop.GrantType{loop.GrantAuthorizationCode, loop.GrantRefreshToken}
	if len(r.Outside) > 0 {
		grants = append(grants, loop.GrantClientCredentials)
	}
	return names(grants)
}

func names[T ~string](values []T) []string {
	plain := make([]string, len(values))
	for i, value := range values {
		plain[i] = string(value)
	}
	return plain
}

// ResourceMetadata is what a protected resource says of itself (RFC 9728 §2).
type ResourceMetadata struct {
	Resource               string   `json:"resource"`
	AuthorizationServers   []string `json:"authorization_servers"`
	ScopesSupported        []string `json:"scopes_supported"`
	BearerMethods          []string `json:"bearer_methods_supported"`
	ProofAlgorithms        []string `json:"dpop_signing_alg_values_supported"`
	CertificateBoundTokens bool     `json:"tls_client_certificate_bound_access_tokens"`
	Name                   string   `json:"resource_name"`
	Documentation          string   `json:"resource_documentation"`
}
