package identity_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// The resource servers outside the platform that these tests configure.
const (
	ordersAPI = "https://orders.partner.example/api"
	filesAPI  = "https://files.partner.example"
)

// withResources starts a platform that makes JWTs for one resource outside and
// opaque tokens for another.
func withResources(t *testing.T) *platformtest.Platform {
	t.Helper()
	return platformtest.NewWith(t, func(c *platform.Config) {
		c.Resources = []loop.Resource{
			{Identifier: ordersAPI, Scopes: []string{"orders:read", "orders:write"}, Format: loop.FormatJWT},
			{Identifier: filesAPI, Scopes: []string{"files:read"}, Format: loop.FormatOpaque},
		}
	})
}

func addService(t *testing.T, p *platformtest.Platform, scopes ...string) *platformtest.App {
	t.Helper()
	return p.AddApp(t, func(c *loop.Client) {
		c.RedirectURIs, c.AllowedScopes = nil, nil
		c.Protocol.GrantTypes, c.Protocol.ServiceScopes = []loop.GrantType{loop.GrantClientCredentials}, scopes
	})
}

// readJWT verifies a JWT with the published keys and gives its header's type and
// its claims.
func readJWT(t *testing.T, p *platformtest.Platform, token string) (typ string, claims map[string]any) {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256, jose.PS256})
	if err != nil {
		t.Fatalf("%q is no JWT: %v", token, err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(p.Fetch(t, http.MethodGet, platformtest.Identity+"/.well-known/jwks.json", nil).Text), &set); err != nil {
		t.Fatal(err)
	}
	body, err := parsed.Verify(set)
	if err != nil {
		t.Fatalf("a published key does not verify it: %v", err)
	}
	if err := json.Unmarshal(body, &claims); err != nil {
		t.Fatal(err)
	}
	typ, _ = parsed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	return typ, claims
}

