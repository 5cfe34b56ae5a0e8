package conformance

import (
	"testing"
	"time"
)

// suite is a server, and the way in which authorization answers are asked for.
type suite struct {
	*server
	mode string // response_mode; empty: the parameter is not sent
}

func (s *suite) newApp(t *testing.T, flags ...string) *app {
	t.Helper()
	a := s.server.newApp(t, flags...)
	a.mode = s.mode
	return a
}

// module is one of the suite's, under its name there.
type module struct {
	name string
	run  func(t *testing.T, s *suite)
}

// run runs modules side by side. Each has its Ada of the crowd.
func (s *suite) run(t *testing.T, modules []module) {
	for _, m := range modules {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			own := *s.server
			own.ada = s.borrowMember(t)
			m.run(t, &suite{server: &own, mode: s.mode})
		})
	}
}

// basic are the modules of OpenID Connect's basic profile.
var basic = []module{
	{"oidcc-server", happyFlow},
	{"oidcc-response-type-missing", responseTypeMissing},
	{"oidcc-idtoken-signature", idTokenSignature},
	{"oidcc-userinfo-get", userInfoByGet},
	{"oidcc-userinfo-post-header", userInfoByPost},
	{"oidcc-userinfo-post-body", userInfoByForm},
	{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", withoutNonce},
	{"oidcc-scope-profile", scopes("profile")},
	{"oidcc-scope-email", scopes("email")},
	{"oidcc-scope-all", scopes("profile", "email", "address", "phone")},
	{"oidcc-alternate-happy-flow", anyOrder},
	{"oidcc-display-page", accepts("display", "page")},
	{"oidcc-display-popup", accepts("display", "popup")},
	{"oidcc-ui-locales", accepts("ui_locales", "se xx-Nowhere")},
	{"oidcc-claims-locales", accepts("claims_locales", "se xx-Nowhere")},
	{"oidcc-login-hint", accepts("login_hint", "ada@members.example")},
	{"oidcc-ensure-request-with-unknown-parameter-succeeds", accepts("extra", "foobar")},
	{"oidcc-prompt-login", promptLogin},
	{"oidcc-prompt-none-not-logged-in", promptNoneNotLoggedIn},
	{"oidcc-prompt-none-logged-in", promptNoneLoggedIn},
	{"oidcc-id-token-hint", idTokenHint},
	{"oidcc-max-age-1", maxAge1},
	{"oidcc-max-age-10000", maxAge10000},
	{"oidcc-ensure-request-with-acr-values-succeeds", acrValues},
	{"oidcc-codereuse", codeReuse(0)},
	{"oidcc-codereuse-30seconds", codeReuse(30 * time.Second)},
	{"oidcc-ensure-registered-redirect-uri", unregisteredRedirectURI},
	{"oidcc-ensure-post-request-succeeds", postRequest},
	{"oidcc-server-client-secret-post", secretByPost},
	{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", unsignedRequestObject},
	{"oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", unsignedRequestURI},
	{"oidcc-ensure-request-object-with-redirect-uri", requestObjectWithRedirectURI},
	{"oidcc-claims-essential", claimsEssential},
	{"oidcc-refresh-token", refreshToken},
	{"oidcc-ensure-request-with-valid-pkce-succeeds", validPKCE},
}

func TestConformance_Basic(t *testing.T) {
	t.Parallel()
	s := &suite{server: startServer(t)}
	s.run(t, basic)
}

// The form post profile is the basic one, with answers that arrive by POST: what
// reads an answer holds it to that.
func TestConformance_FormPost(t *testing.T) {
	t.Parallel()
	s := &suite{server: startServer(t), mode: "form_post"}
	s.run(t, basic)
}
