package identity_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestSec019_Sec020_EveryAnswerIsASeeOtherOfThisIssuer(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	issuer := metadata(t, p)["issuer"]
	answered := func(t *testing.T, r *platformtest.Response) {
		t.Helper()
		to := r.Redirected(t) // 303: a browser repeats no password to the app
		if got := to.Query()["iss"]; len(got) != 1 || got[0] != issuer {
			t.Errorf("iss is %q, want %s", got, issuer)
		}
		if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Referrer-Policy") != "no-referrer" || to.Fragment != "" {
			t.Errorf("it may be kept, or passed on: %v", r.Header)
		}
	}
	b := p.NewBrowser(t)
	page := b.Follow(b.Authorize(app.Request()))
	posted := b.Post(platformtest.Identity+"/signin", url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "email": {string(ada.Email)}, "password": {platformtest.Password},
	})
	if posted.StatusCode != http.StatusSeeOther {
		t.Errorf("the sign-in is answered %d", posted.StatusCode)
	}
	consent := b.Follow(posted)
	answered(t, b.Decide(consent, "allow", "profile", "read:biomarkers"))
	for name, changes := range map[string][]string{
		"a remembered consent": nil, "prompt=none": {"prompt", "none"}, "a bad scope": {"scope", "x"}, "no state": {"state", ""}, "another response type": {"response_type", "token"},
		"an empty challenge": {"code_challenge", ""}, "an issuer of its own": {"iss", "https://evil.example"},
	} {
		t.Run(name, func(t *testing.T) { answered(t, b.Authorize(with(app.Request(), changes...))) })
	}
	t.Run("a denial", func(t *testing.T) {
		answered(t, b.Decide(b.Follow(b.Authorize(with(app.Request(), "prompt", "consent"))), "deny"))
	})
	t.Run("nobody signed in", func(t *testing.T) { answered(t, p.NewBrowser(t).Authorize(with(app.Request(), "prompt", "none"))) })
	t.Run("form_post", func(t *testing.T) {
		if r := b.Authorize(with(app.Request(), "response_mode", "form_post")); r.Field("iss") != issuer {
			t.Errorf("iss is %q", r.Field("iss"))
		}
	})
	t.Run("a redirect URI with a query of its own", func(t *testing.T) {
		odd := p.AddApp(t, func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{"https://app.example.com/cb?tenant=1&x=%2F"} })
		r := b.Authorize(with(odd.Request(), "prompt", "none"))
		answered(t, r)
		if !strings.HasPrefix(r.Header.Get("Location"), "https://app.example.com/cb?tenant=1&x=%2F&") {
			t.Errorf("it leads to %s", r.Header.Get("Location"))
		}
	})
}

func TestSec024_ACodeOfAnotherAttemptIsNone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada, mallory := p.AddApp(t, nil), p.AddMember(t, "Ada"), p.AddMember(t, "Mallory")
	own := strings.Repeat("attackers-own-verifier", 3)
	stolen := app.Code(p.NewBrowser(t), ada)
	p.NewBrowser(t).Allow(with(app.Request(), "code_challenge", platformtest.Challenge(own)), mallory)
	redeem := func(code, verifier string) *platformtest.Response {
		return app.Token(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {platformtest.Callback}, "code_verifier": {verifier}})
	}
	refused(t, redeem(stolen, own), http.StatusBadRequest, "invalid_grant")
	redeem(stolen, platformtest.Verifier).Pair(t) // nothing was used up
}

func TestSec026_AReplayOfACodeEndsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	for name, app := range map[string]*platformtest.App{
		"a confidential app": p.AddApp(t, nil), "a public app": p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public }), "an app with a key": p.AddKeyApp(t, nil),
	} {
		t.Run(name, func(t *testing.T) {
			code := app.Code(p.NewBrowser(t), ada)
			first := app.Redeem(code).Pair(t)
			next := app.Refresh(first.Refresh).Pair(t)
			wrong := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {platformtest.Callback}, "code_verifier": {strings.Repeat("x", 50)}}
			refused(t, app.Token(wrong), http.StatusBadRequest, "invalid_grant")
			if r := p.UserInfo(t, next.Access); r.StatusCode != http.StatusOK {
				t.Fatalf("without the verifier it ended something: %d", r.StatusCode)
			}
			refused(t, app.Redeem(code), http.StatusBadRequest, "invalid_grant")
			for _, access := range []string{first.Access, next.Access} {
				if r := p.UserInfo(t, access); r.StatusCode != http.StatusUnauthorized {
					t.Errorf("an access token works: %d", r.StatusCode)
				}
			}
			refused(t, app.Refresh(next.Refresh), http.StatusBadRequest, "invalid_grant")
			refused(t, app.Redeem(code), http.StatusBadRequest, "invalid_grant")
		})
	}
}