func TestClientCredentials_RFC6749_4_4(t *testing.T) {
	p := withResources(t)
	service := addService(t, p, "orders:read", "orders:write", "files:read")
	ask := func(parameters url.Values) *platformtest.Response {
		parameters.Set("grant_type", "client_credentials")
		return service.Token(parameters)
	}
	for name, test := range map[string]struct {
		ask   url.Values
		error string
	}{
		"a scope that the client is not registered for": {url.Values{"scope": {"orders:delete"}}, "invalid_scope"},
		"a scope of ours":                                    {url.Values{"scope": {"read:biomarkers"}}, "invalid_scope"},
		"a scope that the resource does not have":            {url.Values{"scope": {"files:read"}, "resource": {ordersAPI}}, "invalid_scope"},
		"RFC 8707 §2 an unknown resource":                    {url.Values{"resource": {"https://evil.example"}}, "invalid_target"},
		"RFC 8707 §2 a resource that is no URI":              {url.Values{"resource": {"orders"}}, "invalid_target"},
		"RFC 8707 §2 one with a fragment":                    {url.Values{"resource": {ordersAPI + "#x"}}, "invalid_target"},
		"our own API":                                        {url.Values{"resource": {platformtest.Clinical}}, "invalid_target"},
		"two resources":                                      {url.Values{"resource": {ordersAPI, filesAPI}}, "invalid_target"},
		"no scope and no resource, where two could be meant": {url.Values{}, "invalid_target"},
		"scopes of two resources":                            {url.Values{"scope": {"orders:read files:read"}}, "invalid_target"},
	} {
		t.Run(name, func(t *testing.T) {
			if r := ask(test.ask); r.StatusCode != http.StatusBadRequest || r.JSON(t)["error"] != test.error {
				t.Errorf("status %d: %s, want %s", r.StatusCode, r.Text, test.error)
			}
		})
	}

	t.Run("RFC 9068 §2.2 a JWT for a resource that reads tokens itself", func(t *testing.T) {
		answer := ask(url.Values{"scope": {"orders:write orders:read"}})
		tokens := answer.Pair(t)
		if tokens.Refresh != "" || tokens.ID != "" || tokens.Scope != "orders:read orders:write" {
			t.Errorf("a service got %s", answer.Text)
		}
		typ, claims := readJWT(t, p, tokens.Access)
		want := map[string]any{
			"iss": platformtest.Identity, "sub": string(service.ID), "client_id": string(service.ID), "aud": ordersAPI, "scope": "orders:read orders:write",
		}
		for name, value := range want {
			if claims[name] != value {
				t.Errorf("%s is %v, want %v", name, claims[name], value)
			}
		}
		life := time.Duration(claims["exp"].(float64)-claims["iat"].(float64)) * time.Second
		if typ != "at+jwt" || claims["jti"] == "" || life != 5*time.Minute || answer.JSON(t)["expires_in"] != 300.0 {
			t.Errorf("typ %s, life %v: %v", typ, life, claims)
		}
		if p.Biomarkers(t, tokens.Access).StatusCode != http.StatusUnauthorized || p.UserInfo(t, tokens.Access).StatusCode != http.StatusUnauthorized {
			t.Error("Sec099 a JWT for somebody else opens something here")
		}
	})

	t.Run("an opaque token that the resource server asks about", func(t *testing.T) {
		tokens := ask(url.Values{"resource": {filesAPI}}).Pair(t)
		server := p.AddApp(t, func(c *loop.Client) {
			c.RedirectURIs, c.AllowedScopes, c.Protocol.GrantTypes, c.Protocol.Resource = nil, nil, nil, filesAPI
		})
		introspected := server.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, nil).JSON(t)
		if introspected["active"] != true || introspected["sub"] != string(service.ID) || introspected["scope"] != "files:read" {
			t.Errorf("the answer to the resource server is %v", introspected)
		}
		if p.Biomarkers(t, tokens.Access).StatusCode != http.StatusUnauthorized {
			t.Error("a token for somebody else opens something here")
		}
		if err := p.Run(t, "client", "update", string(service.ID), "--service-scope", "orders:read"); err != nil {
			t.Fatal(err)
		}
		if introspected := server.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, nil).JSON(t); introspected["active"] != false {
			t.Errorf("a scope was taken away, and the token lives: %v", introspected)
		}
	})
}

