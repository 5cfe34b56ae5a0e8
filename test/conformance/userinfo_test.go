package conformance

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// userInfo asks userinfo with a token in the header.
func (a *app) userInfo(t *testing.T, method string, got *tokens) shown {
	t.Helper()
	return a.ask(t, method, a.identity+"/v1/oauth/userinfo", got.Access, nil)
}

// userClaims reads the claims of a userinfo answer (OpenID Connect Core §5.3.2)
// and holds them to their types.
func userClaims(t *testing.T, answered shown) claims {
	t.Helper()
	if kind := answered.Header.Get("Content-Type"); answered.StatusCode != http.StatusOK || kind != "application/json" {
		t.Fatalf("userinfo: status %d, %s: %s", answered.StatusCode, kind, answered.body)
	}
	var c claims
	if err := json.Unmarshal([]byte(answered.body), &c); err != nil {
		t.Fatal(err)
	}
	for name, value := range c {
		var fits bool
		switch name {
		case "email_verified", "phone_number_verified":
			_, fits = value.(bool)
		case "updated_at":
			_, fits = value.(float64)
		case "address":
			_, fits = value.(map[string]any)
		default:
			fits = c.text(name) != ""
		}
		if !fits {
			t.Errorf("the claim %s is %v", name, value)
		}
	}
	return c
}

// dead holds an access token to open nothing any more.
func (a *app) dead(t *testing.T, got *tokens) {
	t.Helper()
	if answered := a.userInfo(t, http.MethodGet, got); answered.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo: status %d, want 401: %s", answered.StatusCode, answered.body)
	}
}

// claimsOfScope are those of OpenID Connect Core §5.4.
var claimsOfScope = map[string][]string{
	"profile": {
		"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
		"website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
	},
	"email":   {"email", "email_verified"},
	"address": {"address"},
	"phone":   {"phone_number", "phone_number_verified"},
}

// hasAllThatIsPromised holds userinfo to every claim that discovery promises for
// the scopes, and to no claim of another.
func (c claims) hasAllThatIsPromised(t *testing.T, promised, scopes []string) {
	t.Helper()
	for scope, names := range claimsOfScope {
		for _, name := range names {
			want := slices.Contains(scopes, scope) && slices.Contains(promised, name)
			if _, has := c[name]; has != want {
				t.Errorf("userinfo for %v has %s: %t, want %t", scopes, name, has, want)
			}
		}
	}
}