func TestSec028_Sec029_WhatIsNotACodeIsNone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	code := app.Code(b, ada)
	cases := map[string]string{
		"changed": flip(code), "cut short": code[:len(code)-1], "without its end": code[:20], "longer": code + "A", "twice": code + code, "without its prefix": strings.TrimPrefix(code, "lph_ac_"),
		"with another prefix": "lph_at_" + strings.TrimPrefix(code, "lph_ac_"), "in capitals": strings.ToUpper(code), "with padding": code + "=", "with a space": code + " ",
		"an access token": tokens.Access, "an access token's text as a code": "lph_ac_" + strings.TrimPrefix(tokens.Access, "lph_at_"), "a refresh token": tokens.Refresh,
		"a refresh token's text as a code": "lph_ac_" + strings.TrimPrefix(tokens.Refresh, "lph_rt_"), "an ID token": tokens.ID, "a secret": app.Secret,
		"a pushed request": push(t, app, app.Request()), "a nonce": p.OAuth.Tokens.NewNonce(), "a nonce as a code": "lph_ac_" + p.OAuth.Tokens.NewNonce(), "an id": "chain_01HXY00000000000000000000Z",
	}
	for _, c := range b.Cookies(platformtest.Identity) {
		cases["the cookie "+c.Name] = c.Value
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) { refused(t, app.Redeem(text), http.StatusBadRequest, "invalid_grant") })
	}
	t.Run("the code itself, for 60 seconds", func(t *testing.T) {
		p.World.Advance(time.Minute - time.Microsecond)
		late := app.Code(b, ada)
		app.Redeem(code).Pair(t)
		p.World.Advance(61 * time.Second)
		refused(t, app.Redeem(late), http.StatusBadRequest, "invalid_grant")
	})
}

func TestSec040_ARequestCannotBeChangedOnItsWay(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	app2, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, "https://app.example.com/other") })
	if err != nil || len(app2.RedirectURIs) != 2 {
		t.Fatal(err)
	}
	request := with(app.Request(), "scope", "openid profile", "nonce", "own", "claims", `{"id_token":{"name":null}}`, "resource", platformtest.Identity, "prompt", "login consent", "response_mode", "query")
	changed := with(app.Request(), "client_id", string(other.ID), "redirect_uri", "https://app.example.com/other", "scope", "openid email read:biomarkers", "nonce", "changed", "state", "changed",
		"code_challenge", platformtest.Challenge(strings.Repeat("x", 50)), "resource", platformtest.Clinical, "claims", "{}", "prompt", "none", "response_mode", "form_post", "max_age", "0", "dpop_jkt", platformtest.NewKey(t).Thumbprint())
	carry := func(fields url.Values) url.Values { // what was changed stands beside, in the form and in the address
		for name, values := range changed {
			if name != "scope" {
				fields[name] = values
			}
		}
		return fields
	}
	b := p.NewBrowser(t)
	page := b.Follow(b.Authorize(request))
	r := b.Get(platformtest.Identity + "/signin?" + carry(url.Values{"continue": {page.Field("continue")}}).Encode())
	consent := b.Follow(b.Post(platformtest.Identity+"/signin?"+changed.Encode(), carry(url.Values{
		"csrf": {r.Field("csrf")}, "continue": {r.Field("continue")}, "email": {string(ada.Email)}, "password": {platformtest.Password},
	})))
	if !strings.Contains(consent.Text, `id="scope-profile"`) || strings.Contains(consent.Text, "lab results</") || strings.Contains(consent.Text, `id="scope-email"`) {
		t.Fatalf("the consent page asks for something else: %s", consent.Text)
	}
	answer := b.Post(platformtest.Identity+"/consent?"+changed.Encode(), carry(url.Values{
		"csrf": {consent.Field("csrf")}, "continue": {consent.Field("continue")}, "ticket": {consent.Field("ticket")}, "decision": {"allow"}, "scope": {"profile"},
	})).Redirected(t)
	if !strings.HasPrefix(answer.String(), platformtest.Callback+"?") || answer.Query().Get("state") != request.Get("state") {
		t.Fatalf("the answer goes to %s", answer)
	}
	tokens := app.Redeem(answer.Query().Get("code")).Pair(t)
	id := claims(t, tokens.ID)
	if tokens.Scope != "openid profile" || id["nonce"] != "own" || id["name"] != "Ada" || id["aud"] != string(app.ID) {
		t.Errorf("scope %q, claims %v", tokens.Scope, id)
	}
	if p.UserInfo(t, tokens.Access).StatusCode != http.StatusOK || p.Biomarkers(t, tokens.Access).StatusCode != http.StatusUnauthorized {
		t.Error("the resource of the request got lost")
	}
	t.Run("a continuation or a ticket that was changed", func(t *testing.T) {
		b, page := consentPage(p, t, with(app.Request(), "prompt", "consent"), ada)
		for _, name := range []string{"continue", "ticket"} {
			for _, changed := range []string{flip(page.Field(name)), page.Field(name)[:20], page.Field(name) + "AA", "", strings.Repeat("A", 200)} {
				fields := url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")}, "decision": {"allow"}, "scope": {"profile"}}
				fields.Set(name, changed)
				if to := b.Post(platformtest.Identity+"/consent", fields).Header.Get("Location"); strings.Contains(to, "code=") {
					t.Errorf("%s of %d bytes: it leads to %s", name, len(changed), to)
				}
			}
		}
	})
	t.Run("the page of one request with the ticket of another", func(t *testing.T) {
		b, one := consentPage(p, t, with(app.Request(), "scope", "openid profile", "prompt", "consent"), ada)
		two := b.Follow(b.Authorize(with(app.Request(), "scope", "openid profile email", "prompt", "consent")))
		r := b.Post(platformtest.Identity+"/consent", url.Values{
			"csrf": {one.Field("csrf")}, "continue": {two.Field("continue")}, "ticket": {one.Field("ticket")}, "decision": {"allow"}, "scope": {"profile"},
		})
		if strings.Contains(r.Header.Get("Location"), "code=") {
			t.Errorf("it leads to %s", r.Header.Get("Location"))
		}
	})
	if slices.Contains(strings.Fields(tokens.Scope), "email") {
		t.Error("a scope was added")
	}
}

