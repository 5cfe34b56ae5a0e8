package identity_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// refused checks an error of the token endpoint.
func refused(t *testing.T, r *platformtest.Response, status int, code string) {
	t.Helper()
	said := r.JSON(t)
	if r.StatusCode != status || said["error"] != code {
		t.Fatalf("got %d %v (%v), want %d %s", r.StatusCode, said["error"], said["error_description"], status, code)
	}
	for _, field := range []string{"error_description", "error_uri", "request_id"} {
		if text, _ := said[field].(string); text == "" {
			t.Errorf("the error has no %s", field)
		}
	}
	if r.Header.Get("Cache-Control") != "no-store" {
		t.Error("RFC 6749 §5.1: the answer may be kept")
	}
}

func TestToken_RFC6749_5_1_TheAnswer(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	request := with(app.Request(), "nonce", "n-1")
	r := app.Redeem(p.NewBrowser(t).Allow(request, ada).Query().Get("code"))
	tokens, said := r.Pair(t), r.JSON(t)
	if said["token_type"] != "Bearer" || said["expires_in"] != 3600.0 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %v", said)
	}
	for prefix, token := range map[string]string{"lph_at_": tokens.Access, "lph_rt_": tokens.Refresh} {
		if !strings.HasPrefix(token, prefix) {
			t.Errorf("%q does not begin with %s", token, prefix)
		}
	}
	id := claims(t, tokens.ID)
	now := float64(p.World.Now().Unix())
	for claim, want := range map[string]any{
		"iss": platformtest.Identity, "sub": string(ada.ID), "aud": string(app.ID), "iat": now, "exp": now + 300, "auth_time": now,
		"nonce": "n-1", "acr": "urn:loop:acr:password",
	} {
		if id[claim] != want {
			t.Errorf("%s is %v, want %v", claim, id[claim], want)
		}
	}
	if id["name"] != nil || id["email"] != nil || id["at_hash"] == nil || id["sid"] == nil || id["amr"] == nil {
		t.Errorf("oidcc-server: the ID token says %v", id)
	}
	userinfo := p.UserInfo(t, tokens.Access).JSON(t)
	if userinfo["sub"] != string(ada.ID) || userinfo["name"] != "Ada" || userinfo["email"] != nil {
		t.Errorf("oidcc-scope-profile: userinfo says %v", userinfo)
	}
}

