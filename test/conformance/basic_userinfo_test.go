package conformance

import (
	"net/http"
	"strings"
	"testing"
)

func userInfoByGet(t *testing.T, s *suite) { userInfoBy(t, s, http.MethodGet) }

func userInfoByPost(t *testing.T, s *suite) { userInfoBy(t, s, http.MethodPost) }

func userInfoBy(t *testing.T, s *suite, method string) {
	a := s.newApp(t)
	got := a.flow(t, s.browser(t), a.request("scope", "openid profile email"), s.ada)
	about := userClaims(t, a.userInfo(t, method, got))
	if about.text("sub") != a.idToken(t, got).text("sub") {
		t.Errorf("userinfo is about %v", about["sub"])
	}
}

// scopes asks for these, as far as discovery has them.
func scopes(names ...string) func(*testing.T, *suite) {
	return func(t *testing.T, s *suite) {
		metadata := s.metadata(t)
		asked := []string{"openid"}
		for _, scope := range metadata.texts("scopes_supported") {
			for _, name := range names {
				if scope == name {
					asked = append(asked, name)
				}
			}
		}
		a := s.newApp(t)
		got := a.flow(t, s.browser(t), a.request("scope", strings.Join(asked, " ")), s.ada)
		userClaims(t, a.userInfo(t, http.MethodGet, got)).hasAllThatIsPromised(t, metadata.texts("claims_supported"), asked)
		a.idToken(t, got).tellsOnlyOfTheSignIn(t)
	}
}

func claimsEssential(t *testing.T, s *suite) {
	a := s.newApp(t)
	got := a.flow(t, s.browser(t), a.request("claims", `{"userinfo":{"name":{"essential":true}}}`), s.ada)
	if name := userClaims(t, a.userInfo(t, http.MethodGet, got)).text("name"); name != s.ada.Name {
		t.Errorf("the essential claim name is %q, want %q", name, s.ada.Name)
	}
	a.idToken(t, got).tellsOnlyOfTheSignIn(t)
}