func TestSec128_NobodySaysOfThemselvesThatTheyAreLoops(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	own := p.AddApp(t, func(c *loop.Client) { c.FirstParty = true })
	keyed := p.AddKeyApp(t, nil)
	b := p.NewBrowser(t)
	b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
	asked := func(t *testing.T, r *platformtest.Response) {
		t.Helper()
		if page := b.Follow(r); !strings.Contains(page.Text, `id="allow"`) {
			t.Errorf("nobody is asked: %d %s", page.StatusCode, page.Header.Get("Location"))
		}
	}
	forged := []string{"scope", "openid profile email", "is_first_party", "true", "first_party", "1", "skip_consent", "true", "trusted", "true"}
	t.Run("in the request", func(t *testing.T) { asked(t, b.Authorize(with(app.Request(), forged...))) })
	t.Run("in a pushed request", func(t *testing.T) { asked(t, b.Authorize(byHandle(app, push(t, app, with(app.Request(), forged...))))) })
	t.Run("in a signed request", func(t *testing.T) { asked(t, b.Authorize(keyed.Signed(with(keyed.Request(), forged...)))) })
	t.Run("Loop's own, with a scope beyond its list", func(t *testing.T) {
		for _, scope := range []string{"openid read:biomarkers", "openid profile email read:biomarkers", "read:biomarkers"} {
			asked(t, b.Authorize(with(own.Request(), "scope", scope)))
			if got := b.Authorize(with(own.Request(), "scope", scope, "prompt", "none")).Redirected(t).Query(); got.Get("error") != "consent_required" {
				t.Errorf("%q: got %v", scope, got)
			}
		}
		asked(t, b.Authorize(with(own.Request(), "scope", "openid", "claims", `{"userinfo":{"email":null}}`, "prompt", "consent")))
	})
	t.Run("Loop's own within its list, without being asked", func(t *testing.T) {
		if got := b.Authorize(with(own.Request(), "scope", "openid email")).Redirected(t).Query(); got.Get("code") == "" {
			t.Errorf("got %v", got)
		}
	})
	t.Run("Loop's own once it is disabled", func(t *testing.T) {
		if _, err := p.Clients.SetEnabled(t.Context(), own.ID, operator, false); err != nil {
			t.Fatal(err)
		}
		onPage(t, b.Authorize(with(own.Request(), "scope", "openid email")), "disabled")
	})
}

func TestSec025_ACodeIsItsClientsAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, b := p.AddMember(t, "Ada"), p.NewBrowser(t)
	kinds := map[string]*platformtest.App{
		"a confidential app": p.AddApp(t, nil),
		"a public app":       p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public }),
		"an app with a key":  p.AddKeyApp(t, nil),
	}
	for owner, app := range kinds {
		nobodyElse := func(t *testing.T, code string) {
			t.Helper()
			for thief, other := range kinds {
				if thief != owner {
					refused(t, other.Redeem(code), http.StatusBadRequest, "invalid_grant")
				}
			}
			form := url.Values{
				"grant_type": {"authorization_code"}, "client_id": {string(app.ID)}, "code": {code},
				"redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
			}
			if app.Type == loop.Confidential { // by its name, without its proof
				refused(t, p.Post(t, tokenAddress, form, nil), http.StatusUnauthorized, "invalid_client")
				return
			}
			refused(t, p.Post(t, tokenAddress, with(form, "code_verifier", strings.Repeat("x", 50)), nil), http.StatusBadRequest, "invalid_grant")
		}
		t.Run("of "+owner, func(t *testing.T) {
			code := app.Code(b, ada)
			nobodyElse(t, code)
			tokens := app.Redeem(code).Pair(t) // nothing was spent
			nobodyElse(t, code)
			if r := p.UserInfo(t, tokens.Access); r.StatusCode != http.StatusOK {
				t.Errorf("an attempt on a used code ended something: %d", r.StatusCode)
			}
			app.Refresh(tokens.Refresh).Pair(t)
		})
	}
}

