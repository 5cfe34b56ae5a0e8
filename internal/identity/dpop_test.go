package identity_test

import (
	"crypto/rand"
	"crypto/rsa"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// The addresses that proofs of these tests are made for.
const (
	tokenAddress    = platformtest.Identity + "/v1/oauth/token"
	userInfoAddress = platformtest.Identity + "/v1/oauth/userinfo"
	resultsAddress  = platformtest.Clinical + "/v1/biomarkers/me"
)

// attempt is what one token request or read brings in its DPoP header.
type attempt struct {
	p   *platformtest.Platform
	key *platformtest.Key
}

// claims are those of a correct proof for a token request, with some changed; nil
// takes one away.
func (a attempt) claims(address, access string, changes map[string]any) map[string]any {
	method := http.MethodPost
	if address == userInfoAddress || address == resultsAddress {
		method = http.MethodGet
	}
	claims := a.p.ProofClaims(method, address, access)
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

// badProofs are proofs that no endpoint takes, each wrong in one thing.
func badProofs(t *testing.T, p *platformtest.Platform, key *platformtest.Key, address, access string) map[string][]string {
	t.Helper()
	a := attempt{p, key}
	now := p.World.Now()
	public := key.Public()
	public.KeyID, public.Use, public.Algorithm = "", "", ""
	jwk := toJSON(t, public)
	stranger := platformtest.NewKey(t)
	good := func() string { return toJSON(t, a.claims(address, access, nil)) }
	changed := func(changes map[string]any) []string { return []string{key.Proof(a.claims(address, access, changes))} }
	header := func(text string) []string { return []string{forge(t, key, text, good())} }
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	private := platformtest.NewKey(t).JSONWebKey
	private.KeyID, private.Use, private.Algorithm = "", "", ""
	two := key.Proof(a.claims(address, access, nil))
	return map[string][]string{
		"two headers":                      {two, key.Proof(a.claims(address, access, nil))},
		"the same header twice":            {two, two},
		"an empty header first":            {"", two},
		"an empty header last":             {two, ""},
		"an empty header":                  {""},
		"two proofs in one header":         {two + ", " + two},
		"no proof at all":                  {"x"},
		"htu of another host":              changed(map[string]any{"htu": "https://evil.example/v1/oauth/token"}),
		"htu of another path":              changed(map[string]any{"htu": platformtest.Identity + "/v1/oauth/par"}),
		"htu of another host of ours":      changed(map[string]any{"htu": platformtest.Developers + "/v1/oauth/token"}),
		"htu over http":                    changed(map[string]any{"htu": strings.Replace(address, "https", "http", 1)}),
		"htu with another port":            changed(map[string]any{"htu": strings.Replace(address, ".test/", ".test:8443/", 1)}),
		"htu with user info":               changed(map[string]any{"htu": strings.Replace(address, "https://", "https://x@", 1)}),
		"htu with a slash more":            changed(map[string]any{"htu": address + "/"}),
		"htu in capitals":                  changed(map[string]any{"htu": strings.Replace(address, "/v1", "/V1", 1)}),
		"htu without a path":               changed(map[string]any{"htu": platformtest.Identity}),
		"htu that is a path alone":         changed(map[string]any{"htu": "/v1/oauth/token"}),
		"htu with an escaped slash":        changed(map[string]any{"htu": strings.Replace(address, "/v1/", "/v1%2F", 1)}),
		"no htu":                           changed(map[string]any{"htu": nil}),
		"htu in another case":              changed(map[string]any{"htu": nil, "HTU": address}),
		"another htm":                      changed(map[string]any{"htm": "PUT"}),
		"htm in small letters":             changed(map[string]any{"htm": "post"}),
		"no htm":                           changed(map[string]any{"htm": nil}),
		"no jti":                           changed(map[string]any{"jti": nil}),
		"an empty jti":                     changed(map[string]any{"jti": ""}),
		"a jti that is a number":           changed(map[string]any{"jti": 7}),
		"a jti of 1 KiB":                   changed(map[string]any{"jti": strings.Repeat("j", 1<<10)}),
		"no iat":                           changed(map[string]any{"iat": nil}),
		"iat as text":                      changed(map[string]any{"iat": "now"}),
		"iat an hour ago":                  changed(map[string]any{"iat": now.Add(-time.Hour).Unix()}),
		"iat 61 seconds ago":               changed(map[string]any{"iat": now.Add(-61 * time.Second).Unix()}),
		"iat in 61 seconds":                changed(map[string]any{"iat": now.Add(61 * time.Second).Unix()}),
		"iat in an hour":                   changed(map[string]any{"iat": now.Add(time.Hour).Unix()}),
		"iat below zero":                   changed(map[string]any{"iat": -1}),
		"a claim twice":                    {forge(t, key, `{"alg":"ES256","typ":"dpop+jwt","jwk":`+jwk+`}`, `{"htm":"PUT",`+good()[1:])},
		"no typ":                           header(`{"alg":"ES256","jwk":` + jwk + `}`),
		"typ JWT":                          header(`{"alg":"ES256","typ":"JWT","jwk":` + jwk + `}`),
		"a typ that is no text":            header(`{"alg":"ES256","typ":["dpop+jwt"],"jwk":` + jwk + `}`),
		"no key":                           header(`{"alg":"ES256","typ":"dpop+jwt"}`),
		"a key by its id":                  header(`{"alg":"ES256","typ":"dpop+jwt","kid":"` + key.KeyID + `"}`),
		"a private key":                    header(`{"alg":"ES256","typ":"dpop+jwt","jwk":` + toJSON(t, private) + `}`),
		"the key of somebody else":         {forge(t, stranger, `{"alg":"ES256","typ":"dpop+jwt","jwk":`+jwk+`}`, good())},
		"a shared key":                     header(`{"alg":"ES256","typ":"dpop+jwt","jwk":{"kty":"oct","k":"AAAA"}}`),
		"a key that is no point":           header(`{"alg":"ES256","typ":"dpop+jwt","jwk":{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}}`),
		"a short RSA key":                  {shortRSA(t, weak, a.claims(address, access, nil))},
		"alg none":                         {encode(`{"alg":"none","typ":"dpop+jwt","jwk":`+jwk+`}`) + "." + encode(good()) + "."},
		"HS256":                            header(`{"alg":"HS256","typ":"dpop+jwt","jwk":` + jwk + `}`),
		"RS256":                            {keyFor(t, "RS256").Proof(a.claims(address, access, nil))},
		"another algorithm than the key's": header(`{"alg":"EdDSA","typ":"dpop+jwt","jwk":` + jwk + `}`),
		"crit":                             header(`{"alg":"ES256","typ":"dpop+jwt","crit":["x"],"x":1,"jwk":` + jwk + `}`),
		"b64":                              header(`{"alg":"ES256","typ":"dpop+jwt","crit":["b64"],"b64":false,"jwk":` + jwk + `}`),
		"the signature of other claims":    {splice(two, toJSON(t, a.claims(address, access, map[string]any{"jti": "another"})))},
		"cut short":                        {two[:len(two)-4]},
		"Sec117 a million dots":            {strings.Repeat(".", 20_000)},
		"Sec117 longer than 16 KiB":        changed(map[string]any{"x": strings.Repeat("x", 16<<10)}),
		"Sec117 an encrypted one":          {encode(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`) + "." + strings.Repeat("AAAA.", 3) + "AAAA"},
	}
}

// shortRSA is a proof by a key that is shorter than any in use.
func shortRSA(t *testing.T, key *rsa.PrivateKey, claims map[string]any) string {
	t.Helper()
	return platformtest.KeyOf(t, key, jose.PS256).Proof(claims)
}

func TestSec062_AProofThatIsNotGoodIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	key, ada := platformtest.NewKey(t), p.AddMember(t, "Ada")
	app := p.AddApp(t, func(c *loop.Client) { c.Protocol.DPoPBound = true })
	b := p.NewBrowser(t)
	code := app.Code(b, ada)
	redeem := func(header http.Header) *platformtest.Response {
		return app.Send("/v1/oauth/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
		}, header)
	}
	for name, proofs := range badProofs(t, p, key, tokenAddress, "") {
		t.Run("at the token endpoint: "+name, func(t *testing.T) {
			refused(t, redeem(http.Header{"Dpop": proofs}), http.StatusBadRequest, "invalid_dpop_proof")
		})
	}
	t.Run("at the token endpoint: none", func(t *testing.T) {
		refused(t, redeem(nil), http.StatusBadRequest, "invalid_dpop_proof")
	})
	r := redeem(p.WithProof(key, http.MethodPost, tokenAddress, "")) // none of it spent the code
	tokens := r.Pair(t)
	if r.JSON(t)["token_type"] != "DPoP" {
		t.Errorf("token_type is %v", r.JSON(t)["token_type"])
	}

	other := app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}}, p.WithProof(key, http.MethodPost, tokenAddress, "")).Pair(t)
	for _, address := range []string{userInfoAddress, resultsAddress} {
		where := "at " + strings.TrimPrefix(address, "https://") + ": "
		ask := func(header http.Header) *platformtest.Response { return p.Fetch(t, http.MethodGet, address, header) }
		refuses := func(t *testing.T, header http.Header, code string) {
			t.Helper()
			r := ask(header)
			if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != code || strings.Contains(r.Text, "bmk_") || strings.Contains(r.Text, `"sub"`) {
				t.Errorf("%d %s, want %s", r.StatusCode, r.Text, code)
			}
			if challenge := r.Header.Get("WWW-Authenticate"); !strings.Contains(challenge, `error="`+code+`"`) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		}
		presented := func(proofs ...string) http.Header {
			return http.Header{"Authorization": {"DPoP " + tokens.Access}, "Dpop": proofs}
		}
		bad := badProofs(t, p, key, address, tokens.Access)
		a := attempt{p, key}
		maps.Copy(bad, map[string][]string{
			"no ath":                         {key.Proof(a.claims(address, tokens.Access, map[string]any{"ath": nil}))},
			"an empty ath":                   {key.Proof(a.claims(address, tokens.Access, map[string]any{"ath": ""}))},
			"ath of another token":           {key.Proof(a.claims(address, other.Access, nil))},
			"ath in another case":            {key.Proof(a.claims(address, tokens.Access, map[string]any{"ath": nil, "Ath": a.claims(address, tokens.Access, nil)["ath"]}))},
			"the proof of the token request": {key.Proof(a.claims(tokenAddress, "", nil))},
		})
		for name, proofs := range bad {
			t.Run(where+name, func(t *testing.T) { refuses(t, presented(proofs...), "invalid_dpop_proof") })
		}
		t.Run(where+"none", func(t *testing.T) { refuses(t, presented(), "invalid_dpop_proof") })
		t.Run(where+"by another key", func(t *testing.T) {
			refuses(t, presented(platformtest.NewKey(t).Proof(a.claims(address, tokens.Access, nil))), "invalid_token")
		})
		t.Run(where+"a bound token as Bearer", func(t *testing.T) {
			for _, proofs := range [][]string{nil, {key.Proof(a.claims(address, tokens.Access, nil))}} {
				refuses(t, http.Header{"Authorization": {"Bearer " + tokens.Access}, "Dpop": proofs}, "invalid_token")
			}
		})
		t.Run(where+"a proof that was used", func(t *testing.T) {
			proof := key.Proof(a.claims(address, tokens.Access, nil))
			if r := ask(presented(proof)); r.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", r.StatusCode, r.Text)
			}
			refuses(t, presented(proof), "invalid_dpop_proof")
		})
		t.Run(where+"the scheme in small letters works", func(t *testing.T) {
			header := presented(key.Proof(a.claims(address, tokens.Access, nil)))
			header["Authorization"] = []string{"dpop " + tokens.Access}
			if r := ask(header); r.StatusCode != http.StatusOK {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
		})
		for name, htu := range map[string]string{
			"a query and a fragment": address + "?limit=1#x", "the host in capitals": strings.Replace(address, "platform.test", "PLATFORM.test", 1),
			"the default port": strings.Replace(address, ".test/", ".test:443/", 1), "a detour": strings.Replace(address, "/v1", "/x/../v1", 1),
			"letters that need no escape": strings.Replace(address, "/v1", "/%761", 1),
		} {
			t.Run(where+"RFC 9449 §4.3 htu with "+name+" works", func(t *testing.T) {
				if r := ask(presented(key.Proof(a.claims(address, tokens.Access, map[string]any{"htu": htu, "unknown": true})))); r.StatusCode != http.StatusOK {
					t.Errorf("%d %s", r.StatusCode, r.Text)
				}
			})
		}
	}
	t.Run("a bound token in a form", func(t *testing.T) {
		header := http.Header{"Dpop": {key.Proof(p.ProofClaims(http.MethodPost, userInfoAddress, tokens.Access))}}
		r := p.Post(t, userInfoAddress, url.Values{"access_token": {tokens.Access}}, header)
		if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})
	t.Run("a token that is not bound, with a proof", func(t *testing.T) {
		plain := p.AddApp(t, nil)
		bearer := plain.Redeem(plain.Code(b, ada)).Pair(t).Access
		r := p.Fetch(t, http.MethodGet, userInfoAddress, p.WithProof(key, http.MethodGet, userInfoAddress, bearer))
		if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})
	t.Run("Sec122 the log has no proof", func(t *testing.T) {
		if log := p.Log.String(); platformtest.HoldsJWT(log) || strings.Contains(log, tokens.Access) {
			t.Error("it has")
		}
	})
}

func TestSec062_AProofWorksOnce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	key, app := platformtest.NewKey(t), p.AddApp(t, nil)
	a := attempt{p, key}
	send := func(proof string) *platformtest.Response {
		return app.Send("/v1/oauth/par", app.Request(), http.Header{"Dpop": {proof}})
	}
	taken := func(t *testing.T, r *platformtest.Response) {
		t.Helper()
		if r.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", r.StatusCode, r.Text)
		}
	}
	pushAddress := platformtest.Identity + "/v1/oauth/par"
	proof := func(changes map[string]any) string { return key.Proof(a.claims(pushAddress, "", changes)) }
	t.Run("at the same endpoint", func(t *testing.T) {
		used := proof(nil)
		taken(t, send(used))
		refused(t, send(used), http.StatusBadRequest, "invalid_dpop_proof")
	})
	t.Run("another proof with the same jti", func(t *testing.T) {
		taken(t, send(proof(map[string]any{"jti": "one"})))
		refused(t, send(proof(map[string]any{"jti": "one", "x": 1})), http.StatusBadRequest, "invalid_dpop_proof")
	})
	t.Run("another key's jti is its own", func(t *testing.T) {
		other := platformtest.NewKey(t)
		taken(t, send(other.Proof(a.claims(pushAddress, "", map[string]any{"jti": "one"}))))
	})
	t.Run("fifty at once: one passes", func(t *testing.T) {
		used := proof(nil)
		var passed atomic.Int32
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if r := send(used); r.StatusCode == http.StatusCreated {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		if passed.Load() != 1 {
			t.Errorf("%d passed", passed.Load())
		}
	})
	// accepted sends a proof dated so far ahead, with a nonce where that is asked for.
	accepted := func(t *testing.T, ahead time.Duration) string {
		t.Helper()
		changes := map[string]any{"iat": p.World.Now().Add(ahead).Unix()}
		used := proof(changes)
		r := send(used)
		if r.JSON(t)["error"] == "use_dpop_nonce" {
			changes["nonce"] = r.Header.Get("Dpop-Nonce")
			used = proof(changes)
			r = send(used)
		}
		taken(t, r)
		return used
	}
	neverAgain := func(t *testing.T, used string) {
		t.Helper()
		for range 130 {
			if r := send(used); r.StatusCode == http.StatusCreated {
				t.Fatal("it is taken again")
			}
			p.World.Advance(time.Second)
		}
	}
	for _, ahead := range []time.Duration{-time.Minute, 0, time.Second, 30 * time.Second, time.Minute} {
		t.Run("dated "+ahead.String()+" ahead, until it is too old", func(t *testing.T) { neverAgain(t, accepted(t, ahead)) })
		t.Run("dated "+ahead.String()+" ahead, after a restart", func(t *testing.T) {
			used := accepted(t, ahead)
			p.World.Advance(time.Microsecond)
			p.Restart(t)
			neverAgain(t, used)
		})
	}
}

// What is refused leaves nothing behind: an app that sends its proof again with
// what it should have sent is served.
func TestSec166_AProofOfARefusedRequestIsNotRemembered(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	key, ada := platformtest.NewKey(t), p.AddMember(t, "Ada")
	app := p.AddApp(t, nil)
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	header := p.WithProof(key, http.MethodPost, tokenAddress, "")
	refresh := func(token string) *platformtest.Response {
		return app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, header)
	}
	for range 3 {
		refused(t, refresh("lph_rt_none"), http.StatusBadRequest, "invalid_grant")
	}
	bound := refresh(tokens.Refresh).Pair(t)
	refused(t, refresh(bound.Refresh), http.StatusBadRequest, "invalid_dpop_proof")

	narrow := app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {bound.Refresh}, "scope": {"openid"}},
		p.WithProof(key, http.MethodPost, tokenAddress, "")).Pair(t)
	read := p.WithProof(key, http.MethodGet, resultsAddress, narrow.Access)
	for range 3 {
		if r := p.Fetch(t, http.MethodGet, resultsAddress, read); r.StatusCode != http.StatusForbidden {
			t.Errorf("without the scope: %d %s", r.StatusCode, r.Text)
		}
	}
}

// Proofs are dated in whole seconds. In the second in which a server starts, one that
// another process may have accepted needs a nonce; what a client or a token of that
// second is used for does not.
func TestSec062_InTheSecondOfTheStartWhatIsNewNeedsNoNonce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	key, ada, earlier := platformtest.NewKey(t), p.AddMember(t, "Ada"), p.AddApp(t, nil)
	p.World.Advance(300 * time.Millisecond)
	p.Restart(t)
	redeem := func(app *platformtest.App, header http.Header) *platformtest.Response {
		return app.Send("/v1/oauth/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {app.Code(p.NewBrowser(t), ada)},
			"redirect_uri": {string(app.RedirectURIs[0])}, "code_verifier": {platformtest.Verifier},
		}, header)
	}
	header := p.WithProof(key, http.MethodPost, tokenAddress, "")
	refused(t, redeem(earlier, header), http.StatusBadRequest, "use_dpop_nonce")
	later := p.AddApp(t, nil)
	tokens := redeem(later, header).Pair(t)
	refused(t, redeem(later, header), http.StatusBadRequest, "invalid_dpop_proof")

	read := p.WithProof(key, http.MethodGet, resultsAddress, tokens.Access)
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		if r := p.Fetch(t, http.MethodGet, resultsAddress, read); r.StatusCode != want {
			t.Errorf("reading with one proof is answered %d %s, want %d", r.StatusCode, r.Text, want)
		}
	}
}

func TestSec062_NoncesAreOurs(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	key, app := platformtest.NewKey(t), p.AddApp(t, nil)
	a := attempt{p, key}
	send := func(nonce any) *platformtest.Response {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"lph_rt_none"}}
		return app.Send("/v1/oauth/token", form, http.Header{"Dpop": {key.Proof(a.claims(tokenAddress, "", map[string]any{"nonce": nonce}))}})
	}
	nonce := p.OAuth.Tokens.NewNonce()
	_, page := consentPage(p, t, app.Request(), p.AddMember(t, "Ada"))
	for name, bad := range map[string]string{
		"made up": "x", "cut short": nonce[:len(nonce)-1], "changed": flip(nonce),
		"a consent page's ticket": page.Field("ticket"), "a continuation": page.Field("continue"),
	} {
		t.Run(name, func(t *testing.T) {
			r := send(bad)
			refused(t, r, http.StatusBadRequest, "use_dpop_nonce")
			refused(t, send(r.Header.Get("Dpop-Nonce")), http.StatusBadRequest, "invalid_grant") // past the proof
		})
	}
	t.Run("one that is no text", func(t *testing.T) { refused(t, send(7), http.StatusBadRequest, "invalid_dpop_proof") })
	t.Run("after 30 seconds", func(t *testing.T) {
		p.World.Advance(30 * time.Second)
		refused(t, send(nonce), http.StatusBadRequest, "invalid_grant")
		p.World.Advance(time.Second)
		refused(t, send(nonce), http.StatusBadRequest, "use_dpop_nonce")
	})
}

func TestSec062_WhatIsBoundToAKeyNeedsThatKey(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	key, thief, ada := platformtest.NewKey(t), platformtest.NewKey(t), p.AddMember(t, "Ada")
	public := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	app := p.AddApp(t, nil)
	b := p.NewBrowser(t)
	by := func(key *platformtest.Key) http.Header {
		if key == nil {
			return nil
		}
		return p.WithProof(key, http.MethodPost, tokenAddress, "")
	}
	redeem := func(app *platformtest.App, code string, key *platformtest.Key) *platformtest.Response {
		return app.Send("/v1/oauth/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
		}, by(key))
	}
	refresh := func(app *platformtest.App, token string, key *platformtest.Key) *platformtest.Response {
		return app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, by(key))
	}
	t.Run("a public client's refresh token", func(t *testing.T) {
		tokens := redeem(public, public.Code(b, ada), key).Pair(t)
		refused(t, refresh(public, tokens.Refresh, thief), http.StatusBadRequest, "invalid_grant")
		refused(t, refresh(public, tokens.Refresh, nil), http.StatusBadRequest, "invalid_grant")
		next := refresh(public, tokens.Refresh, key).Pair(t) // nothing was used up
		refused(t, refresh(public, tokens.Refresh, thief), http.StatusBadRequest, "invalid_grant")
		if r := refresh(public, next.Refresh, key); r.StatusCode != http.StatusOK {
			t.Errorf("a thief without the key ended the grant: %s", r.Text)
		}
	})
	t.Run("a code whose request named a key", func(t *testing.T) {
		code := b.Allow(with(app.Request(), "dpop_jkt", key.Thumbprint()), ada).Query().Get("code")
		refused(t, redeem(app, code, thief), http.StatusBadRequest, "invalid_grant")
		refused(t, redeem(app, code, nil), http.StatusBadRequest, "invalid_grant")
		redeem(app, code, key).Pair(t)
	})
	pushBy := func(request url.Values, key *platformtest.Key) *platformtest.Response {
		return app.Send("/v1/oauth/par", request, p.WithProof(key, http.MethodPost, platformtest.Identity+"/v1/oauth/par", ""))
	}
	t.Run("a code whose request was pushed with a proof", func(t *testing.T) {
		handle, _ := pushBy(app.Request(), key).JSON(t)["request_uri"].(string)
		code := b.Authorize(with(byHandle(app, handle), "dpop_jkt", thief.Thumbprint())).Redirected(t).Query().Get("code")
		refused(t, redeem(app, code, thief), http.StatusBadRequest, "invalid_grant")
		redeem(app, code, key).Pair(t)
	})
	t.Run("a push that names another key than its proof's", func(t *testing.T) {
		refused(t, pushBy(with(app.Request(), "dpop_jkt", thief.Thumbprint()), key), http.StatusBadRequest, "invalid_dpop_proof")
	})
	t.Run("a push with a proof that is for the token endpoint", func(t *testing.T) {
		refused(t, app.Send("/v1/oauth/par", app.Request(), by(key)), http.StatusBadRequest, "invalid_dpop_proof")
	})
	t.Run("a retry within grace by another key is a re-use", func(t *testing.T) {
		patient := p.AddApp(t, func(c *loop.Client) { c.RefreshGrace = 30 * time.Second })
		tokens := redeem(patient, patient.Code(b, ada), key).Pair(t)
		next := refresh(patient, tokens.Refresh, key).Pair(t)
		if again := refresh(patient, tokens.Refresh, key).Pair(t); again.Refresh != next.Refresh {
			t.Error("with the same key it is the same successor")
		}
		refused(t, refresh(patient, tokens.Refresh, thief), http.StatusBadRequest, "invalid_grant")
		refused(t, refresh(patient, next.Refresh, key), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("a confidential client may change its key", func(t *testing.T) {
		tokens := redeem(app, app.Code(b, ada), key).Pair(t)
		second := refresh(app, tokens.Refresh, thief).Pair(t)
		if r := p.Fetch(t, http.MethodGet, userInfoAddress, p.WithProof(thief, http.MethodGet, userInfoAddress, second.Access)); r.StatusCode != http.StatusOK {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
		introspected := app.Send("/v1/oauth/introspect", url.Values{"token": {second.Access}}, nil).JSON(t)
		if bound, _ := introspected["cnf"].(map[string]any); bound["jkt"] != thief.Thumbprint() || introspected["token_type"] != "DPoP" {
			t.Errorf("introspection says %v", introspected)
		}
	})
}

// From the moment at which an app's tokens have to be bound, those that are not
// open nothing.
func TestUpdate_AnAppWhoseTokensAreToBeBoundLosesTheOthers(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	for name, alter := range map[string]func(*loop.Client){
		"to a key":         func(c *loop.Client) { c.Protocol.DPoPBound = true },
		"to a certificate": func(c *loop.Client) { c.Protocol.CertificateBound = true },
	} {
		t.Run(name, func(t *testing.T) {
			app := p.AddApp(t, nil)
			tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
			if _, err := p.Clients.Update(t.Context(), app.ID, operator, alter); err != nil {
				t.Fatal(err)
			}
			if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("a token that anybody could use: %d", r.StatusCode)
			}
			if r := app.Refresh(tokens.Refresh); r.StatusCode != http.StatusBadRequest {
				t.Errorf("a refresh without a binding: %d", r.StatusCode)
			}
		})
	}
}
