package conformance

import (
	"slices"
	"strings"
	"testing"
)

// kinds are the types of what the discovery document can say (RFC 8414 §2, OpenID
// Connect Discovery §3, and the specifications that add to them).
var kinds = map[string]string{
	"issuer":                                                   "text",
	"service_documentation":                                    "text",
	"op_policy_uri":                                            "text",
	"op_tos_uri":                                               "text",
	"jwks_uri":                                                 "endpoint",
	"authorization_endpoint":                                   "endpoint",
	"token_endpoint":                                           "endpoint",
	"userinfo_endpoint":                                        "endpoint",
	"registration_endpoint":                                    "endpoint",
	"revocation_endpoint":                                      "endpoint",
	"introspection_endpoint":                                   "endpoint",
	"end_session_endpoint":                                     "endpoint",
	"pushed_authorization_request_endpoint":                    "endpoint",
	"scopes_supported":                                         "list",
	"response_types_supported":                                 "list",
	"response_modes_supported":                                 "list",
	"grant_types_supported":                                    "list",
	"subject_types_supported":                                  "list",
	"acr_values_supported":                                     "list",
	"claims_supported":                                         "list",
	"claim_types_supported":                                    "list",
	"claims_locales_supported":                                 "list",
	"ui_locales_supported":                                     "list",
	"display_values_supported":                                 "list",
	"prompt_values_supported":                                  "list",
	"code_challenge_methods_supported":                         "list",
	"dpop_signing_alg_values_supported":                        "list",
	"id_token_signing_alg_values_supported":                    "list",
	"userinfo_signing_alg_values_supported":                    "list",
	"request_object_signing_alg_values_supported":              "list",
	"introspection_signing_alg_values_supported":               "list",
	"token_endpoint_auth_methods_supported":                    "list",
	"revocation_endpoint_auth_methods_supported":               "list",
	"introspection_endpoint_auth_methods_supported":            "list",
	"token_endpoint_auth_signing_alg_values_supported":         "list",
	"revocation_endpoint_auth_signing_alg_values_supported":    "list",
	"introspection_endpoint_auth_signing_alg_values_supported": "list",
	"claims_parameter_supported":                               "truth",
	"request_parameter_supported":                              "truth",
	"request_uri_parameter_supported":                          "truth",
	"require_request_uri_registration":                         "truth",
	"require_signed_request_object":                            "truth",
	"require_pushed_authorization_requests":                    "truth",
	"authorization_response_iss_parameter_supported":           "truth",
	"tls_client_certificate_bound_access_tokens":               "truth",
	"backchannel_logout_supported":                             "truth",
	"backchannel_logout_session_supported":                     "truth",
	"frontchannel_logout_supported":                            "truth",
	"frontchannel_logout_session_supported":                    "truth",
	"mtls_endpoint_aliases":                                    "endpoints",
}

// mustBeThere is what the suite does not do without.
var mustBeThere = []string{
	"issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "response_types_supported",
	"subject_types_supported", "id_token_signing_alg_values_supported", "scopes_supported", "claims_supported",
}

func TestConformance_Discovery(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	t.Run("oidcc-discovery-endpoint-verification", func(t *testing.T) {
		for _, document := range []string{"openid-configuration", "oauth-authorization-server"} {
			t.Run(document, func(t *testing.T) { s.holdsTheMetadata(t, document) })
		}
	})
}

// holdsTheMetadata judges a discovery document. That it is application/json, and
// the keys of the set are each by themselves, was judged as they were fetched.
func (s *server) holdsTheMetadata(t *testing.T, document string) {
	metadata := s.metadataAt(t, document)
	if metadata.text("issuer") != issuer {
		t.Errorf("the issuer is %v, and the document was at %s/.well-known", metadata["issuer"], issuer)
	}
	for _, name := range mustBeThere {
		if _, has := metadata[name]; !has {
			t.Errorf("there is no %s", name)
		}
	}
	for name, value := range metadata {
		if kind := kinds[name]; kind != "" && !fits(kind, value) {
			t.Errorf("%s is %v: no %s", name, value, kind)
		}
	}
	if methods := metadata.texts("code_challenge_methods_supported"); !slices.Equal(methods, []string{"S256"}) {
		t.Errorf("code_challenge_methods_supported is %v, want S256 alone", methods)
	}
	s.keys(t)
}

// fits reports whether a value is of the kind. A list is never empty: it would be
// left out (RFC 8414 §3.2).
func fits(kind string, value any) bool {
	switch value := value.(type) {
	case string:
		return kind == "text" && value != "" || kind == "endpoint" && strings.HasPrefix(value, "https://")
	case bool:
		return kind == "truth"
	case []any:
		return kind == "list" && len(value) > 0 && !slices.ContainsFunc(value, func(item any) bool {
			text, isText := item.(string)
			return !isText || text == ""
		})
	case map[string]any:
		for _, address := range value {
			if !fits("endpoint", address) {
				return false
			}
		}
		return kind == "endpoints"
	}
	return false
}