func TestSec036_AHintThatIsForgedOrForeignSaysNothing(t *testing.T) {
	t.Parallel()
	p, elsewhere := platformtest.New(t), platformtest.New(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	own := app.Redeem(app.Code(b, ada)).Pair(t)
	foreign := other.Redeem(other.Code(b, ada)).Pair(t).ID
	apart := elsewhere.AddApp(t, nil)
	another := apart.Redeem(apart.Code(elsewhere.NewBrowser(t), elsewhere.AddMember(t, "Ada"))).Pair(t).ID
	body := toJSON(t, claims(t, own.ID))
	key := platformtest.NewKey(t)
	for name, hint := range map[string]string{
		"another app's": foreign, "another server's": another, "alg none": encode(`{"alg":"none","typ":"JWT"}`) + "." + encode(body) + ".",
		"another key's":                    key.Sign("JWT", claims(t, own.ID)),
		"other claims under its signature": splice(own.ID, toJSON(t, map[string]any{"iss": platformtest.Identity, "sub": ada.ID, "aud": app.ID})),
		"an access token":                  own.Access, "a refresh token": own.Refresh, "cut short": own.ID[:len(own.ID)-4], "twice": own.ID + "." + own.ID, "its claims alone": strings.Split(own.ID, ".")[1],
	} {
		t.Run(name, func(t *testing.T) {
			for _, prompt := range []string{"none", "login", ""} {
				got := b.Authorize(with(app.Request(), "id_token_hint", hint, "prompt", prompt)).Redirected(t).Query()
				if got.Get("error") != "invalid_request" || got.Has("code") {
					t.Errorf("prompt=%s: got %v", prompt, got)
				}
			}
		})
	}
	t.Run("its own is one", func(t *testing.T) {
		if got := b.Authorize(with(app.Request(), "id_token_hint", own.ID, "prompt", "none")).Redirected(t).Query(); !got.Has("code") {
			t.Errorf("got %v", got)
		}
	})
}

func TestRedeem_AnEmptyCodeSaysToReadTheError(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	for _, code := range []string{"", " "} {
		r := app.Redeem(code)
		refused(t, r, http.StatusBadRequest, "invalid_request")
		if text, _ := r.JSON(t)["error_description"].(string); !strings.Contains(text, "read error and error_description") {
			t.Errorf("code=%q: %s", code, text)
		}
	}
}

func TestRedeem_FAPI2_AMissingVerifierIsAGrantThatIsNotProven(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddKeyApp(t, func(c *loop.Client) { c.Protocol.Profile, c.Protocol.DPoPBound = loop.ProfileFAPI2, true })
	const path = "/v1/oauth/token"
	form := url.Values{"grant_type": {"authorization_code"}, "code": {"lph_ac_x"}, "redirect_uri": {platformtest.Callback}}
	r := app.Send(path, form, p.WithProof(app.Key, http.MethodPost, platformtest.Identity+path, ""))
	refused(t, r, http.StatusBadRequest, "invalid_grant")
	if r.JSON(t)["field"] != "code_verifier" {
		t.Errorf("got %s", r.Text)
	}
}

func TestAuthorize_RFC6749_3_1_2_TheQueryOfARedirectURIStaysAsItIs(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for uri, begins := range map[loop.RedirectURI]string{
		"https://app.example.com/cb":      "https://app.example.com/cb?error=",
		"https://app.example.com/cb?":     "https://app.example.com/cb?error=",
		"https://app.example.com/cb?a=1":  "https://app.example.com/cb?a=1&error=",
		"https://app.example.com/cb?a=1&": "https://app.example.com/cb?a=1&error=",
		"https://app.example.com/cb?a=?":  "https://app.example.com/cb?a=?&error=",
	} {
		app := p.AddApp(t, func(c *loop.Client) { c.RedirectURIs = []loop.RedirectURI{uri} })
		to := p.NewBrowser(t).Authorize(with(app.Request(), "prompt", "none")).Header.Get("Location")
		if !strings.HasPrefix(to, begins) {
			t.Errorf("%s: the answer is %s", uri, to)
		}
	}
}