func TestResource_RFC8707(t *testing.T) {
	p := withResources(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	code := func(resources ...string) string {
		t.Helper()
		request := app.Request()
		request["resource"] = resources
		return b.Allow(request, ada).Query().Get("code")
	}
	redeem := func(code string, resources ...string) *platformtest.Response {
		return app.Token(url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {platformtest.Callback},
			"code_verifier": {platformtest.Verifier}, "resource": resources,
		})
	}

	t.Run("a token for clinical opens clinical alone", func(t *testing.T) {
		tokens := redeem(code(platformtest.Clinical)).Pair(t)
		if p.Biomarkers(t, tokens.Access).StatusCode != http.StatusOK || p.UserInfo(t, tokens.Access).StatusCode != http.StatusUnauthorized {
			t.Error("the audience is not what was asked for")
		}
		again := app.Refresh(tokens.Refresh).Pair(t)
		if p.Biomarkers(t, again.Access).StatusCode != http.StatusOK || p.UserInfo(t, again.Access).StatusCode != http.StatusUnauthorized {
			t.Error("Sec127 the resource got lost at a refresh")
		}
	})
	t.Run("§2.2 a token request chooses among those of the authorization", func(t *testing.T) {
		both := code(platformtest.Clinical, platformtest.Identity)
		if r := redeem(both, ordersAPI); r.JSON(t)["error"] != "invalid_target" {
			t.Errorf("beyond the authorization: %s", r.Text)
		}
		tokens := redeem(both, platformtest.Identity).Pair(t) // the refusal spent nothing
		if p.Biomarkers(t, tokens.Access).StatusCode != http.StatusUnauthorized || p.UserInfo(t, tokens.Access).StatusCode != http.StatusOK {
			t.Error("the audience is not what was asked for")
		}
	})
	t.Run("a JWT for a resource outside never opens health data", func(t *testing.T) {
		tokens := redeem(code(ordersAPI)).Pair(t)
		_, claims := readJWT(t, p, tokens.Access)
		if claims["aud"] != ordersAPI || claims["sub"] != string(ada.ID) || strings.Contains(claims["scope"].(string), "biomarkers") || strings.Contains(tokens.Scope, "biomarkers") {
			t.Errorf("it says %v with scope %q", claims, tokens.Scope)
		}
	})
	t.Run("one outside and one inside: one token each", func(t *testing.T) {
		both := code(ordersAPI, platformtest.Clinical)
		if r := redeem(both); r.JSON(t)["error"] != "invalid_target" {
			t.Errorf("both at once: %s", r.Text)
		}
		tokens := redeem(both, platformtest.Clinical).Pair(t)
		if p.Biomarkers(t, tokens.Access).StatusCode != http.StatusOK {
			t.Error("clinical refuses its own")
		}
	})
	t.Run("§2.1 an unknown resource is refused at authorize", func(t *testing.T) {
		request := app.Request()
		request["resource"] = []string{"https://evil.example"}
		if to := b.Authorize(request).Redirected(t); to.Query().Get("error") != "invalid_target" {
			t.Errorf("it leads to %s", to)
		}
	})
	t.Run("without resource it is this platform's own, and nobody else's", func(t *testing.T) {
		if r := redeem(code(), ordersAPI); r.JSON(t)["error"] != "invalid_target" {
			t.Errorf("a token for elsewhere: %s", r.Text)
		}
	})
}

// A JWT is read by its resource, and whoever asks about it here gets the truth
// of now all the same.
func TestIntrospect_RFC7662_AJWTAccessTokenIsKnownLikeAnyOther(t *testing.T) {
	t.Parallel()
	p := withResources(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	orders, files := addResourceServer(t, p, ordersAPI), addResourceServer(t, p, filesAPI)
	service := addService(t, p, "orders:read")
	b := p.NewBrowser(t)
	issued := func(t *testing.T) platformtest.Tokens {
		t.Helper()
		request := app.Request()
		request["resource"] = []string{ordersAPI}
		return app.Redeem(b.Allow(request, ada).Query().Get("code")).Pair(t)
	}
	tokens := issued(t)
	_, said := readJWT(t, p, tokens.Access)

	t.Run("its app and its resource server get what it says", func(t *testing.T) {
		for _, asks := range []*platformtest.App{app, orders} {
			introspected := active(t, introspect(asks, tokens.Access))
			for _, name := range []string{"iss", "sub", "client_id", "scope", "exp", "iat", "jti", "auth_time", "acr"} {
				if introspected[name] == nil || introspected[name] != said[name] {
					t.Errorf("%s is %v, and the token says %v", name, introspected[name], said[name])
				}
			}
		}
	})
	t.Run("nobody else gets anything", func(t *testing.T) {
		for _, asks := range []*platformtest.App{other, files, service} {
			inactive(t, introspect(asks, tokens.Access))
		}
	})
	t.Run("what only looks like one is none", func(t *testing.T) {
		altered := claims(t, tokens.Access)
		altered["client_id"] = string(other.ID)
		for name, text := range map[string]string{
			"other claims under its signature": splice(tokens.Access, toJSON(t, altered)), "an ID token": tokens.ID, "cut short": tokens.Access[:len(tokens.Access)-4],
			"another key's": platformtest.NewKey(t).Sign("at+jwt", altered), "alg none": encode(`{"alg":"none","typ":"at+jwt"}`) + "." + strings.Split(tokens.Access, ".")[1] + ".",
		} {
			for _, asks := range []*platformtest.App{app, other, orders} {
				t.Run(name, func(t *testing.T) { inactive(t, introspect(asks, text)) })
			}
		}
	})
	t.Run("a service's own", func(t *testing.T) {
		own := service.Token(url.Values{"grant_type": {"client_credentials"}}).Pair(t).Access
		if introspected := active(t, introspect(orders, own)); introspected["sub"] != string(service.ID) || introspected["scope"] != "orders:read" {
			t.Errorf("got %v", introspected)
		}
		inactive(t, introspect(app, own))
		revoke(t, service, own)
		inactive(t, introspect(orders, own))
	})
	t.Run("given back by another app: nothing ends; by its own: it alone", func(t *testing.T) {
		second := app.Refresh(tokens.Refresh).Pair(t)
		revoke(t, other, tokens.Access)
		active(t, introspect(orders, tokens.Access))
		revoke(t, app, tokens.Access)
		inactive(t, introspect(orders, tokens.Access))
		active(t, introspect(orders, second.Access))
		tokens = second
	})
	t.Run("the consent ends", func(t *testing.T) {
		grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID)
		if err != nil || p.Run(t, "grant", "revoke", string(grant.ID)) != nil {
			t.Fatal(err)
		}
		inactive(t, introspect(orders, tokens.Access))
	})
	t.Run("five minutes are over", func(t *testing.T) {
		last := issued(t)
		active(t, introspect(orders, last.Access))
		p.World.Advance(5 * time.Minute)
		inactive(t, introspect(orders, last.Access))
	})
	t.Run("it opens nothing here", func(t *testing.T) {
		last := issued(t)
		if p.UserInfo(t, last.Access).StatusCode != http.StatusUnauthorized || p.Biomarkers(t, last.Access).StatusCode != http.StatusUnauthorized {
			t.Error("Sec099 a JWT for somebody else opens something")
		}
	})
}

