package identity_test

import (
	"flag"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

var attackSeed = flag.Uint64("seed", 0, "repeat the random attacks of this `seed`; 0: another one each time")

// attacks is how many altered requests are sent.
const attacks = 10_000

// fields are what a request is made of, by name.
type fields map[string]string

// target is a kind of request under attack.
type target struct {
	name  string
	valid fields
	// others is what each field is exchanged for: genuine values of another
	// client, member, grant, key or time. All fields of one request are never
	// exchanged together, since that could be a valid request of somebody else.
	others map[string][]string
	// send sends the request and reports whether it succeeded.
	send func(fields) bool
}

// altered exchanges one to three fields, and at least one less than there are.
func (a target) altered(random *rand.Rand) fields {
	sent := maps.Clone(a.valid)
	names := slices.Sorted(maps.Keys(a.others))
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names[:1+random.IntN(min(3, max(1, len(a.valid)-1), len(names)))] {
		sent[name] = a.others[name][random.IntN(len(a.others[name]))]
	}
	return sent
}

// party is a member with an app and all that came of them.
type party struct {
	app      *platformtest.App
	member   *loop.Member
	browser  *platformtest.Browser
	code     string
	verifier string
	tokens   platformtest.Tokens
	old      platformtest.Tokens // expired long ago
	oldCode  string
	key      *platformtest.Key // of its DPoP proofs
	bound    string            // an access token bound to it

	boundCode         string // bound to the key
	handle, oldHandle string // of requests that the app pushed
	hint              string // an ID token of the browser's session
	goodbye           string // where the app has members sent after signing out
}

func newParty(t *testing.T, p *platformtest.Platform, name string) *party {
	t.Helper()
	callback := "https://" + strings.ToLower(name) + ".example.com/cb"
	x := &party{member: p.AddMember(t, name), browser: p.NewBrowser(t), key: platformtest.NewKey(t), verifier: name + strings.Repeat("-verifier", 6)}
	x.goodbye = "https://" + strings.ToLower(name) + ".example.com/bye"
	x.app = p.AddApp(t, func(c *loop.Client) {
		c.RedirectURIs, c.Protocol.PostLogoutRedirectURIs = []loop.RedirectURI{loop.RedirectURI(callback)}, []loop.RedirectURI{loop.RedirectURI(x.goodbye)}
	})
	x.oldHandle = push(t, x.app, x.app.Request())
	x.old, x.oldCode = x.app.Redeem(x.app.Code(x.browser, x.member)).Pair(t), x.app.Code(x.browser, x.member)
	return x
}

// equip gives the party what is good now.
func (x *party) equip(t *testing.T, p *platformtest.Platform) {
	t.Helper()
	bound := x.app.Code(x.browser, x.member)
	r := x.app.Send("/v1/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {bound}, "redirect_uri": {string(x.app.RedirectURIs[0])}, "code_verifier": {platformtest.Verifier},
	}, p.WithProof(x.key, http.MethodPost, platformtest.Identity+"/v1/oauth/token", ""))
	x.bound = r.Pair(t).Access
	x.tokens = x.app.Redeem(x.app.Code(x.browser, x.member)).Pair(t)
	request := x.app.Request()
	request.Set("code_challenge", platformtest.Challenge(x.verifier))
	x.code = x.browser.Allow(request, x.member).Query().Get("code")
	x.boundCode = x.browser.Allow(with(x.app.Request(), "dpop_jkt", x.key.Thumbprint()), x.member).Query().Get("code")
	x.handle, x.hint = push(t, x.app, x.app.Request()), x.tokens.ID
}

// TestAlteredRequestsNeverSucceed sends valid requests of which one to three
// fields belong to somebody or something else. None succeeds, and none of them
// changes what the valid one still does in the end.
func TestAlteredRequestsNeverSucceed(t *testing.T) {
	seed := *attackSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat with -seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	p := platformtest.New(t)
	a, b := newParty(t, p, "Ada"), newParty(t, p, "Ben")
	strong, stronger := p.AddKeyApp(t, nil), p.AddKeyApp(t, nil)
	p.World.Advance(2 * time.Hour)
	a.equip(t, p)
	b.equip(t, p)

	targets := targetsOf(t, p, a, b, strong, stronger)
	count := attacks
	if testing.Short() {
		count /= 10
	}
	for range count {
		attacked := targets[random.IntN(len(targets))]
		if sent := attacked.altered(random); !maps.Equal(sent, attacked.valid) && attacked.send(sent) {
			t.Fatalf("%s succeeded with %v, altered from %v", attacked.name, sent, attacked.valid)
		}
	}
	for _, attacked := range targets {
		if !attacked.send(attacked.valid) {
			t.Errorf("%s does not succeed unaltered, so that nothing was shown", attacked.name)
		}
	}
}

