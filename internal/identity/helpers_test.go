package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

var operator = audit.Actor{Kind: audit.ByOperator, ID: "test"}

// claims reads the claims of a JWT; that its signature holds is another test's.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func signIn(b *platformtest.Browser, email, password string) *platformtest.Response {
	page := b.Get(platformtest.Identity + "/signin?another=1")
	return b.Post(platformtest.Identity+"/signin", url.Values{"csrf": {page.Field("csrf")}, "email": {email}, "password": {password}})
}

// basic authenticates a client by HTTP Basic.
func basic(id, secret string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))}}
}