func TestToken_ClientAuthenticationComesFirst(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other := p.AddApp(t, nil), p.AddApp(t, nil)
	public := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	disabled := p.AddApp(t, nil)
	if _, err := p.Clients.SetEnabled(t.Context(), disabled.ID, operator, false); err != nil {
		t.Fatal(err)
	}
	id := string(app.ID)
	for name, c := range map[string]struct {
		form   url.Values
		header http.Header
		status int
		code   string
	}{
		"Sec044 no client at all":            {url.Values{}, nil, 401, "invalid_client"},
		"Sec044 a wrong secret":              {url.Values{"client_id": {id}, "client_secret": {other.Secret}}, nil, 401, "invalid_client"},
		"Sec044 an empty secret":             {url.Values{"client_id": {id}, "client_secret": {""}}, nil, 401, "invalid_client"},
		"Sec044 no secret":                   {url.Values{"client_id": {id}}, nil, 401, "invalid_client"},
		"Sec044 a public client with one":    {url.Values{"client_id": {string(public.ID)}, "client_secret": {app.Secret}}, nil, 401, "invalid_client"},
		"Sec044 an unknown client":           {url.Values{"client_id": {"client_01HXY00000000000000000000Z"}, "client_secret": {app.Secret}}, nil, 401, "invalid_client"},
		"Sec046 a disabled client":           {url.Values{"client_id": {string(disabled.ID)}, "client_secret": {disabled.Secret}}, nil, 401, "invalid_client"},
		"Sec043 Basic and client_secret":     {url.Values{"client_secret": {app.Secret}}, basic(id, app.Secret), 400, "invalid_request"},
		"Sec043 two Authorization headers":   {url.Values{}, http.Header{"Authorization": {basic(id, app.Secret).Get("Authorization"), "Basic eA=="}}, 400, "invalid_request"},
		"Sec043 Basic for A, client_id of B": {url.Values{"client_id": {string(other.ID)}}, basic(id, app.Secret), 401, "invalid_client"},
		"Sec045 Basic that is no Base64":     {url.Values{}, http.Header{"Authorization": {"Basic !"}}, 401, "invalid_client"},
		"Sec045 Basic without a colon":       {url.Values{}, http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("x"))}}, 401, "invalid_client"},
		"Sec045 Basic of 64 KiB":             {url.Values{}, http.Header{"Authorization": {"Basic " + strings.Repeat("A", 20<<10)}}, 401, "invalid_client"},
		"a Bearer token":                     {url.Values{}, http.Header{"Authorization": {"Bearer x"}}, 401, "invalid_client"},
		"Sec031 client_id twice":             {url.Values{"client_id": {id, id}, "client_secret": {app.Secret}}, nil, 400, "invalid_request"},
		"Sec060 no grant type":               {url.Values{"client_id": {id}, "client_secret": {app.Secret}}, nil, 400, "invalid_request"},
		"Sec060 password":                    {url.Values{"client_id": {id}, "client_secret": {app.Secret}, "grant_type": {"password"}}, nil, 400, "unsupported_grant_type"},
		"Sec060 client_credentials":          {url.Values{"client_id": {id}, "client_secret": {app.Secret}, "grant_type": {"client_credentials"}}, nil, 400, "unauthorized_client"},
		"Sec060 another case":                {url.Values{"client_id": {id}, "client_secret": {app.Secret}, "grant_type": {"Refresh_Token"}}, nil, 400, "unsupported_grant_type"},
		"Sec060 a grant type twice":          {url.Values{"client_id": {id}, "client_secret": {app.Secret}, "grant_type": {"refresh_token", "refresh_token"}}, nil, 400, "invalid_request"},
		"client_secret_basic works":          {url.Values{"grant_type": {"refresh_token"}}, basic(id, app.Secret), 400, "invalid_request"}, // past authentication
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := p.Post(t, platformtest.Identity+"/v1/oauth/token", c.form, c.header)
			refused(t, r, c.status, c.code)
			tried := strings.HasPrefix(c.header.Get("Authorization"), "Basic")
			if challenged := r.Header.Get("WWW-Authenticate") != ""; c.status == 401 && challenged != tried {
				t.Errorf("RFC 6749 §5.2: WWW-Authenticate is %q", r.Header.Get("WWW-Authenticate"))
			}
		})
	}
}

// Id and secret are form-urlencoded inside the Base64, once (RFC 6749 §2.3.1).
func TestSec045_BasicIsDecodedOnce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	every := func(text string) (encoded string) {
		for i := range len(text) {
			encoded += fmt.Sprintf("%%%02x", text[i])
		}
		return encoded
	}
	send := func(credentials string) *platformtest.Response {
		header := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))}}
		return p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{"grant_type": {"refresh_token"}}, header)
	}
	for name, credentials := range map[string]string{
		"as they are": string(app.ID) + ":" + app.Secret, "every byte encoded": every(string(app.ID)) + ":" + every(app.Secret),
	} {
		t.Run(name, func(t *testing.T) { refused(t, send(credentials), 400, "invalid_request") }) // past authentication
	}
	for name, credentials := range map[string]string{
		"encoded twice": url.QueryEscape(every(string(app.ID))) + ":" + url.QueryEscape(every(app.Secret)), "a bad escape": string(app.ID) + ":%zz",
		"a colon encoded": string(app.ID) + "%3A" + app.Secret, "a colon more": string(app.ID) + "::" + app.Secret, "a plus for nothing": string(app.ID) + ":" + app.Secret + "+",
		"no secret": string(app.ID) + ":", "no id": ":" + app.Secret, "nothing": ":",
	} {
		t.Run(name, func(t *testing.T) { refused(t, send(credentials), 401, "invalid_client") })
	}
}

func TestToken_RotatedSecretsOverlapForADay(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	rotate := func() string {
		p.World.Advance(time.Minute)
		secret, err := p.Clients.RotateSecret(t.Context(), app.ID, operator)
		if err != nil {
			t.Fatal(err)
		}
		return secret.Reveal()
	}
	works := func(secret string) bool {
		r := p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{"client_id": {string(app.ID)}, "client_secret": {secret}}, nil)
		return r.StatusCode == http.StatusBadRequest // past authentication
	}
	first, second := app.Secret, rotate()
	if !works(first) || !works(second) {
		t.Error("both secrets work for a day")
	}
	third := rotate()
	if works(first) || !works(second) || !works(third) {
		t.Error("at most two live")
	}
	p.World.Advance(24 * time.Hour)
	if works(second) || !works(third) {
		t.Error("after a day only the newest works")
	}
}

