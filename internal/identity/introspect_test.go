package identity_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// introspect asks about a token as the app.
func introspect(app *platformtest.App, token string, more ...string) *platformtest.Response {
	return app.Send("/v1/oauth/introspect", with(url.Values{"token": {token}}, more...), nil)
}

// inactive fails the test where an answer says more than that a token is not good.
func inactive(t *testing.T, r *platformtest.Response) {
	t.Helper()
	if r.StatusCode != http.StatusOK || strings.TrimSpace(r.Text) != `{"active":false}` || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("it answers %d %s", r.StatusCode, r.Text)
	}
}

func active(t *testing.T, r *platformtest.Response) map[string]any {
	t.Helper()
	introspected := r.JSON(t)
	if r.StatusCode != http.StatusOK || introspected["active"] != true {
		t.Errorf("it answers %d %s", r.StatusCode, r.Text)
	}
	return introspected
}

// addResourceServer registers a client that is a resource server and nothing else.
func addResourceServer(t *testing.T, p *platformtest.Platform, resource string) *platformtest.App {
	t.Helper()
	return p.AddApp(t, func(c *loop.Client) {
		c.RedirectURIs, c.AllowedScopes, c.Protocol.GrantTypes, c.Protocol.Resource = nil, nil, nil, resource
	})
}

func TestSec058_NobodyLearnsOfATokenThatIsNotTheirs(t *testing.T) {
	t.Parallel()
	p := withResources(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	public := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	publics := public.Redeem(public.Code(b, ada)).Pair(t)
	service := addService(t, p, "files:read").Token(url.Values{"grant_type": {"client_credentials"}}).Pair(t).Access
	code := app.Code(b, ada)

	t.Run("the app itself learns of its own", func(t *testing.T) {
		introspected := active(t, introspect(app, tokens.Access))
		if introspected["sub"] != string(ada.ID) || introspected["client_id"] != string(app.ID) || introspected["scope"] != tokens.Scope || introspected["iss"] != platformtest.Identity {
			t.Errorf("the answer is %v", introspected)
		}
		if introspected := active(t, introspect(app, tokens.Refresh)); introspected["sub"] != string(ada.ID) {
			t.Errorf("the answer is %v", introspected)
		}
	})
	for name, token := range map[string]string{
		"an access token": tokens.Access, "a refresh token": tokens.Refresh, "a public client's access token": publics.Access,
		"a public client's refresh token": publics.Refresh, "a service's token": service,
	} {
		for _, hint := range []string{"", "access_token", "refresh_token", "bogus"} {
			t.Run("another app: "+name+", hint "+hint, func(t *testing.T) { inactive(t, introspect(other, token, "token_type_hint", hint)) })
		}
		t.Run("a resource server that it is not for: "+name, func(t *testing.T) {
			inactive(t, introspect(addResourceServer(t, p, ordersAPI), token))
		})
		t.Run("a public client: "+name, func(t *testing.T) {
			r := introspect(public, token)
			refused(t, r, http.StatusUnauthorized, "invalid_client")
			if strings.Contains(r.Text, "active") {
				t.Errorf("the answer is %s", r.Text)
			}
		})
		t.Run("a stranger: "+name, func(t *testing.T) {
			for _, form := range []url.Values{
				{"token": {token}},
				{"token": {token}, "client_id": {string(app.ID)}},
				{"token": {token}, "client_id": {string(app.ID)}, "client_secret": {other.Secret}},
				{"token": {token}, "client_id": {"client_01HXY00000000000000000000Z"}, "client_secret": {app.Secret}},
			} {
				refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/introspect", form, nil), http.StatusUnauthorized, "invalid_client")
			}
			bearer := http.Header{"Authorization": {"Bearer " + token}}
			refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/introspect", url.Values{"token": {token}}, bearer), http.StatusUnauthorized, "invalid_client")
		})
	}
	t.Run("a wrong hint changes nothing", func(t *testing.T) {
		active(t, introspect(app, tokens.Access, "token_type_hint", "refresh_token"))
		active(t, introspect(app, tokens.Refresh, "token_type_hint", "access_token"))
	})
	t.Run("the resource server that it is for learns of access tokens alone", func(t *testing.T) {
		clinical := addResourceServer(t, p, platformtest.Clinical)
		active(t, introspect(clinical, tokens.Access))
		active(t, introspect(clinical, publics.Access))
		inactive(t, introspect(clinical, tokens.Refresh))
		inactive(t, introspect(clinical, service))
		active(t, introspect(addResourceServer(t, p, filesAPI), service))
	})
	for name, token := range map[string]string{
		"made up": "lph_at_AAAAAAAA", "changed": flip(tokens.Access), "cut short": tokens.Access[:len(tokens.Access)-1], "a code": code,
		"an ID token": tokens.ID, "a secret": app.Secret, "a space": " " + tokens.Access, "of 60 KiB": strings.Repeat("a", 60<<10),
	} {
		t.Run("a token that is none: "+name, func(t *testing.T) { inactive(t, introspect(app, token)) })
	}
	t.Run("no token, and two", func(t *testing.T) {
		refused(t, introspect(app, ""), http.StatusBadRequest, "invalid_request")
		refused(t, app.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access, tokens.Access}}, nil), http.StatusBadRequest, "invalid_request")
	})
	t.Run("asking changes nothing", func(t *testing.T) {
		app.Refresh(tokens.Refresh).Pair(t)
		app.Redeem(code).Pair(t)
	})
	t.Run("GET and a token in the address", func(t *testing.T) {
		if r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/v1/oauth/introspect?token="+tokens.Access, nil); r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%d", r.StatusCode)
		}
		form := url.Values{"client_id": {string(app.ID)}, "client_secret": {app.Secret}}
		refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/introspect?token="+tokens.Access, form, nil), http.StatusBadRequest, "invalid_request")
	})
}

