package identity_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// objectOf are the claims of a correct request object for a request.
func objectOf(p *platformtest.Platform, app *platformtest.App, request url.Values) map[string]any {
	claims := map[string]any{
		"iss": app.ID, "aud": platformtest.Identity, "nbf": p.World.Now().Unix(), "exp": p.World.Now().Add(5 * time.Minute).Unix(),
	}
	for name := range request {
		claims[name] = request.Get(name)
	}
	return claims
}

// carrying is an authorization request by a request object.
func carrying(app *platformtest.App, object string) url.Values {
	return url.Values{"client_id": {string(app.ID)}, "redirect_uri": {string(app.RedirectURIs[0])}, "state": {"outer"}, "request": {object}}
}

// many are so many claims of no meaning.
func many(n int) map[string]any {
	claims := map[string]any{}
	for i := range n {
		claims["x"+strconv.Itoa(i)] = "y"
	}
	return claims
}

func TestSec061_ARequestObjectThatIsNotGoodIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other := p.AddKeyApp(t, nil), p.AddKeyApp(t, nil)
	now := p.World.Now()
	handle := push(t, app, app.Request())
	good := objectOf(p, app, app.Request())
	altered := func(changes map[string]any) string {
		claims := objectOf(p, app, app.Request())
		for name, value := range changes {
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		}
		return app.Key.Sign("oauth-authz-req+jwt", claims)
	}
	for name, object := range map[string]string{
		"alg none":                        encode(`{"alg":"none"}`) + "." + encode(toJSON(t, good)) + ".",
		"alg none with a signature":       forge(t, app.Key, `{"alg":"none"}`, toJSON(t, good)),
		"RS256":                           keyFor(t, "RS256").Sign("oauth-authz-req+jwt", good),
		"another client's key":            other.Key.Sign("oauth-authz-req+jwt", good),
		"another client's, in full":       other.Key.Sign("oauth-authz-req+jwt", objectOf(p, other, other.Request())),
		"another iss":                     altered(map[string]any{"iss": other.ID}),
		"no iss":                          altered(map[string]any{"iss": nil}),
		"iss in capitals":                 altered(map[string]any{"iss": nil, "ISS": app.ID}),
		"another client_id":               altered(map[string]any{"client_id": other.ID}),
		"no client_id":                    altered(map[string]any{"client_id": nil}),
		"client_id in another case":       altered(map[string]any{"client_id": nil, "Client_Id": app.ID}),
		"another aud":                     altered(map[string]any{"aud": "https://evil.example"}),
		"several aud without ours":        altered(map[string]any{"aud": []string{"https://evil.example", platformtest.Identity + "/v1"}}),
		"an empty list of aud":            altered(map[string]any{"aud": []string{}}),
		"the token endpoint as aud":       altered(map[string]any{"aud": platformtest.Identity + "/v1/oauth/token"}),
		"no aud":                          altered(map[string]any{"aud": nil}),
		"a request within":                altered(map[string]any{"request": app.Key.Sign("oauth-authz-req+jwt", good)}),
		"a request_uri within":            altered(map[string]any{"request_uri": "https://app.example.com/request.jwt"}),
		"a handle within":                 altered(map[string]any{"request_uri": handle}),
		"a sub":                           altered(map[string]any{"sub": app.ID}),
		"no exp":                          altered(map[string]any{"exp": nil}),
		"no nbf":                          altered(map[string]any{"nbf": nil}),
		"expired":                         altered(map[string]any{"exp": now.Add(-time.Second).Unix(), "nbf": now.Add(-time.Minute).Unix()}),
		"not yet":                         altered(map[string]any{"nbf": now.Add(time.Minute).Unix()}),
		"for more than an hour":           altered(map[string]any{"exp": now.Add(2 * time.Hour).Unix()}),
		"for more than an hour, by case":  altered(map[string]any{"exp": now.Add(2 * time.Hour).Unix(), "Exp": now.Add(time.Minute).Unix()}),
		"a parameter that is a list":      altered(map[string]any{"scope": []string{"openid", "email"}}),
		"a parameter with a NUL":          altered(map[string]any{"nonce": "a\x00b"}),
		"a name with a NUL":               altered(map[string]any{"x\x00": "y"}),
		"more parameters than a form has": altered(many(120)),
		"a parameter that is true":        altered(map[string]any{"state": true}),
		"a parameter twice":               forge(t, app.Key, `{"alg":"ES256"}`, `{"scope":"openid",`+toJSON(t, good)[1:]),
		"the type of an assertion":        app.Key.Sign("client-authentication+jwt", good),
		"the type of a proof":             app.Key.Proof(good),
		"the signature of another object": splice(app.Key.Sign("oauth-authz-req+jwt", good), toJSON(t, objectOf(p, app, with(app.Request(), "scope", "openid email")))),
		"Sec117 a million dots":           strings.Repeat(".", 10_000),
		"Sec117 an encrypted one":         encode(`{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}`) + ".AAAA.AAAA.AAAA.AAAA",
	} {
		t.Run(name, func(t *testing.T) {
			answer := p.NewBrowser(t).Authorize(carrying(app, object)).Redirected(t)
			if got := answer.Query(); got.Get("error") != "invalid_request_object" || got.Has("code") || got.Get("state") != "outer" {
				t.Errorf("authorize answers %v", got)
			}
			refused(t, app.Send("/v1/oauth/par", url.Values{"request": {object}}, nil), http.StatusBadRequest, "invalid_request_object")
		})
	}
	t.Run("two objects", func(t *testing.T) {
		params := carrying(app, app.Key.Sign("oauth-authz-req+jwt", good))
		params["request"] = append(params["request"], params["request"][0])
		with(params, "response_type", "code", "scope", "openid", "code_challenge", platformtest.Challenge("x"), "code_challenge_method", "S256")
		if got := p.NewBrowser(t).Authorize(params).Redirected(t).Query(); got.Get("error") == "" || got.Has("code") {
			t.Errorf("got %v", got)
		}
	})
	t.Run("an object and a handle", func(t *testing.T) {
		r := p.NewBrowser(t).Authorize(with(carrying(app, app.Key.Sign("oauth-authz-req+jwt", good)), "request_uri", "https://app.example.com/r"))
		if got := r.Redirected(t).Query(); got.Get("error") != "request_uri_not_supported" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("a bad redirect URI beside it is a page, whatever it says", func(t *testing.T) {
		onPage(t, p.NewBrowser(t).Authorize(with(carrying(app, altered(map[string]any{"aud": "x"})), "redirect_uri", "https://evil.example/cb")), "not registered")
		onPage(t, p.NewBrowser(t).Authorize(with(carrying(app, altered(nil)), "redirect_uri", "https://evil.example/cb")), "not registered")
		onPage(t, p.NewBrowser(t).Authorize(carrying(app, altered(map[string]any{"redirect_uri": "https://evil.example/cb"}))), "not registered")
	})
}

func TestSec061_OnlyWhatIsInTheObjectCounts(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddKeyApp(t, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://app.example.com/other") }), p.AddMember(t, "Ada")
	inner := with(app.Request(), "scope", "openid", "nonce", "inner")
	params := with(app.Request(), "scope", "openid profile email read:biomarkers", "nonce", "outer", "state", "outer",
		"redirect_uri", "https://app.example.com/other", "code_challenge", platformtest.Challenge(strings.Repeat("x", 50)), "response_mode", "form_post", "prompt", "none")
	params.Set("request", app.Key.Sign("oauth-authz-req+jwt", objectOf(p, app, inner)))
	b := p.NewBrowser(t)
	page := b.SignIn(b.Follow(b.Authorize(params)), ada)
	if strings.Contains(page.Text, `id="scope-`) {
		t.Error("the page asks for what is outside")
	}
	answer := b.Decide(page, "allow").Redirected(t)
	if !strings.HasPrefix(answer.String(), platformtest.Callback+"?") || answer.Query().Get("state") != inner.Get("state") {
		t.Fatalf("the answer goes to %s", answer)
	}
	tokens := app.Redeem(answer.Query().Get("code")).Pair(t)
	if tokens.Scope != "openid" || claims(t, tokens.ID)["nonce"] != "inner" {
		t.Errorf("scope %q, nonce %v", tokens.Scope, claims(t, tokens.ID)["nonce"])
	}
}

func TestSec061_NoAppAsksInTheNameOfAnother(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	mallory := p.AddKeyApp(t, nil)
	victim := p.AddKeyApp(t, func(c *loop.Client) { c.Protocol.Profile, c.Protocol.DPoPBound = loop.ProfileFAPI2, true })
	claims := objectOf(p, mallory, with(victim.Request(), "client_id", ""))
	delete(claims, "client_id")
	rest := toJSON(t, claims)[1:]
	for name, ids := range map[string]string{
		"another case behind":  `"client_id":"` + string(victim.ID) + `","CLIENT_ID":"` + string(mallory.ID) + `",`,
		"another case before":  `"CLIENT_ID":"` + string(mallory.ID) + `","client_id":"` + string(victim.ID) + `",`,
		"a dotless letter":     `"client_id":"` + string(victim.ID) + `","cl\u0130ent_id":"` + string(mallory.ID) + `",`,
		"an escaped letter":    `"client_id":"` + string(victim.ID) + `","client_i\u0064":"` + string(mallory.ID) + `",`,
		"Sec104 its own twice": `"client_id":"` + string(mallory.ID) + `","client_id":"` + string(victim.ID) + `",`,
		"the victim's alone":   `"client_id":"` + string(victim.ID) + `",`,
	} {
		t.Run(name, func(t *testing.T) {
			object := forge(t, mallory.Key, `{"alg":"ES256","kid":"`+mallory.Key.KeyID+`"}`, "{"+ids+rest)
			refused(t, mallory.Send("/v1/oauth/par", url.Values{"request": {object}}, nil), http.StatusBadRequest, "invalid_request_object")
			r := p.NewBrowser(t).Authorize(carrying(mallory, object)).Redirected(t)
			if r.Query().Get("error") != "invalid_request_object" {
				t.Errorf("got %s", r)
			}
		})
	}
	t.Run("parameters beside a pushed object name nobody else", func(t *testing.T) {
		form := mallory.Signed(mallory.Request())
		form = mallory.Assert(form)
		form.Set("client_id", string(victim.ID))
		refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/par", form, nil), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("a client of the profile is reached by its own push alone", func(t *testing.T) {
		if got := p.NewBrowser(t).Authorize(victim.Request()).Redirected(t).Query(); got.Get("error") != "invalid_request" {
			t.Errorf("got %v", got)
		}
		if got := p.NewBrowser(t).Authorize(victim.Signed(victim.Request())).Redirected(t).Query(); got.Get("error") != "invalid_request" {
			t.Errorf("got %v", got)
		}
	})
}