func TestToken_ACodeIsBoundAndWorksOnce(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	code := app.Code(b, ada)
	redeem := func(changes ...string) *platformtest.Response {
		return app.Token(with(url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {platformtest.Callback}, "code_verifier": {platformtest.Verifier},
		}, changes...))
	}
	for name, c := range map[string]struct {
		changes []string
		code    string
	}{
		"no code":                            {[]string{"code", ""}, "invalid_request"},
		"Sec016 no redirect URI":             {[]string{"redirect_uri", ""}, "invalid_request"},
		"Sec022 no verifier":                 {[]string{"code_verifier", ""}, "invalid_request"},
		"Sec023 a verifier of 42":            {[]string{"code_verifier", strings.Repeat("a", 42)}, "invalid_request"},
		"Sec023 a verifier of 129":           {[]string{"code_verifier", strings.Repeat("a", 129)}, "invalid_request"},
		"Sec023 other characters":            {[]string{"code_verifier", strings.Repeat("a", 43) + "+"}, "invalid_request"},
		"Sec023 a NUL in it":                 {[]string{"code_verifier", strings.Repeat("a", 43) + "\x00"}, "invalid_request"},
		"Sec023 a space in it":               {[]string{"code_verifier", strings.Repeat("a", 43) + " "}, "invalid_request"},
		"Sec023 spaces alone":                {[]string{"code_verifier", strings.Repeat(" ", 43)}, "invalid_request"},
		"Sec023 a wrong verifier":            {[]string{"code_verifier", strings.Repeat("a", 43)}, "invalid_grant"},
		"Sec023 the challenge itself":        {[]string{"code_verifier", platformtest.Challenge(platformtest.Verifier)}, "invalid_grant"},
		"Sec016 a redirect URI one byte off": {[]string{"redirect_uri", platformtest.Callback + "/"}, "invalid_grant"},
		"a made-up code":                     {[]string{"code", "lph_ac_AAAA000000"}, "invalid_grant"},
		"a refresh token as code":            {[]string{"code", "lph_rt_AAAA000000"}, "invalid_grant"},
	} {
		refused(t, redeem(c.changes...), 400, c.code)
		_ = name
	}
	t.Run("Sec025 another client", func(t *testing.T) { refused(t, other.Redeem(code), 400, "invalid_grant") })
	first := redeem().Pair(t) // none of it consumed the code
	t.Run("Sec025 another client after it was used: nothing ends", func(t *testing.T) {
		refused(t, other.Redeem(code), 400, "invalid_grant")
		if r := p.UserInfo(t, first.Access); r.StatusCode != http.StatusOK {
			t.Errorf("an access token died: %d", r.StatusCode)
		}
	})
	t.Run("oidcc-codereuse: the chain and its access tokens end", func(t *testing.T) {
		refused(t, redeem(), 400, "invalid_grant")
		if r := p.UserInfo(t, first.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("the access token lives: %d", r.StatusCode)
		}
		refused(t, app.Refresh(first.Refresh), 400, "invalid_grant")
	})
	t.Run("its chain alone: the consent stays", func(t *testing.T) {
		if b.Authorize(app.Request()).Redirected(t).Query().Get("code") == "" {
			t.Error("the grant ended too")
		}
	})
	t.Run("oidcc-codereuse-30seconds: after 60 seconds it is a re-use still", func(t *testing.T) {
		second := app.Code(b, ada)
		tokens := app.Redeem(second).Pair(t)
		p.World.Advance(2 * time.Minute)
		refused(t, app.Redeem(second), 400, "invalid_grant")
		if r := p.UserInfo(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("the access token lives: %d", r.StatusCode)
		}
	})
	t.Run("a code lives 60 seconds", func(t *testing.T) {
		third := app.Code(b, ada)
		p.World.Advance(time.Minute)
		refused(t, app.Redeem(third), 400, "invalid_grant")
	})
}