func TestSec058_WhatHasEndedIsInactive(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for name, end := range map[string]func(t *testing.T, app *platformtest.App, m *loop.Member, tokens platformtest.Tokens){
		"expired": func(*testing.T, *platformtest.App, *loop.Member, platformtest.Tokens) {
			p.World.Advance(91 * 24 * time.Hour)
		},
		"given back": func(t *testing.T, app *platformtest.App, _ *loop.Member, tokens platformtest.Tokens) {
			t.Helper()
			revoke(t, app, tokens.Refresh)
		},
		"replayed": func(t *testing.T, app *platformtest.App, _ *loop.Member, tokens platformtest.Tokens) {
			t.Helper()
			app.Refresh(tokens.Refresh).Pair(t)
			app.Refresh(tokens.Refresh)
		},
		"the grant revoked": func(t *testing.T, app *platformtest.App, m *loop.Member, _ platformtest.Tokens) {
			t.Helper()
			grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), m.ID, app.ID)
			if err != nil || p.Run(t, "grant", "revoke", string(grant.ID)) != nil {
				t.Fatal(err)
			}
		},
		"Sec072 the member suspended": func(t *testing.T, _ *platformtest.App, m *loop.Member, _ platformtest.Tokens) {
			t.Helper()
			if err := p.Suspend(t, m); err != nil {
				t.Fatal(err)
			}
		},
		"the agreement withdrawn": func(t *testing.T, app *platformtest.App, _ *loop.Member, _ platformtest.Tokens) {
			t.Helper()
			if _, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.BAA, c.AllowedScopes = nil, loop.NewScopes(loop.ScopeEmail) }); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			app, m := p.AddApp(t, nil), p.AddMember(t, "M"+strings.ReplaceAll(name, " ", ""))
			tokens := app.Redeem(app.Code(p.NewBrowser(t), m)).Pair(t)
			active(t, introspect(app, tokens.Access))
			active(t, introspect(app, tokens.Refresh))
			end(t, app, m, tokens)
			inactive(t, introspect(app, tokens.Access))
			if name != "the agreement withdrawn" { // its refresh token still opens what is left
				inactive(t, introspect(app, tokens.Refresh))
			}
		})
	}
}

func TestSec058_AStoreThatFailsIsNoAnswer(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	refused(t, introspect(app, tokens.Refresh), http.StatusServiceUnavailable, "temporarily_unavailable")
}

func TestIntrospect_RFC9701_4_AJWTIsForWhoeverAsksForOne(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, signed := p.AddApp(t, nil), p.AddApp(t, func(c *loop.Client) { c.Protocol.IntrospectionAlgorithm = loop.PS256 })
	tokens := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	const jwt, plain = "application/token-introspection+jwt", "application/json"
	for name, c := range map[string]struct {
		app    *platformtest.App
		accept string
		want   string
	}{
		"nothing said":                 {app, "", plain},
		"anything":                     {app, "*/*", plain},
		"JSON":                         {app, "application/json", plain},
		"a JWT":                        {app, jwt, jwt},
		"a JWT in other case":          {app, "Application/Token-Introspection+JWT", jwt},
		"a JWT among others":           {app, "text/html, " + jwt + ";q=0.9, */*;q=0.1", jwt},
		"never a JWT":                  {app, "application/json, " + jwt + ";q=0", plain},
		"something that only holds it": {app, "application/x-" + jwt, plain},
		"registered for it":            {signed, "application/json", jwt},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.app.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, http.Header{"Accept": {c.accept}})
			if got := r.Header.Get("Content-Type"); r.StatusCode != http.StatusOK || got != c.want {
				t.Fatalf("%d, %s, want %s", r.StatusCode, got, c.want)
			}
			if c.want == jwt {
				typ, said := readJWT(t, p, r.Text)
				introspected, _ := said["token_introspection"].(map[string]any)
				if typ != "token-introspection+jwt" || said["aud"] != string(c.app.ID) || said["sub"] != nil || said["exp"] != nil || introspected["active"] != (c.app == app) {
					t.Errorf("§5: typ %s, %v", typ, said)
				}
			}
		})
	}
}
