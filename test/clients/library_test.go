package clients

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/registration/library"
)

// client is a library that is tried, by its id in the table of libraries.
type client struct {
	id      string
	runtime string
	module  string // whose version is said; empty: the id
	path    string // of the redirect URI; empty: /callback
	build   string // the module's file for browsers
}

// scope is what each app asks for.
const scope = "openid profile email read:biomarkers"

var clients = []client{
	{id: "authlib", runtime: "python", module: "Authlib"},
	{id: "requests-oauthlib", runtime: "python"},
	{id: "oauthlib", runtime: "python"},
	{id: "flask-dance", runtime: "python", module: "Flask-Dance", path: "/loop/authorized"},
	{id: "flask-oidc", runtime: "python", path: "/authorize"},
	{id: "fastapi-sso", runtime: "python"},
	{id: "httpx-oauth", runtime: "python"},
	{id: "aioauth-client", runtime: "python"},
	{id: "django-allauth", runtime: "python", path: "/accounts/oidc/loop/login/callback/"},
	{id: "social-auth-core", runtime: "python", path: "/complete/oidc/"},
	{id: "mozilla-django-oidc", runtime: "python", path: "/oidc/callback/"},
	{id: "idpyoidc", runtime: "python"},
	{id: "pyoidc", runtime: "python", module: "oic"},
	{id: "openid-client-6", runtime: "node", module: "openid-client"},
	{id: "openid-client-5", runtime: "node"},
	{id: "auth-js", runtime: "node", module: "@auth/core", path: "/auth/callback/loop"},
	{id: "next-auth", runtime: "node", path: "/api/auth/callback/loop"},
	{id: "express-openid-connect", runtime: "node"},
	{id: "passport-oauth2", runtime: "node"},
	{id: "passport-openidconnect", runtime: "node"},
	{id: "grant", runtime: "node", path: "/connect/loop/callback"},
	{id: "simple-oauth2", runtime: "node"},
	{id: "arctic", runtime: "node"},
	{id: "better-auth", runtime: "node", path: "/api/auth/callback/loop"},
	{id: "connect", runtime: "go", module: "github.com/loop-health/loop/connect"},
	{id: "x-oauth2", runtime: "go", module: "golang.org/x/oauth2"},
	{id: "go-oidc", runtime: "go", module: "github.com/coreos/go-oidc/v3"},
	{id: "zitadel-oidc", runtime: "go", module: "github.com/zitadel/oidc/v3"},
	{id: "hashicorp-cap", runtime: "go", module: "github.com/hashicorp/cap"},
	{id: "nimbus", runtime: "java"},
	{id: "scribejava", runtime: "java"},
	{id: "google-oauth-client", runtime: "java"},
	{id: "oidc-client-ts", runtime: "browser", build: "dist/browser/oidc-client-ts.js"},
	{id: "openidconnect-rs", runtime: "rust", module: "openidconnect"},
	{id: "oauth2-rs", runtime: "rust", module: "oauth2"},
}

// inTurn reports whether this run has the runtime: LOOP_TEST_CLIENTS names those that
// it has, and without it there are all.
func inTurn(runtime string) bool {
	chosen := os.Getenv("LOOP_TEST_CLIENTS")
	return chosen == "" || slices.Contains(strings.Split(chosen, ","), runtime)
}

// find gives a client's row of the table of libraries.
func find(t *testing.T, id string) library.Library {
	t.Helper()
	table, err := library.Read()
	if err != nil {
		t.Fatal(err)
	}
	found, ok := table.Find(id)
	if !ok {
		t.Fatalf("the table of libraries has no %s", id)
	}
	return found
}