func TestToken_Refresh(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other, ada := p.AddApp(t, nil), p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	refresh := func(scope string) *platformtest.Response {
		return app.Token(with(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}}, "scope", scope))
	}
	t.Run("Sec057 another client's: nothing ends", func(t *testing.T) { refused(t, other.Refresh(tokens.Refresh), 400, "invalid_grant") })
	t.Run("Sec056 a wider scope", func(t *testing.T) { refused(t, refresh("openid profile email read:biomarkers"), 400, "invalid_scope") })
	t.Run("no token", func(t *testing.T) { refused(t, app.Refresh(""), 400, "invalid_request") })
	t.Run("Sec099 an access token", func(t *testing.T) { refused(t, app.Refresh(tokens.Access), 400, "invalid_grant") })
	t.Run("RFC 6749 §6 a narrower scope narrows the access token only", func(t *testing.T) {
		narrow := refresh("openid").Pair(t)
		if narrow.Scope != "openid" || p.Biomarkers(t, narrow.Access).StatusCode != http.StatusForbidden {
			t.Errorf("scope is %q", narrow.Scope)
		}
		tokens = app.Refresh(narrow.Refresh).Pair(t)
		if tokens.Scope != "openid profile read:biomarkers" {
			t.Errorf("the next one has %q", tokens.Scope)
		}
	})
	t.Run("oidcc-refresh-token: the ID token keeps auth_time", func(t *testing.T) {
		before := claims(t, tokens.ID)
		p.World.Advance(time.Minute)
		tokens = app.Refresh(tokens.Refresh).Pair(t)
		after := claims(t, tokens.ID)
		if after["auth_time"] != before["auth_time"] || after["sub"] != before["sub"] || after["iat"] == before["iat"] {
			t.Errorf("got %v, before %v", after, before)
		}
	})
	t.Run("a chain replaced by a newer authorization: no theft, no revocation", func(t *testing.T) {
		newer := app.Redeem(app.Code(b, ada)).Pair(t)
		refused(t, app.Refresh(tokens.Refresh), 400, "invalid_grant")
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusOK {
			t.Errorf("its access token ended: %d", r.StatusCode)
		}
		tokens = app.Refresh(newer.Refresh).Pair(t)
	})
	t.Run("Sec056 a scope that the client lost is gone", func(t *testing.T) {
		if _, err := p.Clients.Update(t.Context(), app.ID, operator, func(c *loop.Client) { c.AllowedScopes = loop.NewScopes(loop.ScopeOpenID, loop.ScopeProfile) }); err != nil {
			t.Fatal(err)
		}
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a token from before reads: %d", r.StatusCode)
		}
		if tokens = app.Refresh(tokens.Refresh).Pair(t); tokens.Scope != "openid profile" {
			t.Errorf("scope is %q", tokens.Scope)
		}
	})
	t.Run("disabled: everything ends; enabled again, new tokens work", func(t *testing.T) {
		for _, enabled := range []bool{false, true} {
			if _, err := p.Clients.SetEnabled(t.Context(), app.ID, operator, enabled); err != nil {
				t.Fatal(err)
			}
			if r := p.UserInfo(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
				t.Errorf("enabled %v: the access token works: %d", enabled, r.StatusCode)
			}
		}
		tokens = app.Refresh(tokens.Refresh).Pair(t)
		if r := p.UserInfo(t, tokens.Access); r.StatusCode != http.StatusOK {
			t.Errorf("a new token does not work: %d", r.StatusCode)
		}
	})
	t.Run("90 days idle", func(t *testing.T) {
		p.World.Advance(90 * 24 * time.Hour)
		refused(t, app.Refresh(tokens.Refresh), 400, "invalid_grant")
	})
}

func TestSec053_WithinAGracePeriodARetryGetsTheSameSuccessor(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.RefreshGrace = 30 * time.Second })
	first := app.Redeem(app.Code(p.NewBrowser(t), p.AddMember(t, "Ada"))).Pair(t)
	successor := app.Refresh(first.Refresh).Pair(t).Refresh
	for range 5 {
		if retry := app.Refresh(first.Refresh).Pair(t).Refresh; retry != successor {
			t.Fatal("a retry got another chain")
		}
	}
	third := app.Refresh(successor).Pair(t).Refresh
	refused(t, app.Refresh(first.Refresh), 400, "invalid_grant") // no longer the one directly before
	refused(t, app.Refresh(third), 400, "invalid_grant")
}