func TestResource_RFC3986_6_2_OneResourceHasManySpellings(t *testing.T) {
	t.Parallel()
	p := withResources(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	for name, c := range map[string]struct{ sent, published string }{
		"the slash of an empty path":    {platformtest.Clinical + "/", platformtest.Clinical},
		"capitals":                      {"HTTPS://" + strings.ToUpper(strings.TrimPrefix(platformtest.Clinical, "https://")), platformtest.Clinical},
		"the port that goes without it": {platformtest.Clinical + ":443/", platformtest.Clinical},
		"a resource outside":            {filesAPI + "/", filesAPI},
		"one outside with a path":       {strings.Replace(ordersAPI, "orders.partner", "Orders.Partner", 1), ordersAPI},
	} {
		t.Run(name, func(t *testing.T) {
			answer := p.NewBrowser(t).Allow(with(app.Request(), "resource", c.sent), ada).Query()
			if !answer.Has("code") {
				t.Fatalf("got %v", answer)
			}
			tokens := app.Redeem(answer.Get("code")).Pair(t)
			form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "resource": {c.sent}}
			again := app.Token(form).Pair(t)
			if c.published != platformtest.Clinical {
				return
			}
			if r := p.Biomarkers(t, again.Access); r.StatusCode != http.StatusOK {
				t.Errorf("the token opens nothing: %d %s", r.StatusCode, r.Text)
			}
		})
	}
	for name, sent := range map[string]string{
		"another path":        ordersAPI + "/v2",
		"a slash on a path":   ordersAPI + "/",
		"another port":        platformtest.Clinical + ":444",
		"a query":             platformtest.Clinical + "/?x",
		"a capital in a path": strings.Replace(ordersAPI, "/api", "/API", 1),
	} {
		t.Run(name+" is another resource", func(t *testing.T) {
			if got := p.NewBrowser(t).Authorize(with(app.Request(), "resource", sent)).Redirected(t).Query(); got.Get("error") != "invalid_target" {
				t.Errorf("got %v", got)
			}
		})
	}
}
