package conformance

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// area is a part of the FAPI 2.0 Security Profile, with what is expected there.
type area struct {
	name    string
	modules []module
}

// fapi2 are the areas of the profile, final version, and of its message signing.
var fapi2 = []area{
	{"discovery", []module{{"names what the profile needs", fapiMetadata}}},
	{"PAR", pushedRequests},
	{"authorization response", authorizationResponses},
	{"code", codes},
	{"client assertion", clientAssertions},
	{"DPoP", proofs},
	{"refresh", refreshes},
	{"resource", resources},
	{"signed requests", signedRequests},
}

func TestConformance_FAPI2(t *testing.T) {
	t.Parallel()
	s := &suite{server: startServer(t)}
	for _, area := range fapi2 {
		t.Run(area.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, area.modules)
		})
	}
}

func fapiMetadata(t *testing.T, s *suite) {
	metadata := s.metadata(t)
	if address := metadata.text("pushed_authorization_request_endpoint"); !strings.HasPrefix(address, issuer+"/") {
		t.Errorf("pushed_authorization_request_endpoint is %q", address)
	}
	if metadata["authorization_response_iss_parameter_supported"] != true {
		t.Error("authorization_response_iss_parameter_supported is not true")
	}
	for _, name := range []string{"id_token_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported", "dpop_signing_alg_values_supported"} {
		offered := metadata.texts(name)
		wanted := []string{"PS256", "ES256", "EdDSA"}
		if name == "dpop_signing_alg_values_supported" {
			wanted = []string{"ES256"}
		}
		for _, algorithm := range wanted {
			if !slices.Contains(offered, algorithm) {
				t.Errorf("%s is %v, without %s", name, offered, algorithm)
			}
		}
		if slices.Contains(offered, "none") {
			t.Errorf("%s has none", name)
		}
	}
	if methods := metadata.texts("token_endpoint_auth_methods_supported"); !slices.Contains(methods, "private_key_jwt") {
		t.Errorf("token_endpoint_auth_methods_supported is %v, without private_key_jwt", methods)
	}
}

// resources are what a resource server of the profile answers.
var resources = []module{
	{"a token in the query is refused", tokenInTheQuery},
	{"unknown x-fapi headers are ignored, x-fapi-interaction-id is echoed, and Date is there", fapiHeaders},
}

func tokenInTheQuery(t *testing.T, s *suite) {
	a := s.newFAPIApp(t)
	_, got := a.pushedFlow(t, s.ada)
	answered := fetch(t, a.http, http.MethodGet, clinical+"/v1/biomarkers/me?access_token="+got.Access, nil, "")
	if answered.StatusCode != http.StatusBadRequest && answered.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d, want 400 or 401: %s", answered.StatusCode, answered.body)
	}
	a.reads(t, got)
}

func fapiHeaders(t *testing.T, s *suite) {
	const interaction = "c770aef3-6784-41f7-8e0e-ff5f97bddb3a"
	a := s.newFAPIApp(t)
	_, got := a.pushedFlow(t, s.ada)
	answered := a.ask(t, http.MethodGet, clinical+"/v1/biomarkers/me", got.Access, http.Header{
		"X-Fapi-Interaction-Id": {interaction}, "X-Fapi-Auth-Date": {"Tue, 11 Sep 2012 19:43:31 GMT"},
		"X-Fapi-Customer-Ip-Address": {"2001:DB8::1893:25c8:1946"}, "X-Fapi-Of-Tomorrow": {"yes"},
	})
	if answered.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", answered.StatusCode, answered.body)
	}
	if echoed := answered.Header.Get("X-Fapi-Interaction-Id"); echoed != interaction {
		t.Errorf("x-fapi-interaction-id is %q", echoed)
	}
	if _, err := http.ParseTime(answered.Header.Get("Date")); err != nil {
		t.Errorf("Date is %q", answered.Header.Get("Date"))
	}
}
