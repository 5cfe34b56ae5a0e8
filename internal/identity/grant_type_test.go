package identity_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSec060_OnlyTheGrantTypesOnOffer(t *testing.T) {
	t.Parallel()
	p := withResources(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	public := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	service := addService(t, p, "orders:read")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	assertion := platformtest.NewKey(t).Sign("JWT", map[string]any{"iss": app.ID, "sub": ada.ID, "aud": platformtest.Identity})
	all := url.Values{ // whatever some grant type asks for
		"username": {string(ada.Email)}, "password": {platformtest.Password}, "code": {app.Code(p.NewBrowser(t), ada)}, "redirect_uri": {platformtest.Callback},
		"code_verifier": {platformtest.Verifier}, "subject_token": {tokens.Access}, "subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"assertion": {assertion}, "device_code": {"x"}, "auth_req_id": {"x"}, "scope": {"openid"},
	}
	ask := func(app *platformtest.App, grantTypes ...string) *platformtest.Response {
		form := url.Values{}
		for name, values := range all {
			form[name] = values
		}
		form["grant_type"] = grantTypes
		return app.Token(form)
	}
	for _, name := range []string{
		"password", "implicit", "none", "Authorization_Code", "REFRESH_TOKEN", "authorization_code ", " refresh_token", "authorization_code refresh_token",
		"urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:saml2-bearer",
		"urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba", "client_credentials\u200b", "' OR 1=1",
	} {
		for _, from := range []*platformtest.App{app, public, service} {
			t.Run(name+" by "+string(from.Type), func(t *testing.T) { refused(t, ask(from, name), http.StatusBadRequest, "unsupported_grant_type") })
		}
	}
	for name, test := range map[string]struct {
		app        *platformtest.App
		grantTypes []string
		code       string
	}{
		"none":                            {app, nil, "invalid_request"},
		"an empty one":                    {app, []string{""}, "invalid_request"},
		"one twice":                       {app, []string{"refresh_token", "refresh_token"}, "invalid_request"},
		"two":                             {app, []string{"authorization_code", "password"}, "invalid_request"},
		"a service's by an app":           {app, []string{"client_credentials"}, "unauthorized_client"},
		"a service's by a public client":  {public, []string{"client_credentials"}, "unauthorized_client"},
		"a member's by a service":         {service, []string{"authorization_code"}, "unauthorized_client"},
		"a member's refresh by a service": {service, []string{"refresh_token"}, "unauthorized_client"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, ask(test.app, test.grantTypes...), http.StatusBadRequest, test.code) })
	}
	t.Run("Sec046 the client comes first", func(t *testing.T) {
		for _, name := range []string{"authorization_code", "refresh_token", "client_credentials", "password", ""} {
			form := url.Values{"grant_type": {name}, "client_id": {string(app.ID)}, "client_secret": {service.Secret}}
			refused(t, p.Post(t, tokenAddress, form, nil), http.StatusUnauthorized, "invalid_client")
		}
	})
	t.Run("and none of it spent the code", func(t *testing.T) { app.Redeem(all.Get("code")).Pair(t) })
}

func TestSec060_WhatIsNotOfferedIsNotThere(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	document := metadata(t, p)
	for _, name := range []string{
		"registration_endpoint", "device_authorization_endpoint", "backchannel_authentication_endpoint", "check_session_iframe", "registration_management_endpoint",
	} {
		if document[name] != nil {
			t.Errorf("discovery offers %s: %v", name, document[name])
		}
	}
	if got := advertised(document, "grant_types_supported"); !slices.Equal(got, []string{"authorization_code", "refresh_token"}) {
		t.Errorf("grant types are %v", got)
	}
	if got := advertised(document, "response_types_supported"); !slices.Equal(got, []string{"code"}) {
		t.Errorf("response types are %v", got)
	}
	// Sec063 the device flow, Sec106 dynamic registration that nobody allowed, and at other addresses than those on offer
	// Sec079 links by mail, Sec085 and Sec086 an account to change or delete, Sec102 grants to revoke.
	for _, path := range []string{
		"/v1/oauth/register", "/register", "/v1/oauth/clients", "/v1/oauth/device", "/v1/oauth/device_authorization", "/device", "/v1/oauth/bc-authorize",
		"/v1/oauth/token-exchange", "/v1/oauth/checksession", "/account/email", "/account/delete", "/account/factors", "/totp", "/webauthn", "/passkeys", "/verify", "/v1/grants", "/v1/connected_apps", "/v1/users", "/password", "/reset", "/forgot",
		"/metrics", "/debug/pprof/", "/debug/vars", "/.git/config", "/.well-known/oauth-protected-resource",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
			r := p.Fetch(t, method, platformtest.Identity+path, http.Header{"Content-Type": {"application/json"}})
			if r.StatusCode != http.StatusNotFound || r.JSON(t)["error"] != "not_found" {
				t.Errorf("%s %s: %d %s", method, path, r.StatusCode, r.Text)
			}
		}
	}
}

func TestSec060_NoTokenLeavesTheAuthorizationEndpoint(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	app.Code(b, ada)
	for _, kind := range []string{"token", "id_token", "code token", "code id_token", "id_token token", "code id_token token", "none", "CODE", "code ", "code code"} {
		answer := b.Authorize(with(app.Request(), "response_type", kind)).Redirected(t)
		if answer.Query().Get("error") != "unsupported_response_type" || answer.Query().Has("code") || answer.Fragment != "" {
			t.Errorf("%q: got %s", kind, answer)
		}
	}
	t.Run("Sec041 nothing travels in a fragment", func(t *testing.T) {
		answer := b.Authorize(app.Request()).Redirected(t)
		if answer.Fragment != "" || strings.Contains(answer.String(), "lph_at_") || platformtest.HoldsJWT(answer.String()) {
			t.Errorf("got %s", answer)
		}
	})
}

// What a client may not use it is not given.
func TestToken_AClientThatMayNotRefreshGetsNoRefreshToken(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, func(c *loop.Client) { c.Protocol.GrantTypes = []loop.GrantType{loop.GrantAuthorizationCode} }), p.AddMember(t, "Ada")
	r := app.Redeem(app.Code(p.NewBrowser(t), ada))
	tokens := r.Pair(t)
	if strings.Contains(r.Text, "refresh_token") {
		t.Errorf("it gets one: %s", r.Text)
	}
	if p.UserInfo(t, tokens.Access).StatusCode != http.StatusOK || tokens.ID == "" {
		t.Error("what it may have does not work")
	}
}
