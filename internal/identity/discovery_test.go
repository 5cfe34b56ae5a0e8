package identity_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// metadata reads the discovery document.
func metadata(t *testing.T, p *platformtest.Platform) map[string]any {
	t.Helper()
	return p.Fetch(t, http.MethodGet, platformtest.Identity+"/.well-known/openid-configuration", nil).JSON(t)
}

// advertised are the values of a list in the document.
func advertised(document map[string]any, name string) []string {
	var values []string
	list, _ := document[name].([]any)
	for _, one := range list {
		text, _ := one.(string)
		values = append(values, text)
	}
	return values
}

// keyFor makes a client key for an algorithm.
func keyFor(t *testing.T, alg string) *platformtest.Key {
	t.Helper()
	var (
		private any
		err     error
	)
	switch jose.SignatureAlgorithm(alg) {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return platformtest.KeyOf(t, private, jose.SignatureAlgorithm(alg))
}

// TestDiscovery_EveryValueWorks holds the document against what the server does:
// each value that it advertises has a request here that works, and a name that is
// not in the table fails the test.
func TestDiscovery_EveryValueWorks(t *testing.T) {
	p := withResources(t)
	ada := p.AddMember(t, "Ada")
	document := metadata(t, p)
	app := p.AddApp(t, func(c *loop.Client) {
		c.AllowedScopes = append(c.AllowedScopes, loop.ScopeReadAccount, loop.ScopeManageConnectedApps, loop.ScopeReadDemographics, loop.ScopeWriteBiomarkers)
	})
	b := p.NewBrowser(t)
	flow := func(t *testing.T, app *platformtest.App, change url.Values) platformtest.Tokens {
		t.Helper()
		request := app.Request()
		maps.Copy(request, change)
		to := b.Allow(request, ada)
		if to.Query().Get("iss") != document["issuer"] {
			t.Fatalf("the answer's iss is not the issuer: %s", to)
		}
		return app.Redeem(to.Query().Get("code")).Pair(t)
	}
	posts := func(path string, form url.Values) func(*testing.T, any) {
		return func(t *testing.T, address any) {
			if address != platformtest.Identity+path {
				t.Errorf("it is %v", address)
			}
			if r := app.Send(path, form, nil); r.StatusCode/100 != 2 {
				t.Errorf("it answers %d: %s", r.StatusCode, r.Text)
			}
		}
	}
	tokens := flow(t, app, nil)
	each := func(check func(*testing.T, string)) func(*testing.T, any) {
		return func(t *testing.T, values any) {
			list, _ := values.([]any)
			if len(list) == 0 {
				t.Error("the list is empty")
			}
			for _, value := range list {
				t.Run(value.(string), func(t *testing.T) { check(t, value.(string)) })
			}
		}
	}
	is := func(want any) func(*testing.T, any) {
		return func(t *testing.T, value any) {
			if value != want {
				t.Errorf("it is %v, want %v", value, want)
			}
		}
	}
	registered := func(alter func(*loop.Protocol, loop.Algorithm)) func(*testing.T, string) *platformtest.App {
		return func(t *testing.T, alg string) *platformtest.App {
			return p.AddApp(t, func(c *loop.Client) { alter(&c.Protocol, loop.Algorithm(alg)) })
		}
	}
	idTokens := registered(func(c *loop.Protocol, alg loop.Algorithm) { c.IDTokenAlgorithm = alg })
	userInfos := registered(func(c *loop.Protocol, alg loop.Algorithm) { c.UserInfoAlgorithm = alg })
	introspections := registered(func(c *loop.Protocol, alg loop.Algorithm) { c.IntrospectionAlgorithm = alg })
	algorithmOf := func(t *testing.T, token string) string {
		t.Helper()
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256})
		if err != nil {
			t.Fatal(err)
		}
		readJWT(t, p, token)
		return parsed.Signatures[0].Protected.Algorithm
	}
	// authenticates shows that a client of the method is let past authentication.
	authenticates := func(t *testing.T, method string) {
		t.Helper()
		switch loop.AuthMethod(method) {
		case loop.AuthSecretPost:
			app.Refresh(flow(t, app, nil).Refresh).Pair(t)
		case loop.AuthSecretBasic:
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {flow(t, app, nil).Refresh}}
			p.Post(t, platformtest.Identity+"/v1/oauth/token", form, basic(string(app.ID), app.Secret)).Pair(t)
		case loop.AuthPrivateKeyJWT:
			flow(t, p.AddKeyApp(t, nil), nil)
		case loop.AuthNone:
			flow(t, p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public }), nil)
		default:
			t.Errorf("nothing shows that %s works", method)
		}
	}
	asserts := func(t *testing.T, alg string) {
		t.Helper()
		key := keyFor(t, alg)
		stronger := p.AddApp(t, func(c *loop.Client) {
			c.Protocol.AuthMethod, c.Protocol.KeySet = loop.AuthPrivateKeyJWT, key.Set()
		})
		stronger.Key = key
		flow(t, stronger, nil)
	}
	claimNames := map[string]bool{}
	for name := range claims(t, flow(t, app, url.Values{"nonce": {"n"}, "scope": {"openid profile email"}}).ID) {
		claimNames[name] = true
	}
	withAll := flow(t, app, url.Values{"scope": {"openid profile email"}})
	for name := range p.UserInfo(t, withAll.Access).JSON(t) {
		claimNames[name] = true
	}

	checks := map[string]func(*testing.T, any){
		"issuer":                 is(platformtest.Identity),
		"authorization_endpoint": is(platformtest.Identity + "/v1/oauth/authorize"), // every flow here goes there
		"token_endpoint":         is(platformtest.Identity + "/v1/oauth/token"),
		"userinfo_endpoint": func(t *testing.T, address any) {
			r := p.Fetch(t, http.MethodGet, address.(string), http.Header{"Authorization": {"Bearer " + tokens.Access}})
			if r.StatusCode != http.StatusOK {
				t.Errorf("it answers %d", r.StatusCode)
			}
		},
		"jwks_uri":                              is(platformtest.Identity + "/.well-known/jwks.json"), // readJWT reads it
		"introspection_endpoint":                posts("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}),
		"revocation_endpoint":                   posts("/v1/oauth/revoke", url.Values{"token": {"unknown"}}),
		"pushed_authorization_request_endpoint": posts("/v1/oauth/par", app.Request()),
		"end_session_endpoint": func(t *testing.T, address any) {
			if r := p.NewBrowser(t).Get(address.(string)); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, `id="sign-out"`) {
				t.Errorf("it answers %d", r.StatusCode)
			}
		},
		"scopes_supported": each(func(t *testing.T, scope string) {
			got := flow(t, app, url.Values{"scope": {"openid " + scope}})
			if scope != "offline_access" && !strings.Contains(got.Scope, scope) {
				t.Errorf("it gives %q", got.Scope)
			}
		}),
		"response_types_supported": each(func(t *testing.T, kind string) { flow(t, app, url.Values{"response_type": {kind}}) }),
		"response_modes_supported": each(func(t *testing.T, mode string) {
			request := app.Request()
			request.Set("response_mode", mode)
			r := b.Follow(b.Authorize(request))
			if mode == "form_post" && r.Field("code") == "" || mode == "query" && r.Redirected(t).Query().Get("code") == "" {
				t.Errorf("no code came by %s: %d", mode, r.StatusCode)
			}
		}),
		"grant_types_supported": each(func(t *testing.T, grant string) {
			switch loop.GrantType(grant) {
			case loop.GrantAuthorizationCode:
				flow(t, app, nil)
			case loop.GrantRefreshToken:
				app.Refresh(flow(t, app, nil).Refresh).Pair(t)
			case loop.GrantClientCredentials:
				addService(t, p, "orders:read").Token(url.Values{"grant_type": {grant}}).Pair(t)
			default:
				t.Errorf("nothing shows that %s works", grant)
			}
		}),
		"subject_types_supported": each(func(t *testing.T, kind string) {
			if other := p.AddApp(t, nil); kind != "public" || claims(t, flow(t, other, nil).ID)["sub"] != string(ada.ID) {
				t.Error("the subject is not the same for every app")
			}
		}),
		"id_token_signing_alg_values_supported": each(func(t *testing.T, alg string) {
			if got := algorithmOf(t, flow(t, idTokens(t, alg), nil).ID); got != alg {
				t.Errorf("the ID token is signed with %s", got)
			}
		}),
		"userinfo_signing_alg_values_supported": each(func(t *testing.T, alg string) {
			r := p.UserInfo(t, flow(t, userInfos(t, alg), nil).Access)
			if got := algorithmOf(t, r.Text); got != alg || r.Header.Get("Content-Type") != "application/jwt" {
				t.Errorf("userinfo is signed with %s, as %s", got, r.Header.Get("Content-Type"))
			}
		}),
		"introspection_signing_alg_values_supported": each(func(t *testing.T, alg string) {
			asks := introspections(t, alg)
			r := asks.Send("/v1/oauth/introspect", url.Values{"token": {flow(t, asks, nil).Access}}, nil)
			typ, said := readJWT(t, p, r.Text)
			described, _ := said["token_introspection"].(map[string]any)
			if got := algorithmOf(t, r.Text); got != alg || typ != "token-introspection+jwt" || described["active"] != true || said["aud"] != string(asks.ID) {
				t.Errorf("RFC 9701 §5: %s, %s, %v", got, typ, said)
			}
		}),
		"request_object_signing_alg_values_supported": each(func(t *testing.T, alg string) {
			key := keyFor(t, alg)
			signs := p.AddApp(t, func(c *loop.Client) { c.Protocol.KeySet = key.Set() })
			signs.Key = key
			flow(t, signs, signs.Signed(signs.Request()))
		}),
		"dpop_signing_alg_values_supported": each(func(t *testing.T, alg string) {
			key := keyFor(t, alg)
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {flow(t, app, nil).Refresh}}
			r := app.Send("/v1/oauth/token", form, p.WithProof(key, http.MethodPost, platformtest.Identity+"/v1/oauth/token", ""))
			if r.Pair(t); r.JSON(t)["token_type"] != "DPoP" {
				t.Errorf("the token is not bound: %s", r.Text)
			}
		}),
		"token_endpoint_auth_methods_supported":                    each(authenticates),
		"revocation_endpoint_auth_methods_supported":               each(authenticates),
		"introspection_endpoint_auth_methods_supported":            each(authenticates),
		"token_endpoint_auth_signing_alg_values_supported":         each(asserts),
		"revocation_endpoint_auth_signing_alg_values_supported":    each(asserts),
		"introspection_endpoint_auth_signing_alg_values_supported": each(asserts),
		"claims_supported": each(func(t *testing.T, name string) {
			if !claimNames[name] {
				t.Error("no ID token and no userinfo has it")
			}
		}),
		"claim_types_supported": each(func(t *testing.T, kind string) {
			if kind != "normal" {
				t.Error("only normal claims are there")
			}
		}),
		"claims_parameter_supported": func(t *testing.T, on any) {
			asked := url.Values{"claims": {`{"id_token":{"name":{"essential":true}}}`}}
			if name := claims(t, flow(t, app, asked).ID)["name"]; on != true || name != ada.Name {
				t.Errorf("the name is %v", name)
			}
		},
		"request_parameter_supported":      is(true), // shown with each algorithm
		"request_uri_parameter_supported":  is(false),
		"code_challenge_methods_supported": each(func(t *testing.T, method string) { flow(t, app, url.Values{"code_challenge_method": {method}}) }),
		"prompt_values_supported": each(func(t *testing.T, prompt string) {
			request := app.Request()
			request.Set("prompt", prompt)
			p.World.Advance(time.Second) // the sign-in is now older than the request
			if r := b.Follow(b.Authorize(request)); prompt == "none" {
				if r.Redirected(t).Query().Get("code") == "" {
					t.Error("no code came")
				}
			} else if r.StatusCode != http.StatusOK {
				t.Errorf("no page is shown: %d", r.StatusCode)
			}
		}),
		"acr_values_supported": each(func(t *testing.T, acr string) {
			if got := claims(t, signedInByPasskey(t, p, app, url.Values{"acr_values": {acr}}).ID)["acr"]; got != acr {
				t.Errorf("the ID token says %v", got)
			}
		}),
		"authorization_response_iss_parameter_supported": is(true), // every flow here looks
		"backchannel_logout_supported":                   is(true), // TestBackchannelLogout
		"backchannel_logout_session_supported":           is(true),
		"client_id_metadata_document_supported":          is(true),  // TestClientDocument
		"tls_client_certificate_bound_access_tokens":     is(false), // no listener asks for certificates here
		"ui_locales_supported": each(func(t *testing.T, locale string) {
			b := p.NewBrowser(t)
			b.Language = locale
			if !strings.Contains(b.Get(platformtest.Identity+"/signin").Text, `<html lang="`+locale+`">`) {
				t.Error("no page is in it")
			}
		}),
		"protected_resources": each(func(t *testing.T, resource string) {
			address, err := url.Parse(resource)
			if err != nil {
				t.Fatal(err)
			}
			address.Path = "/.well-known/oauth-protected-resource" + address.Path // RFC 9728 §3.1
			described := p.Fetch(t, http.MethodGet, address.String(), nil).JSON(t)
			if described["resource"] != resource || !slices.Contains(advertised(described, "authorization_servers"), platformtest.Identity) {
				t.Errorf("RFC 9728 §3.3: it says %v", described)
			}
		}),
		"service_documentation": func(t *testing.T, address any) {
			if r := p.Fetch(t, http.MethodGet, address.(string), nil); r.StatusCode != http.StatusOK {
				t.Errorf("it answers %d", r.StatusCode)
			}
		},
	}
	for name, value := range document {
		t.Run(name, func(t *testing.T) {
			check, ok := checks[name]
			if !ok {
				t.Fatalf("nothing shows that it is true: %v", value)
			}
			check(t, value)
		})
	}
	for name := range checks {
		if _, ok := document[name]; !ok {
			t.Errorf("%s is not advertised", name)
		}
	}
}

