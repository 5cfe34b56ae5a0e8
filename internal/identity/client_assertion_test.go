package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// forge makes a JWT with a header and a payload of the test's choice, byte for
// byte, signed with ES256 whatever the header says.
func forge(t *testing.T, key *platformtest.Key, header, payload string) string {
	t.Helper()
	signed := encode(header) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key.Key.(*ecdsa.PrivateKey), digest[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signed + "." + encode(string(signature))
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func toJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// asserting sends a token request with the assertion. Once the client is proven,
// its refresh token, which is none, is refused with invalid_grant.
func asserting(t *testing.T, p *platformtest.Platform, app *platformtest.App, assertion string) *platformtest.Response {
	t.Helper()
	return p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {"lph_rt_none"}, "client_id": {string(app.ID)},
		"client_assertion_type": {platformtest.AssertionType}, "client_assertion": {assertion},
	}, nil)
}

// proven fails the test where the client of a request of asserting was not let
// past authentication.
func proven(t *testing.T, r *platformtest.Response) {
	t.Helper()
	refused(t, r, http.StatusBadRequest, "invalid_grant")
}

func TestSec047_TheKeyOfAnAssertionComesFromTheRegistrationAlone(t *testing.T) {
	t.Parallel()
	attackers := newReceiver(t) // where headers of forged assertions point to
	p := withReceiver(t)
	app, stranger := p.AddKeyApp(t, nil), platformtest.NewKey(t)
	encrypting := platformtest.NewKey(t)
	encrypting.Use = "enc"
	encrypts := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.KeySet = loop.AuthPrivateKeyJWT, encrypting.Set()
	})
	public := app.Key.Public()
	der, err := x509.MarshalPKIXPublicKey(public.Key)
	if err != nil {
		t.Fatal(err)
	}
	claims := func() string { return toJSON(t, app.AssertionClaims()) }
	header := func(more string) string { return `{"alg":"ES256","kid":"` + app.Key.KeyID + `"` + more + `}` }
	sharedSecret := func(secret string) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(secret + strings.Repeat("\x00", max(0, 32-len(secret))))},
			(&jose.SignerOptions{}).WithHeader("kid", app.Key.KeyID))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign([]byte(claims()))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := signed.CompactSerialize()
		return text
	}
	attacks := map[string]string{
		"no signature":                         encode(header("")) + "." + encode(claims()) + ".",
		"HS256 with the public key as PEM":     sharedSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))),
		"HS256 with the public key as DER":     sharedSecret(string(der)),
		"HS256 with the public key as JWK":     sharedSecret(toJSON(t, public)),
		"HS256 with the whole key set":         sharedSecret(string(app.Key.Set())),
		"another's key in jwk":                 forge(t, stranger, `{"alg":"ES256","jwk":`+toJSON(t, stranger.Public())+`}`, claims()),
		"another's key in jwk, our kid":        forge(t, stranger, header(`,"jwk":`+toJSON(t, stranger.Public())), claims()),
		"jku":                                  forge(t, stranger, header(`,"jku":"`+attackers.URL+`"`), claims()),
		"x5u":                                  forge(t, stranger, header(`,"x5u":"`+attackers.URL+`"`), claims()),
		"x5c":                                  forge(t, stranger, header(`,"x5c":["`+base64.StdEncoding.EncodeToString(der)+`"]`), claims()),
		"a kid that climbs":                    forge(t, stranger, `{"alg":"ES256","kid":"../../../dev/null"}`, claims()),
		"a kid with a quote":                   forge(t, app.Key, `{"alg":"ES256","kid":"' OR 1=1 --"}`, claims()),
		"an unknown kid on the right key":      forge(t, app.Key, `{"alg":"ES256","kid":"another"}`, claims()),
		"crit":                                 forge(t, app.Key, header(`,"crit":["exp"],"exp":1`), claims()),
		"crit with what nobody knows":          forge(t, app.Key, header(`,"crit":["x"],"x":1`), claims()),
		"crit that is empty":                   forge(t, app.Key, header(`,"crit":[]`), claims()),
		"b64 false":                            forge(t, app.Key, header(`,"b64":false,"crit":["b64"]`), claims()),
		"b64 false without crit":               forge(t, app.Key, header(`,"b64":false`), claims()),
		"the algorithm of another key":         forge(t, app.Key, `{"alg":"EdDSA","kid":"`+app.Key.KeyID+`"}`, claims()),
		"RS256":                                forge(t, app.Key, `{"alg":"RS256","kid":"`+app.Key.KeyID+`"}`, claims()),
		"alg twice":                            forge(t, app.Key, `{"alg":"ES256","alg":"none","kid":"`+app.Key.KeyID+`"}`, claims()),
		"the signature of other claims":        splice(app.Key.Sign("JWT", app.AssertionClaims()), claims()),
		"a key that nobody registered":         forge(t, stranger, header(""), claims()),
		"a typ that is no text":                forge(t, app.Key, header(`,"typ":7`), claims()),
		"Sec117 nested ten deep":               nested(t, app.Key, claims(), 10),
		"Sec117 a million dots":                strings.Repeat(".", 60_000), // as many as a form may hold
		"Sec117 a header of 40 KiB":            forge(t, app.Key, header(`,"x":"`+strings.Repeat("x", 40<<10)+`"`), claims()),
		"Sec117 five parts, as of a JWE":       encode(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`) + "." + strings.Repeat("AAAA.", 3) + "AAAA",
		"Sec117 a JWE of a billion rounds":     encode(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"AAAA"}`) + ".AAAA.AAAA.AAAA.AAAA",
		"Sec117 a JWE with no encrypted key":   encode(`{"alg":"ECDH-ES+A128KW","enc":"A128GCM"}`) + "..AAAA.AAAA.AAAA",
		"Sec116 claims 10,000 deep":            forge(t, app.Key, header(""), `{"x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`,`+claims()[1:]),
		"Sec116 claims with a byte order mark": forge(t, app.Key, header(""), "\ufeff"+claims()),
		"Sec116 something behind the claims":   forge(t, app.Key, header(""), claims()+`{}`),
		"Sec116 claims in UTF-16":              forge(t, app.Key, header(""), utf16(claims())),
		"Sec116 claims that are a list":        forge(t, app.Key, header(""), "["+claims()+"]"),
	}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		attacks["alg "+alg] = encode(`{"alg":"`+alg+`"}`) + "." + encode(claims()) + "."
		attacks["alg "+alg+" with a signature"] = forge(t, app.Key, `{"alg":"`+alg+`"}`, claims())
	}
	for name, assertion := range attacks {
		t.Run(name, func(t *testing.T) {
			refused(t, asserting(t, p, app, assertion), http.StatusUnauthorized, "invalid_client")
		})
	}
	t.Run("a key for encryption", func(t *testing.T) {
		assertion := encrypting.Sign("JWT", encrypts.AssertionClaims())
		refused(t, asserting(t, p, encrypts, assertion), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("nothing was fetched", func(t *testing.T) {
		if asked := attackers.received(); len(asked) != 0 {
			t.Errorf("%d requests went to where a header pointed", len(asked))
		}
	})
	t.Run("and a good one works", func(t *testing.T) {
		proven(t, asserting(t, p, app, forge(t, app.Key, header(""), claims())))
	})
}

// splice gives a JWT another payload and keeps its signature.
func splice(token, payload string) string {
	parts := strings.Split(token, ".")
	return parts[0] + "." + encode(payload) + "." + parts[2]
}

// nested signs what was signed, again and again.
func nested(t *testing.T, key *platformtest.Key, payload string, deep int) string {
	t.Helper()
	for range deep {
		payload = forge(t, key, `{"alg":"ES256","cty":"JWT","kid":"`+key.KeyID+`"}`, payload)
	}
	return payload
}

func utf16(text string) string {
	var out strings.Builder
	for _, r := range text {
		out.WriteString(string([]byte{byte(r), 0}))
	}
	return out.String()
}

func TestSec048_AnAssertionIsForThisServer(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	plain := p.AddKeyApp(t, nil)
	strict := p.AddKeyApp(t, func(c *loop.Client) { c.Protocol.Profile, c.Protocol.DPoPBound = loop.ProfileFAPI2, true })
	token := platformtest.Identity + "/v1/oauth/token"
	for name, test := range map[string]struct {
		audience       any
		plain, profile bool // whether it is taken
	}{
		"the issuer":                             {platformtest.Identity, true, true},
		"the token endpoint":                     {token, true, false},
		"the issuer in a list":                   {[]string{platformtest.Identity}, false, false},
		"the issuer and a foreign server":        {[]string{platformtest.Identity, "https://evil.example"}, false, false},
		"a foreign server and the issuer":        {[]string{"https://evil.example", platformtest.Identity}, false, false},
		"another server's token endpoint":        {"https://evil.example/v1/oauth/token", false, false},
		"the beginning of ours":                  {"https://identity.platform", false, false},
		"ours and more":                          {platformtest.Identity + ".evil.example", false, false},
		"the issuer with a slash":                {platformtest.Identity + "/", false, false},
		"the token endpoint with a slash":        {token + "/", false, false},
		"another case":                           {strings.ToUpper(platformtest.Identity), false, false},
		"both in one text":                       {platformtest.Identity + " " + token, false, false},
		"another endpoint of ours":               {platformtest.Identity + "/v1/oauth/authorize", false, false},
		"another host of ours":                   {platformtest.Clinical, false, false},
		"none":                                   {nil, false, false},
		"a number":                               {1, false, false},
		"an object with the issuer as a member":  {map[string]any{platformtest.Identity: true}, false, false},
		"a list of nothing":                      {[]string{}, false, false},
		"the client itself, as of an ID token":   {string(plain.ID), false, false},
		"the issuer before a line break":         {platformtest.Identity + "\n", false, false},
		"the issuer with user info before it":    {"https://x@identity.platform.test", false, false},
		"the issuer with its default port":       {platformtest.Identity + ":443", false, false},
		"the issuer by another scheme":           {"http://identity.platform.test", false, false},
		"the token endpoint with a query":        {token + "?x", false, false},
		"the token endpoint with an extra slash": {platformtest.Identity + "//v1/oauth/token", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for app, taken := range map[*platformtest.App]bool{plain: test.plain, strict: test.profile} {
				claims := app.AssertionClaims()
				claims["aud"] = test.audience
				r := asserting(t, p, app, app.Key.Sign("JWT", claims))
				if past := r.JSON(t)["error"] != "invalid_client"; past != taken {
					t.Errorf("profile %s: %d %s, want taken %v", app.Protocol.Profile, r.StatusCode, r.Text, taken)
				}
			}
		})
	}
}

func TestSec049_AnAssertionWorksOnceAndForItsTime(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other := p.AddKeyApp(t, nil), p.AddKeyApp(t, nil)
	now := p.World.Now()
	for name, change := range map[string]map[string]any{
		"no jti":                     {"jti": nil},
		"an empty jti":               {"jti": ""},
		"a jti that is no text":      {"jti": 7},
		"a jti of 10 KiB":            {"jti": strings.Repeat("j", 10<<10)},
		"no exp":                     {"exp": nil},
		"exp in the past":            {"exp": now.Add(-time.Second).Unix()},
		"exp now":                    {"exp": now.Unix()},
		"exp in ten years":           {"exp": now.AddDate(10, 0, 0).Unix()},
		"exp in two hours":           {"exp": now.Add(2 * time.Hour).Unix()},
		"exp beyond the year 9999":   {"exp": 1e300},
		"exp below zero":             {"exp": -1},
		"exp as text":                {"exp": "never"},
		"iat in ten minutes":         {"iat": now.Add(10 * time.Minute).Unix(), "exp": now.Add(20 * time.Minute).Unix()},
		"nbf in ten minutes":         {"nbf": now.Add(10 * time.Minute).Unix(), "exp": now.Add(20 * time.Minute).Unix()},
		"iss is not sub":             {"iss": string(other.ID)},
		"sub is not iss":             {"sub": string(other.ID)},
		"of another client":          {"iss": string(other.ID), "sub": string(other.ID)},
		"no iss":                     {"iss": nil},
		"no sub":                     {"sub": nil},
		"iss in capitals alone":      {"iss": nil, "ISS": string(app.ID)},
		"sub with a long s":          {"sub": nil, "\u017fub": string(app.ID)},
		"aud in capitals alone":      {"aud": nil, "Aud": platformtest.Identity},
		"jti in capitals alone":      {"jti": nil, "JTI": "x"},
		"exp twice, in another case": {"exp": now.AddDate(10, 0, 0).Unix(), "Exp": now.Add(time.Minute).Unix()},
	} {
		t.Run(name, func(t *testing.T) {
			claims := app.AssertionClaims()
			for claim, value := range change {
				if claims[claim] = value; value == nil {
					delete(claims, claim)
				}
			}
			refused(t, asserting(t, p, app, app.Key.Sign("JWT", claims)), http.StatusUnauthorized, "invalid_client")
		})
	}
	t.Run("a claim twice", func(t *testing.T) {
		claims := toJSON(t, app.AssertionClaims())
		twice := forge(t, app.Key, `{"alg":"ES256"}`, `{"sub":"`+string(other.ID)+`",`+claims[1:])
		refused(t, asserting(t, p, app, twice), http.StatusUnauthorized, "invalid_client")
	})

	used := app.Key.Sign("JWT", app.AssertionClaims())
	proven(t, asserting(t, p, app, used))
	t.Run("used before", func(t *testing.T) {
		refused(t, asserting(t, p, app, used), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("used before at another endpoint", func(t *testing.T) {
		claims := app.AssertionClaims()
		text := app.Key.Sign("JWT", claims)
		form := url.Values{"token": {"x"}, "client_assertion_type": {platformtest.AssertionType}, "client_assertion": {text}}
		if r := p.Post(t, platformtest.Identity+"/v1/oauth/revoke", form, nil); r.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", r.StatusCode, r.Text)
		}
		refused(t, asserting(t, p, app, text), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("the same jti in another assertion", func(t *testing.T) {
		claims := app.AssertionClaims()
		proven(t, asserting(t, p, app, app.Key.Sign("JWT", claims)))
		claims["exp"] = now.Add(2 * time.Minute).Unix()
		refused(t, asserting(t, p, app, app.Key.Sign("JWT", claims)), http.StatusUnauthorized, "invalid_client")
	})
	t.Run("another client's jti is its own", func(t *testing.T) {
		claims := app.AssertionClaims()
		proven(t, asserting(t, p, app, app.Key.Sign("JWT", claims)))
		theirs := other.AssertionClaims()
		theirs["jti"] = claims["jti"]
		proven(t, asserting(t, p, other, other.Key.Sign("JWT", theirs)))
	})
	t.Run("what is refused uses no jti up", func(t *testing.T) {
		claims := app.AssertionClaims()
		forged := platformtest.NewKey(t)
		refused(t, asserting(t, p, app, forged.Sign("JWT", claims)), http.StatusUnauthorized, "invalid_client")
		proven(t, asserting(t, p, app, app.Key.Sign("JWT", claims)))
	})
	t.Run("fifty at once: one passes", func(t *testing.T) {
		text := app.Key.Sign("JWT", app.AssertionClaims())
		var passed atomic.Int32
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if asserting(t, p, app, text).StatusCode == http.StatusBadRequest {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		if passed.Load() != 1 {
			t.Errorf("%d passed", passed.Load())
		}
	})
	t.Run("after a restart, and until it expires", func(t *testing.T) {
		claims := app.AssertionClaims()
		claims["exp"] = now.Add(time.Hour).Unix()
		text := app.Key.Sign("JWT", claims)
		proven(t, asserting(t, p, app, text))
		p.Restart(t)
		for range 3 {
			refused(t, asserting(t, p, app, text), http.StatusUnauthorized, "invalid_client")
			p.World.Advance(20*time.Minute - time.Second)
			if err := p.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		refused(t, asserting(t, p, app, text), http.StatusUnauthorized, "invalid_client")
	})
}

func TestSec049_NoClientPinsRowsForYears(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddKeyApp(t, nil)
	for range 20 {
		claims := app.AssertionClaims()
		claims["exp"] = p.World.Now().Add(time.Hour).Unix() // as long as it may be
		proven(t, asserting(t, p, app, app.Key.Sign("JWT", claims)))
	}
	if kept := p.Count(t, "identity", "assertions"); kept != 20 {
		t.Errorf("%d uses are remembered, want 20", kept)
	}
	p.World.Advance(26 * time.Hour) // a day more, in case a clock is set back
	if err := p.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept := p.Count(t, "identity", "assertions"); kept != 0 {
		t.Errorf("a day after they expired %d are kept", kept)
	}
}

func TestSec050_WhatWasSignedForOneUseIsTakenForNoOther(t *testing.T) {
	t.Parallel()
	heard := newReceiver(t)
	p := withReceiver(t)
	app := p.AddKeyApp(t, func(c *loop.Client) { c.Protocol.BackchannelLogoutURI = heard.URL + "/logout" })
	ada, b := p.AddMember(t, "Ada"), p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	elsewhere := p.NewBrowser(t)
	app.Redeem(app.Code(elsewhere, ada)).Pair(t)
	signOut(t, elsewhere)
	deliver(t, p)
	logoutTokens := heard.received()
	if len(logoutTokens) != 1 {
		t.Fatalf("%d logout tokens came", len(logoutTokens))
	}
	all := maps.Clone(app.AssertionClaims()) // good as an assertion, but for the type
	for name, value := range p.ProofClaims(http.MethodPost, platformtest.Identity+"/v1/oauth/token", "") {
		all[name] = value
	}
	signed := app.Signed(app.Request()).Get("request")

	for name, assertion := range map[string]string{
		"an ID token":    tokens.ID,
		"a logout token": logoutTokens[0],
		"a DPoP proof":   app.Key.Proof(p.ProofClaims(http.MethodPost, platformtest.Identity+"/v1/oauth/token", "")),
		"a DPoP proof with an assertion's claims": app.Key.Proof(all),
		"a request object":                        signed,
		"a request object with all the claims":    app.Key.Sign("oauth-authz-req+jwt", app.AssertionClaims()),
		"a logout token's type":                   app.Key.Sign("logout+jwt", app.AssertionClaims()),
		"an access token's type":                  app.Key.Sign("at+jwt", app.AssertionClaims()),
		"an access token":                         tokens.Access,
		"a refresh token":                         tokens.Refresh,
	} {
		t.Run(name+" as assertion", func(t *testing.T) {
			refused(t, asserting(t, p, app, assertion), http.StatusUnauthorized, "invalid_client")
		})
	}
	for name, hint := range map[string]string{
		"an access token":          tokens.Access,
		"a refresh token":          tokens.Refresh,
		"a logout token":           logoutTokens[0],
		"a client's assertion":     app.Key.Sign("JWT", app.AssertionClaims()),
		"an ID token of the app's": app.Key.Sign("JWT", claims(t, tokens.ID)),
	} {
		t.Run(name+" as id_token_hint", func(t *testing.T) {
			answer := b.Authorize(with(app.Request(), "prompt", "none", "id_token_hint", hint)).Redirected(t).Query()
			if answer.Get("error") != "invalid_request" || answer.Has("code") {
				t.Errorf("authorize answers %v", answer)
			}
			r := b.Get(platformtest.Identity + "/v1/oauth/logout?" + url.Values{"id_token_hint": {hint}}.Encode())
			if r.StatusCode != http.StatusBadRequest || r.Header.Get("Location") != "" {
				t.Errorf("logout answers %d %s", r.StatusCode, r.Header.Get("Location"))
			}
		})
	}
	t.Run("an assertion as request object", func(t *testing.T) {
		r := app.Send("/v1/oauth/par", url.Values{"request": {app.Key.Sign("JWT", app.AssertionClaims())}}, nil)
		refused(t, r, http.StatusBadRequest, "invalid_request_object")
	})
	t.Run("a request object that could be an assertion", func(t *testing.T) {
		claims := app.AssertionClaims()
		claims["nbf"], claims["client_id"] = claims["iat"], string(app.ID)
		for name, values := range app.Request() {
			claims[name] = values[0]
		}
		r := app.Send("/v1/oauth/par", url.Values{"request": {app.Key.Sign("JWT", claims)}}, nil)
		refused(t, r, http.StatusBadRequest, "invalid_request_object")
	})
	t.Run("an assertion as DPoP proof", func(t *testing.T) {
		header := http.Header{"Dpop": {app.Key.Sign("JWT", all)}}
		refused(t, app.Send("/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}}, header), http.StatusBadRequest, "invalid_dpop_proof")
	})
	t.Run("Sec099 an ID token, an assertion and a proof as access token", func(t *testing.T) {
		for _, token := range []string{tokens.ID, logoutTokens[0], app.Key.Sign("JWT", all), app.Key.Proof(all), app.Key.Sign("at+jwt", all)} {
			for _, r := range []*platformtest.Response{p.Biomarkers(t, token), p.UserInfo(t, token)} {
				if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" {
					t.Errorf("it is answered %d %s", r.StatusCode, r.Text)
				}
			}
		}
	})
	t.Run("and the app's own refresh works", func(t *testing.T) {
		app.Redeem(app.Code(b, ada)).Pair(t)
	})
}

func TestSec051_ClocksMayDifferByALittle(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddKeyApp(t, nil)
	now := p.World.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, test := range map[string]struct {
		change map[string]any
		taken  bool
	}{
		"iat 10 s ahead":                          {map[string]any{"iat": at(10 * time.Second)}, true},
		"nbf 10 s ahead":                          {map[string]any{"nbf": at(10 * time.Second)}, true},
		"iat 60 s ahead":                          {map[string]any{"iat": at(60 * time.Second), "exp": at(2 * time.Minute)}, false},
		"nbf 60 s ahead":                          {map[string]any{"nbf": at(60 * time.Second), "exp": at(2 * time.Minute)}, false},
		"iat 60 s behind, exp still ahead":        {map[string]any{"iat": at(-60 * time.Second)}, true},
		"exp a second ago":                        {map[string]any{"exp": at(-time.Second)}, false},
		"a clock 10 s ahead, an hour's assertion": {map[string]any{"iat": at(10 * time.Second), "exp": at(time.Hour + 10*time.Second)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			claims := app.AssertionClaims()
			maps.Copy(claims, test.change)
			r := asserting(t, p, app, app.Key.Sign("JWT", claims))
			if past := r.JSON(t)["error"] != "invalid_client"; past != test.taken {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
		})
	}
	t.Run("no tolerance for what we made ourselves", func(t *testing.T) {
		ada, b := p.AddMember(t, "Ada"), p.NewBrowser(t)
		code := app.Code(b, ada)
		p.World.Advance(time.Minute - time.Microsecond)
		tokens := app.Redeem(code).Pair(t)
		late := app.Code(b, ada)
		p.World.Advance(time.Minute)
		refused(t, app.Redeem(late), http.StatusBadRequest, "invalid_grant")
		p.World.Advance(time.Hour - time.Minute - time.Microsecond)
		if r := p.UserInfo(t, tokens.Access); r.StatusCode != http.StatusOK {
			t.Errorf("a microsecond before it expires: %d", r.StatusCode)
		}
		p.World.Advance(time.Microsecond)
		if r := p.UserInfo(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("the moment that it expires: %d", r.StatusCode)
		}
	})
}

// keyServer serves a key set and counts who asks.
type keyServer struct {
	*httptest.Server
	asked atomic.Int32
	serve atomic.Pointer[http.HandlerFunc]
}

func newKeyServer(t *testing.T) *keyServer {
	t.Helper()
	s := &keyServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		(*s.serve.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) answers(h http.HandlerFunc) { s.serve.Store(&h) }

func TestSec113_KeysThatAreFetched(t *testing.T) {
	t.Parallel()
	p := withReceiver(t)
	key, server := platformtest.NewKey(t), newKeyServer(t)
	set := func(key *platformtest.Key) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(key.Set())
		}
	}
	app := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.KeySetURI = loop.AuthPrivateKeyJWT, server.URL+"/jwks.json"
	})
	assert := func(t *testing.T, key *platformtest.Key) *platformtest.Response {
		t.Helper()
		return asserting(t, p, app, key.Sign("JWT", app.AssertionClaims()))
	}
	other := newKeyServer(t) // where redirects lead
	other.answers(set(key))
	for name, serve := range map[string]http.HandlerFunc{
		"a redirect to where the keys are": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) },
		"an answer without end": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(strings.Repeat(" ", 2<<20)))
			set(key)(w, r)
		},
		"another content type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(key.Set())
		},
		"an error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, string(key.Set()), http.StatusNotFound) },
		"the private key": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"keys":[` + toJSON(t, key.JSONWebKey) + `]}`))
		},
		"no keys": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"keys":[]}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			server.answers(serve)
			p.World.Advance(time.Minute)
			refused(t, assert(t, key), http.StatusUnauthorized, "invalid_client")
			if strings.Contains(p.Log.String(), "d\":") {
				t.Error("the log holds a key")
			}
		})
	}
	if other.asked.Load() != 0 {
		t.Error("a redirect was followed")
	}

	server.answers(set(key))
	p.World.Advance(time.Minute)
	proven(t, assert(t, key))
	t.Run("RFC 7517 §5 keys of other kinds beside it are passed over", func(t *testing.T) {
		private, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		server.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/jwk-set+json")
			_, _ = w.Write([]byte(`{"keys":[
				{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","use":"enc"},
				{"kty":"of tomorrow","kid":"x"},
				` + toJSON(t, platformtest.KeyOf(t, private, jose.ES384).Public()) + `,
				` + toJSON(t, key.Public()) + `]}`))
		})
		p.World.Advance(11 * time.Minute) // the set of before is kept for ten
		proven(t, assert(t, key))
	})
	server.answers(set(key))
	t.Run("a flood of unknown keys is one request in half a minute", func(t *testing.T) {
		before := server.asked.Load()
		for range 50 {
			refused(t, assert(t, platformtest.NewKey(t)), http.StatusUnauthorized, "invalid_client")
		}
		if asked := server.asked.Load() - before; asked > 1 {
			t.Errorf("the app's server was asked %d times", asked)
		}
	})
	t.Run("a new key works soon, and the old one no more", func(t *testing.T) {
		next := platformtest.NewKey(t)
		server.answers(set(next))
		p.World.Advance(time.Minute)
		proven(t, assert(t, next))
		refused(t, assert(t, key), http.StatusUnauthorized, "invalid_client")
	})
}

func TestSec113_KeySetsOfInnerHostsAreNotRegistered(t *testing.T) {
	t.Parallel()
	p := platformtest.NewWith(t, func(c *platform.Config) { c.FetchHosts = nil })
	for _, address := range []string{
		"https://127.0.0.1/k", "https://10.0.0.1/k", "https://169.254.169.254/latest", "https://[::1]/k", "https://localhost/k", "http://app.example.com/k",
		"https://app.example.com:22/k", "https://app.example.com:6379/k", "file:///etc/passwd", "gopher://app.example.com/k",
		platformtest.Identity + "/.well-known/jwks.json", platformtest.Clinical + "/k", "https://2130706433/k", "https://u:p@app.example.com/k",
	} {
		err := p.Run(t, "client", "create", "--name", "Labs", "--redirect-uri", platformtest.Callback,
			"--token-endpoint-auth-method", "private_key_jwt", "--jwks-uri", address)
		if err == nil || !strings.HasPrefix(err.Error(), "loop: ") {
			t.Errorf("%s is registered: %v", address, err)
		}
	}
}
