package conformance

import (
	"net/http"
	"net/url"
	"testing"
)

// userInfoByForm sends the access token as a form field (RFC 6750 §2.2).
func userInfoByForm(t *testing.T, s *suite) {
	a := s.newApp(t)
	got := a.flow(t, s.browser(t), a.request("scope", "openid profile email"), s.ada)
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	form := url.Values{"access_token": {got.Access}}
	answered := fetch(t, a.http, http.MethodPost, s.metadata(t).text("userinfo_endpoint"), header, form.Encode())
	if about := userClaims(t, answered); about.text("sub") != a.idToken(t, got).text("sub") {
		t.Errorf("userinfo is about %v", about["sub"])
	}
}
