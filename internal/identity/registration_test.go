package identity_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const registerAddress = platformtest.Identity + "/v1/oauth/register"

func newRegistering(t *testing.T, alter ...func(*platform.Config)) *platformtest.Platform {
	t.Helper()
	return platformtest.NewWith(t, func(c *platform.Config) {
		c.Registers = true
		for _, change := range alter {
			change(c)
		}
	})
}

func registerItself(t *testing.T, p *platformtest.Platform, body string) *platformtest.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, registerAddress, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return p.NewBrowser(t).Do(req)
}

func TestRegister_RFC7591_WhatClientsReallySend(t *testing.T) {
	t.Parallel()
	p := newRegistering(t)
	ada := p.AddMember(t, "Ada")
	for name, body := range map[string]string{
		"as little as there can be": `{"redirect_uris":["http://localhost:49152/callback"]}`,
		"an empty scope and nulls":  `{"client_name":"Night Assistant","redirect_uris":["http://localhost:49152/callback"],"scope":"","client_uri":null,"jwks":null,"contacts":null}`,
		"all of it": `{"client_name":"Night Assistant","redirect_uris":["http://localhost:49152/callback"],"token_endpoint_auth_method":"none",
			"grant_types":["authorization_code","refresh_token","urn:example:other"],"response_types":["code"],"scope":"openid","application_type":"native","x_other":{"a":[1]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := registerItself(t, p, body)
			answer := r.JSON(t)
			if r.StatusCode != http.StatusCreated || r.Header.Get("Cache-Control") != "no-store" || strings.Contains(r.Text, "null") || strings.Contains(r.Text, "client_secret") {
				t.Fatalf("status %d: %s", r.StatusCode, r.Text)
			}
			if answer["token_endpoint_auth_method"] != "none" || fmt.Sprint(answer["grant_types"]) != "[authorization_code refresh_token]" || answer["client_name"] == "" || answer["client_id_issued_at"] == nil {
				t.Errorf("the answer is %v", answer)
			}
			app := &platformtest.App{Client: &loop.Client{ID: loop.ClientID(answer["client_id"].(string)), RedirectURIs: []loop.RedirectURI{"http://localhost:49152/callback"}}}
			b := p.NewBrowser(t)
			code := b.Allow(app.Request(), ada).Query().Get("code") // more than the registered scope
			form := url.Values{"grant_type": {"authorization_code"}, "client_id": {string(app.ID)}, "code": {code}, "redirect_uri": {"http://localhost:49152/callback"}, "code_verifier": {platformtest.Verifier}}
			tokens := p.Post(t, platformtest.Identity+"/v1/oauth/token", form, nil).Pair(t)
			if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK || tokens.Refresh == "" {
				t.Errorf("a read: %d %s", r.StatusCode, r.Text)
			}
		})
	}
	t.Run("one with equal name and redirect URI shares no consent", func(t *testing.T) {
		b, ben := p.NewBrowser(t), p.AddMember(t, "Ben")
		for i := range 2 {
			id := registerItself(t, p, `{"client_name":"Twin","redirect_uris":["https://app.example.com/cb"]}`).JSON(t)["client_id"].(string)
			app := &platformtest.App{Client: &loop.Client{ID: loop.ClientID(id), RedirectURIs: []loop.RedirectURI{"https://app.example.com/cb"}}}
			page := b.Follow(b.Authorize(app.Request()))
			if i == 0 {
				page = b.SignIn(page, ben)
			}
			if !strings.Contains(page.Text, `id="allow"`) || !strings.Contains(page.Text, "This app registered itself") {
				t.Fatalf("the %dth is not asked for: %d", i+1, page.StatusCode)
			}
			b.Decide(page, "allow", "profile").Redirected(t)
		}
	})
}

func TestSec443_WhoRegistersItselfGetsNoMoreThanMembersGive(t *testing.T) {
	t.Parallel()
	p := newRegistering(t)
	for name, c := range map[string]struct{ body, code, field string }{
		"script":                    {`{"redirect_uris":["javascript:alert(1)"]}`, "invalid_redirect_uri", "redirect_uris"},
		"http beyond this machine":  {`{"redirect_uris":["http://app.example.com/cb"]}`, "invalid_redirect_uri", "redirect_uris"},
		"no redirect URI":           {`{"client_name":"Night Assistant"}`, "invalid_redirect_uri", "redirect_uris"},
		"redirect URIs that are no": {`{"redirect_uris":"https://app.example.com/cb"}`, "invalid_redirect_uri", "redirect_uris"},
		"a name of ours":            {`{"client_name":"Loop","redirect_uris":["https://app.example.com/cb"]}`, "invalid_client_metadata", "client_name"},
		"a secret":                  {`{"redirect_uris":["https://app.example.com/cb"],"token_endpoint_auth_method":"client_secret_post"}`, "invalid_client_metadata", "token_endpoint_auth_method"},
		"a service":                 {`{"redirect_uris":["https://app.example.com/cb"],"grant_types":["client_credentials"]}`, "invalid_client_metadata", "grant_types"},
		"keys at an inner address":  {`{"redirect_uris":["https://app.example.com/cb"],"token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://10.0.0.1/k"}`, "invalid_client_metadata", "jwks_uri"},
		"two faults":                {`{"redirect_uris":["http://app.example.com/cb"],"client_name":"Loop"}`, "invalid_client_metadata", ""},
		"no object":                 {`[]`, "invalid_client_metadata", ""},
		"a member twice":            {`{"redirect_uris":[],"redirect_uris":[]}`, "invalid_client_metadata", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := registerItself(t, p, c.body)
			refused(t, r, http.StatusBadRequest, c.code)
			if c.field != "" && (r.JSON(t)["field"] != c.field || !strings.Contains(r.JSON(t)["error_description"].(string), c.field+": ")) {
				t.Errorf("it does not name %s: %s", c.field, r.Text)
			}
		})
	}
	t.Run("what only people set is ignored", func(t *testing.T) {
		t.Parallel()
		r := registerItself(t, p, `{"redirect_uris":["https://app.example.com/cb"],"is_first_party":true,"verified":true,"mode":"production","baa":{"by":"x"},"owner":"user_x","client_id":"client_x","Client_Name":"Loop","access_token_ttl":1}`)
		c, err := p.Clients.Store.Client(t.Context(), loop.ClientID(r.JSON(t)["client_id"].(string)))
		if err != nil || c.FirstParty || c.Verified || c.Mode != loop.Development || c.BAA != nil || c.Owner != "" || c.Name != "App at app.example.com" || c.AccessTokenTTL != loop.DefaultAccessTokenTTL {
			t.Errorf("it is %+v, %v", c, err)
		}
	})
	t.Run("off, there is no such address", func(t *testing.T) {
		t.Parallel()
		off := platformtest.New(t)
		if r := registerItself(t, off, `{}`); r.StatusCode != http.StatusNotFound {
			t.Errorf("status %d", r.StatusCode)
		}
		for path, p := range map[string]*platformtest.Platform{"off": off, "on": p} {
			if _, named := p.Fetch(t, http.MethodGet, platformtest.Identity+"/.well-known/oauth-authorization-server", nil).JSON(t)["registration_endpoint"]; named != (path == "on") {
				t.Errorf("%s, the metadata name it: %t", path, named)
			}
		}
	})
}

func TestSec443_ARegistrationIsForWhoHasItsToken(t *testing.T) {
	t.Parallel()
	p := newRegistering(t)
	answer := registerItself(t, p, `{"redirect_uris":["https://app.example.com/cb"]}`).JSON(t)
	others := registerItself(t, p, `{"redirect_uris":["https://app.example.com/cb"]}`).JSON(t)
	address, token := answer["registration_client_uri"].(string), answer["registration_access_token"].(string)
	as := func(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }
	registered := p.AddApp(t, nil)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		for name, c := range map[string]struct{ address, token string }{
			"another's token":  {address, others["registration_access_token"].(string)},
			"no token":         {address, ""},
			"an unknown app":   {registerAddress + "/client_01HXY00000000000000000000Z", token},
			"a registered app": {registerAddress + "/" + string(registered.ID), token},
		} {
			r := p.Fetch(t, method, c.address, as(c.token))
			if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" || r.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %s: %d %s", method, name, r.StatusCode, r.Text)
			}
		}
	}
	if r := p.Fetch(t, http.MethodGet, address, as(token)); r.StatusCode != http.StatusOK || r.JSON(t)["client_id"] != answer["client_id"] || strings.Contains(r.Text, "null") {
		t.Errorf("its own: %d %s", r.StatusCode, r.Text)
	}
	if r := p.Fetch(t, http.MethodDelete, address, as(token)); r.StatusCode != http.StatusNoContent || r.Text != "" {
		t.Errorf("deleted: %d %s", r.StatusCode, r.Text)
	}
	if r := p.Fetch(t, http.MethodGet, address, as(token)); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("after that: %d", r.StatusCode)
	}
}

func TestSec443_RegistrationsAreLimitedAndSwept(t *testing.T) {
	t.Parallel()
	p := newRegistering(t, func(c *platform.Config) { c.Unlimited = false })
	for i := range 61 {
		r := registerItself(t, p, `{"redirect_uris":["http://localhost/cb"]}`)
		if want := map[bool]int{true: http.StatusCreated, false: http.StatusTooManyRequests}[i < 60]; r.StatusCode != want {
			t.Fatalf("the %dth is answered with %d, want %d", i+1, r.StatusCode, want)
		}
	}
	rows := clientRows(t, p)
	app := &platformtest.App{Client: rows[0]}
	p.NewBrowser(t).Allow(app.Request(), p.AddMember(t, "Ada"))
	p.World.Advance(23 * time.Hour)
	if err := p.Clients.SweepUnused(t.Context()); err != nil || len(clientRows(t, p)) != 60 {
		t.Fatalf("within a day %d are left, %v", len(clientRows(t, p)), err)
	}
	p.World.Advance(2 * time.Hour)
	if err := p.Clients.SweepUnused(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := clientRows(t, p); len(left) != 1 || left[0].ID != app.ID {
		t.Errorf("after it %d are left", len(left))
	}
}
