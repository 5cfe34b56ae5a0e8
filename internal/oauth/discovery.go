package oauth

import "github.com/loop-health/loop/internal/loop"

// Metadata is what both discovery documents say (RFC 8414 §2, OpenID Connect
// Discovery §3): only what is on.
type Metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserInfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	ScopesSupported       []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	IDTokenAlgorithms     []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	ClaimsSupported       []string `json:"claims_supported"`
	ClaimTypes            []string `json:"claim_types_supported"`
	ClaimsParameter       bool     `json:"claims_parameter_supported"`
	RequestParameter      bool     `json:"request_parameter_supported"`
	RequestURIParameter   bool     `json:"request_uri_parameter_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	PromptValues          []string `json:"prompt_values_supported"`
	ACRValues             []string `json:"acr_values_supported"`
	IssParameter          bool     `json:"authorization_response_iss_parameter_supported"`
	UILocales             []string `json:"ui_locales_supported"`
	Documentation         string   `json:"service_documentation"`
}

// Metadata describes the server as it is configured; documentation is the
// portal's address of it.
func (s *Server) Metadata(documentation string) Metadata {
	var scopes []string
	for _, row := range loop.ScopeRegistry() {
		scopes = append(scopes, string(row.Scope))
	}
	return Metadata{
		Issuer:                s.Issuer,
		AuthorizationEndpoint: s.Issuer + "/v1/oauth/authorize",
		TokenEndpoint:         s.Issuer + "/v1/oauth/token",
		UserInfoEndpoint:      s.Issuer + "/v1/oauth/userinfo",
		JWKSURI:               s.Issuer + "/.well-known/jwks.json",
		ScopesSupported:       append(scopes, string(loop.ScopeOfflineAccess)),
		ResponseTypes:         []string{"code"},
		ResponseModes:         []string{string(QueryMode), string(FormPostMode)},
		GrantTypes:            []string{string(GrantAuthorizationCode), string(GrantRefreshToken)},
		SubjectTypes:          []string{"public"},
		IDTokenAlgorithms:     []string{"ES256"},
		TokenAuthMethods:      []string{"client_secret_post", "client_secret_basic", "none"},
		ClaimsSupported: []string{
			"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr",
			"name", "locale", "updated_at", "email", "email_verified",
		},
		ClaimTypes:          []string{"normal"},
		ClaimsParameter:     true,
		RequestParameter:    false,
		RequestURIParameter: false,
		ChallengeMethods:    []string{"S256"},
		PromptValues:        []string{"none", "login", "consent", "select_account"},
		ACRValues:           []string{ACRPassword},
		IssParameter:        true,
		UILocales:           []string{"en"},
		Documentation:       documentation,
	}
}