func targetsOf(t *testing.T, p *platformtest.Platform, a, b *party, strong, stronger *platformtest.App) []target {
	t.Helper()
	const tokenURL, biomarkers = platformtest.Identity + "/v1/oauth/token", platformtest.Clinical + "/v1/biomarkers/me"
	post := func(path string, sent fields) *platformtest.Response {
		form := url.Values{}
		for name, value := range sent {
			form.Set(name, value)
		}
		return p.Post(t, platformtest.Identity+path, form, nil)
	}
	grants := func(sent fields) bool { return post("/v1/oauth/token", sent).StatusCode == http.StatusOK }
	id, secret := []string{string(b.app.ID), string(strong.ID)}, []string{b.app.Secret}
	notAccess := []string{b.tokens.Refresh, a.tokens.Refresh, a.tokens.ID, a.code, a.app.Secret, a.old.Access, b.old.Access}
	proof := func(sent fields) string {
		key := map[string]*platformtest.Key{"a": a.key, "b": b.key}[sent["key"]]
		claims := p.ProofClaims(sent["htm"], sent["htu"], sent["ath"])
		claims["iat"] = p.World.Now().Add(spanOf(t, sent["iat"])).Unix()
		return key.Proof(claims)
	}
	keys := map[string]*platformtest.App{"strong": strong, "stronger": stronger}
	signedBy := func(sent fields, typ string, claims map[string]any) string {
		now := p.World.Now()
		claims["exp"] = now.Add(spanOf(t, sent["exp"])).Unix()
		claims["nbf"] = now.Add(spanOf(t, sent["nbf"])).Unix()
		return keys[sent["key"]].Key.Sign(typ, claims)
	}
	code := fields{
		"grant_type": "authorization_code", "client_id": string(a.app.ID), "client_secret": a.app.Secret, "code": a.code,
		"redirect_uri": string(a.app.RedirectURIs[0]), "code_verifier": a.verifier,
	}
	return []target{
		{"a code's exchange", code, map[string][]string{
			"grant_type": {"refresh_token", "client_credentials"}, "client_id": id, "client_secret": secret,
			"code": {b.code, a.oldCode, b.oldCode, a.tokens.Access, a.tokens.Refresh}, "redirect_uri": {string(b.app.RedirectURIs[0])}, "code_verifier": {b.verifier, platformtest.Verifier},
		}, grants},
		{"the exchange of a code that is bound to a key", fields{
			"client_id": string(a.app.ID), "client_secret": a.app.Secret, "code": a.boundCode, "redirect_uri": string(a.app.RedirectURIs[0]), "key": "a",
		}, map[string][]string{
			"client_id": id, "client_secret": secret, "code": {b.boundCode, b.code, a.oldCode}, "redirect_uri": {string(b.app.RedirectURIs[0])}, "key": {"b"},
		}, func(sent fields) bool {
			key := map[string]*platformtest.Key{"a": a.key, "b": b.key}[sent["key"]]
			form := url.Values{"grant_type": {"authorization_code"}, "code_verifier": {platformtest.Verifier}}
			for _, name := range []string{"client_id", "client_secret", "code", "redirect_uri"} {
				form.Set(name, sent[name])
			}
			return p.Post(t, tokenURL, form, p.WithProof(key, http.MethodPost, tokenURL, "")).StatusCode == http.StatusOK
		}},
		{"a pushed request", fields{"client_id": string(a.app.ID), "request_uri": a.handle}, map[string][]string{
			"client_id": id, "request_uri": {b.handle, a.oldHandle, b.oldHandle},
		}, func(sent fields) bool {
			r := p.NewBrowser(t).Authorize(url.Values{"client_id": {sent["client_id"]}, "request_uri": {sent["request_uri"]}})
			return r.StatusCode == http.StatusSeeOther
		}},
		{"signing out", fields{"id_token_hint": a.hint, "post_logout_redirect_uri": a.goodbye, "client_id": string(a.app.ID), "browser": "a"}, map[string][]string{
			"id_token_hint": {b.hint, b.old.ID, a.tokens.Access}, "post_logout_redirect_uri": {b.goodbye, string(a.app.RedirectURIs[0])}, "client_id": id, "browser": {"b"},
		}, func(sent fields) bool {
			browser := map[string]*platformtest.Browser{"a": a.browser, "b": b.browser}[sent["browser"]]
			r := browser.Get(logoutAddress + "?" + url.Values{
				"id_token_hint": {sent["id_token_hint"]}, "post_logout_redirect_uri": {sent["post_logout_redirect_uri"]}, "client_id": {sent["client_id"]},
			}.Encode())
			return r.StatusCode == http.StatusSeeOther
		}},
		{"introspection", fields{"client_id": string(a.app.ID), "client_secret": a.app.Secret, "token": a.tokens.Access}, map[string][]string{
			"client_id": id, "client_secret": secret, "token": {b.tokens.Access, b.tokens.Refresh, b.bound, a.old.Access, a.tokens.ID, a.code},
		}, func(sent fields) bool {
			r := post("/v1/oauth/introspect", sent)
			return r.StatusCode == http.StatusOK && r.JSON(t)["active"] == true
		}},
		{"a push", fields{"client_id": string(a.app.ID), "client_secret": a.app.Secret, "redirect_uri": string(a.app.RedirectURIs[0])}, map[string][]string{
			"client_id": id, "client_secret": secret, "redirect_uri": {string(b.app.RedirectURIs[0])},
		}, func(sent fields) bool {
			form := a.app.Request()
			for name, value := range sent {
				form.Set(name, value)
			}
			return p.Post(t, platformtest.Identity+"/v1/oauth/par", form, nil).StatusCode == http.StatusCreated
		}},
		{"userinfo", fields{"token": a.tokens.Access}, map[string][]string{"token": append(notAccess, a.bound)}, func(sent fields) bool {
			return p.UserInfo(t, sent["token"]).StatusCode == http.StatusOK
		}},
		{"lab results", fields{"token": a.tokens.Access}, map[string][]string{"token": append(notAccess, b.bound)}, func(sent fields) bool {
			return p.Biomarkers(t, sent["token"]).StatusCode == http.StatusOK
		}},
		{"a call with a proof", fields{"token": a.bound, "key": "a", "htm": "GET", "htu": biomarkers, "ath": a.bound, "iat": "0s"}, map[string][]string{
			"token": {b.bound, a.tokens.Access}, "key": {"b"}, "htm": {"POST"}, "htu": {tokenURL, platformtest.Clinical}, "ath": {a.tokens.Access, b.tokens.Access}, "iat": {"-1h", "1h"},
		}, func(sent fields) bool {
			header := http.Header{"Dpop": {proof(sent)}, "Authorization": {"DPoP " + sent["token"]}}
			return p.Fetch(t, http.MethodGet, biomarkers, header).StatusCode == http.StatusOK
		}},
		{"a client's assertion", fields{"key": "strong", "iss": string(strong.ID), "sub": string(strong.ID), "aud": platformtest.Identity, "exp": "1m", "nbf": "0s"}, map[string][]string{
			"key": {"stronger"}, "iss": {string(stronger.ID), string(a.app.ID)}, "sub": {string(a.app.ID)}, "aud": {platformtest.Clinical, platformtest.Identity + "/"}, "exp": {"-1m", "48h"}, "nbf": {"10m"},
		}, func(sent fields) bool {
			claims := map[string]any{"iss": sent["iss"], "sub": sent["sub"], "aud": sent["aud"]}
			claims["jti"] = platformtest.Challenge(time.Duration(rand.Int64()).String()) // a new one each time
			form := url.Values{"token": {"x"}, "client_assertion_type": {platformtest.AssertionType}, "client_assertion": {signedBy(sent, "JWT", claims)}}
			return p.Post(t, platformtest.Identity+"/v1/oauth/introspect", form, nil).StatusCode == http.StatusOK
		}},
		{"a signed request", fields{"key": "strong", "iss": string(strong.ID), "client_id": string(strong.ID), "aud": platformtest.Identity, "exp": "5m", "nbf": "0s"}, map[string][]string{
			"key": {"stronger"}, "iss": {string(stronger.ID)}, "client_id": {string(a.app.ID)}, "aud": {platformtest.Clinical}, "exp": {"-1m", "48h"}, "nbf": {"10m"},
		}, func(sent fields) bool {
			claims := map[string]any{"iss": sent["iss"], "aud": sent["aud"]}
			for name, values := range strong.Request() {
				claims[name] = values[0]
			}
			claims["client_id"] = sent["client_id"]
			request := url.Values{"client_id": {string(strong.ID)}, "request": {signedBy(sent, "oauth-authz-req+jwt", claims)}}
			r := p.NewBrowser(t).Authorize(request)
			return r.StatusCode == http.StatusSeeOther && strings.HasPrefix(r.Header.Get("Location"), "/signin")
		}},
		{"a refresh", fields{"grant_type": "refresh_token", "client_id": string(b.app.ID), "client_secret": b.app.Secret, "refresh_token": b.tokens.Refresh}, map[string][]string{
			"grant_type": {"authorization_code"}, "client_id": {string(a.app.ID)}, "client_secret": {a.app.Secret}, "refresh_token": {b.tokens.Access, a.code, a.tokens.ID},
		}, grants},
	}
}

func spanOf(t *testing.T, text string) time.Duration {
	t.Helper()
	span, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return span
}
