package oauth

import "github.com/loop-health/loop/internal/loop"

// SMARTConfiguration is what apps of SMART App Launch read of the server, below FHIR's
// base address (SMART App Launch 2.2 §8): only what is on.
type SMARTConfiguration struct {
	Issuer                string   `json:"issuer"`
	JWKSURI               string   `json:"jwks_uri"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	TokenAuthMethods      []string `json:"token_endpoint_auth_methods_supported"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	ManagementEndpoint    string   `json:"management_endpoint"` // the member's page of their apps
	GrantTypes            []string `json:"grant_types_supported"`
	ScopesSupported       []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported"`
	Capabilities          []string `json:"capabilities"`
}

// SMARTConfiguration describes the server to apps of SMART App Launch; management is
// the address at which a member sees and ends what apps may do.
func (e Endpoints) SMARTConfiguration(authorities bool, management string) SMARTConfiguration {
	return SMARTConfiguration{
		Issuer:                e.Issuer,
		JWKSURI:               e.Issuer + KeySetPath,
		AuthorizationEndpoint: e.Issuer + AuthorizePath,
		TokenEndpoint:         e.Issuer + TokenPath,
		TokenAuthMethods:      e.authMethods(authorities),
		IntrospectionEndpoint: e.Issuer + IntrospectionPath,
		RevocationEndpoint:    e.Issuer + RevocationPath,
		ManagementEndpoint:    management,
		GrantTypes:            names([]loop.GrantType{loop.GrantAuthorizationCode, loop.GrantRefreshToken}),
		ScopesSupported:       append([]string{string(loop.ScopeOpenID), string(loop.ScopeOfflineAccess)}, loop.SmartScopeNames()...),
		ResponseTypes:         []string{"code"},
		ChallengeMethods:      []string{"S256"},
		Capabilities: []string{
			"launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "sso-openid-connect",
			"context-standalone-patient", "permission-offline", "permission-patient", "permission-v1", "permission-v2",
		},
	}
}