func TestDiscovery_SaysOnlyWhatIsOn(t *testing.T) {
	plain := metadata(t, platformtest.New(t))
	if slices.Contains(advertised(plain, "grant_types_supported"), "client_credentials") {
		t.Error("client_credentials is offered where no resource is")
	}
	if plain["mtls_endpoint_aliases"] != nil || slices.Contains(advertised(plain, "token_endpoint_auth_methods_supported"), "self_signed_tls_client_auth") {
		t.Error("certificates are offered where nobody asks for them")
	}
	mutual := metadata(t, platformtest.NewWith(t, func(c *platform.Config) {
		c.IdentityCertificate = &url.URL{Scheme: "https", Host: "mtls.identity.platform.test"}
	}))
	methods := advertised(mutual, "token_endpoint_auth_methods_supported")
	if mutual["mtls_endpoint_aliases"] == nil || !slices.Contains(methods, "self_signed_tls_client_auth") || slices.Contains(methods, "tls_client_auth") {
		t.Errorf("a listener for certificates, and no authority: %v", methods)
	}
	if plain["registration_endpoint"] != nil || plain["device_authorization_endpoint"] != nil {
		t.Error("Sec060 an endpoint is advertised that is not there")
	}
}

// signedInByPasskey takes a member who has a passkey through sign-in and consent, and
// gives the tokens.
func signedInByPasskey(t *testing.T, p *platformtest.Platform, app *platformtest.App, change url.Values) platformtest.Tokens {
	t.Helper()
	member := p.AddMember(t, "Member"+strconv.FormatInt(p.Count(t, "identity", "members"), 10))
	made, err := p.SignIns.NewPasskey(t.Context(), member, "a browser")
	if err != nil {
		t.Fatal(err)
	}
	passkey := platformtest.NewAuthenticator(t)
	if err := p.SignIns.AddPasskey(t.Context(), member, "A phone", passkey.Create(string(made)), []string{"a browser"}); err != nil {
		t.Fatal(err)
	}
	request := app.Request()
	maps.Copy(request, change)
	b := p.NewBrowser(t)
	page := b.Follow(b.Authorize(request))
	_, rest, ok := strings.Cut(page.Text, `data-options="`)
	options, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("the page asks for no passkey: %s", page.Text)
	}
	sent := url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "passkey": {passkey.Get(html.UnescapeString(options))}}
	consent := b.Follow(b.Post(platformtest.Identity+"/signin", sent))
	return app.Redeem(b.Decide(consent, "allow").Redirected(t).Query().Get("code")).Pair(t)
}