func TestToken_PublicClientsKeepTenDevices(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, func(c *loop.Client) { c.Type = loop.Public })
	b, ada := p.NewBrowser(t), p.AddMember(t, "Ada")
	var devices []string
	for range 11 {
		devices = append(devices, app.Redeem(app.Code(b, ada)).Pair(t).Refresh)
		p.World.Advance(time.Second)
	}
	refused(t, app.Refresh(devices[0]), 400, "invalid_grant") // the oldest is out
	for i, device := range devices[1:] {
		if r := app.Refresh(device); r.StatusCode != http.StatusOK {
			t.Errorf("device %d: %d %s", i+1, r.StatusCode, r.Text)
		}
	}
}

func TestToken_AReuseIsShownAtTheNextSignIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	app.Refresh(tokens.Refresh).Pair(t)
	refused(t, app.Refresh(tokens.Refresh), 400, "invalid_grant")

	b := p.NewBrowser(t)
	page := b.SignIn(b.Follow(b.Authorize(app.Request())), ada)
	if !strings.Contains(page.Text, "We disconnected “Morning Labs”") {
		t.Fatalf("the member is not notified: %s", page.Text)
	}
	next := b.Follow(b.Post(platformtest.Identity+"/notice", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}}))
	if !strings.Contains(next.Text, `id="allow"`) {
		t.Errorf("after it, consent is asked anew: %s", next.Text)
	}
	again := p.NewBrowser(t)
	if next := again.SignIn(again.Follow(again.Authorize(app.Request())), ada); strings.Contains(next.Text, "We disconnected") {
		t.Error("the member is notified twice")
	}
}

func TestSec042_OnlyPostedForms(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	if r := p.NewBrowser(t).Get(platformtest.Identity + "/v1/oauth/token"); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %d, Allow %q", r.StatusCode, r.Header.Get("Allow"))
	}
	query := platformtest.Identity + "/v1/oauth/token?" + url.Values{"client_id": {string(app.ID)}, "client_secret": {app.Secret}, "grant_type": {"refresh_token"}}.Encode()
	refused(t, p.Post(t, query, url.Values{}, nil), 401, "invalid_client")
	genuine := url.Values{"client_id": {string(app.ID)}, "client_secret": {app.Secret}, "grant_type": {"refresh_token"}, "refresh_token": {"x"}}
	for name, kinds := range map[string][]string{
		"JSON": {"application/json"}, "multipart": {"multipart/form-data; boundary=x"}, "text": {"text/plain"}, "none": nil, "an empty one": {""},
		"two": {"application/x-www-form-urlencoded", "application/json"}, "a list": {"application/x-www-form-urlencoded, application/json"}, "longer": {"application/x-www-form-urlencoded2"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, p.Post(t, platformtest.Identity+"/v1/oauth/token", genuine, http.Header{"Content-Type": kinds}), 400, "invalid_request")
		})
	}
}

func TestRedeem_ANewChainReplacesTheOldOneWhileTheClockStands(t *testing.T) {
	p := platformtest.New(t) // its clock stands, as one does that was set back
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	for range 10 {
		old := app.Redeem(app.Code(b, ada)).Pair(t)
		app.Refresh(app.Redeem(app.Code(b, ada)).Pair(t).Refresh).Pair(t)
		if r := app.Refresh(old.Refresh); r.JSON(t)["error"] != "invalid_grant" {
			t.Fatalf("the old chain goes on: %s", r.Text)
		}
	}
}

func TestSec052_AnOldRefreshTokenIsAReuseWhateverElseIsWrong(t *testing.T) {
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	for name, more := range map[string]url.Values{
		"with more scopes than there were": {"scope": {"openid email read:biomarkers"}},
		"for another resource":             {"resource": {"https://evil.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			member := p.AddMember(t, "Ada"+strings.Fields(name)[0])
			first := app.Redeem(app.Code(p.NewBrowser(t), member)).Pair(t)
			second := app.Refresh(first.Refresh).Pair(t)
			more.Set("grant_type", "refresh_token")
			more.Set("refresh_token", first.Refresh)
			if r := app.Token(more); r.JSON(t)["error"] != "invalid_grant" {
				t.Errorf("it is answered %s", r.Text)
			}
			if r := app.Refresh(second.Refresh); r.JSON(t)["error"] != "invalid_grant" {
				t.Errorf("the grant lives: %s", r.Text)
			}
		})
	}
}
