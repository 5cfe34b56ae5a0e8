package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/registration/library"
)

func TestTheFormOfAnAppSentUntouchedChangesNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	key := platformtest.NewKey(t)
	for name, alter := range map[string]func(*loop.Client){
		"the defaults": func(*loop.Client) {},
		"everything": func(c *loop.Client) {
			c.RequiredScopes, c.RequireNonce, c.AccessTokenTTL, c.RefreshGrace = loop.NewScopes(loop.ScopeOpenID), true, 10*time.Minute, 30*time.Second
			c.HomePage, c.PolicyPage, c.TermsPage = "https://app.example.com/", "https://app.example.com/privacy", "https://app.example.com/terms"
			c.Protocol.AuthMethod, c.Protocol.KeySet = loop.AuthPrivateKeyJWT, key.Set()
			c.Protocol.IDTokenAlgorithm, c.Protocol.UserInfoAlgorithm, c.Protocol.IntrospectionAlgorithm = loop.PS256, loop.EdDSA, loop.RS256
			c.Protocol.DPoPBound, c.Protocol.RequireState, c.Protocol.RequireSignedRequestObject = true, true, true
			c.Protocol.AllowedOrigins, c.Protocol.PostLogoutRedirectURIs = []loop.Origin{"https://a.example.com", "https://b.example.com"}, []loop.RedirectURI{"https://app.example.com/out"}
			c.Protocol.Software = "authlib"
		},
	} {
		t.Run(name, func(t *testing.T) {
			app := p.AddApp(t, func(c *loop.Client) {
				alter(c)
				c.Owner = grace.ID
			})
			path := "/apps/" + string(app.ID)
			before := client(t, p, path).Clone()
			b.Post(developers+path+"/edit", filledIn(t, b.Get(developers+path+"/edit"))).Redirected(t)
			after := client(t, p, path).Clone()
			before.UpdatedAt = after.UpdatedAt
			if diff := cmp.Diff(before, after); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEverySettingOfAnAppHasItsPlaceInTheForm(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	path, _ := register(t, b, newApp())
	set := func(change url.Values) *platformtest.Response {
		sent := filledIn(t, b.Get(developers+path+"/edit"))
		for name, values := range change {
			sent[name] = values
		}
		return b.Post(developers+path+"/edit", sent)
	}
	keys := string(platformtest.NewKey(t).Set())
	set(url.Values{
		"id_token_alg": {"RS256"}, "auth_method": {"private_key_jwt"}, "jwks": {keys}, "allowed_origins": {"https://a.example.com\r\nhttps://b.example.com"},
		"post_logout_uris": {"https://app.example.com/out"}, "access_token_minutes": {"5"}, "refresh_grace": {"30"},
		"require_state": {"on"}, "require_nonce": {"on"}, "require_signed": {"on"}, "dpop": {"on"}, "userinfo_alg": {"ES256"}, "introspection_alg": {"PS256"}, "required_scope": {"openid"},
	}).Redirected(t)
	c := client(t, p, path)
	if c.Protocol.IDTokenAlgorithm != loop.RS256 || c.Protocol.AuthMethod != loop.AuthPrivateKeyJWT || string(c.Protocol.KeySet) != keys ||
		!slices.Equal(c.Protocol.AllowedOrigins, []loop.Origin{"https://a.example.com", "https://b.example.com"}) || len(c.Protocol.PostLogoutRedirectURIs) != 1 ||
		c.AccessTokenTTL != 5*time.Minute || c.RefreshGrace != 30*time.Second || !c.Protocol.RequireState || !c.RequireNonce || !c.Protocol.RequireSignedRequestObject ||
		!c.Protocol.DPoPBound || c.Protocol.UserInfoAlgorithm != loop.ES256 || c.Protocol.IntrospectionAlgorithm != loop.PS256 || c.RequiredScopes.String() != "openid" {
		t.Errorf("saved: %+v", c)
	}
	before := c.UpdatedAt
	for name, test := range map[string]struct {
		change url.Values
		field  string // whose input is marked
		says   string
	}{
		"an algorithm that is not there":  {url.Values{"id_token_alg": {"none"}}, "", "ES256, EdDSA, RS256 or PS256"},
		"a method that is not there":      {url.Values{"auth_method": {"none"}}, "", "A confidential client authenticates"},
		"keys that are none":              {url.Values{"jwks": {"{"}}, "jwks", "The key set (jwks) is refused"},
		"an address of keys of ours":      {url.Values{"jwks": {""}, "jwks_uri": {platformtest.Identity + "/.well-known/jwks.json"}}, "jwks-uri", ""},
		"an address of keys on loopback":  {url.Values{"jwks": {""}, "jwks_uri": {"https://127.0.0.1/jwks"}}, "jwks-uri", ""},
		"an origin with a path":           {url.Values{"allowed_origins": {"https://a.example.com/x"}}, "allowed-origins", ""},
		"an address after signing out":    {url.Values{"post_logout_uris": {"http://app.example.com/out"}}, "post-logout-uris", "Use https"},
		"an inner address for sign-outs":  {url.Values{"backchannel_logout_uri": {"https://10.0.0.1/out"}}, "backchannel-logout-uri", ""},
		"a token of four minutes":         {url.Values{"access_token_minutes": {"4"}}, "access-token-minutes", "5 minutes to 1 hour"},
		"a token of a word":               {url.Values{"access_token_minutes": {"long"}}, "access-token-minutes", "5 minutes to 1 hour"},
		"a token for ever":                {url.Values{"access_token_minutes": {"99999999999999999999"}}, "access-token-minutes", "5 minutes to 1 hour"},
		"a grace period of a minute":      {url.Values{"refresh_grace": {"60"}}, "refresh-grace", "0 to 30 seconds"},
		"a library that is not there":     {url.Values{"built_with": {"netscape"}}, "built-with", "Choose one of the list"},
		"a library that runs in browsers": {url.Values{"built_with": {"oidc-client-ts"}}, "built-with", "no secret can be kept"},
	} {
		t.Run(name, func(t *testing.T) {
			r := set(test.change)
			if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, test.says) {
				t.Fatalf("answered with %d, without %q", r.StatusCode, test.says)
			}
			if test.field != "" && attrOf(r.Text, test.field, "aria-invalid") != "true" {
				t.Errorf("%s is not marked", test.field)
			}
			if after := client(t, p, path); !after.UpdatedAt.Equal(before) {
				t.Error("something was saved")
			}
		})
	}
}

func TestWhatOneBuildsWithDecidesHowTheAppIsRegistered(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	table, err := library.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range table {
		fields := newApp()
		fields.Set("built_with", l.ID)
		if l.Type == loop.Public {
			fields.Set("type", "public")
		}
		to := b.Post(developers+"/apps/new", form(b.Get(developers+"/apps/new"), fields)).Redirected(t)
		path := strings.TrimSuffix(to.Path, "/secret")
		secret := textOf(b.Get(to.String()).Text, "secret")
		c := client(t, p, path)
		if c.Protocol.IDTokenAlgorithm != l.Algorithm || c.RefreshGrace != time.Duration(l.Grace)*time.Second || c.Protocol.AuthMethod != l.AuthMethod {
			t.Errorf("%s: %s, %s, %s", l.ID, c.Protocol.IDTokenAlgorithm, c.RefreshGrace, c.Protocol.AuthMethod)
		}
		shown := textOf(b.Get(developers+path).Text, "lines")
		if !strings.Contains(shown, string(c.ID)) || strings.Contains(shown, "{{") || secret != "" && strings.Contains(shown, secret) {
			t.Errorf("the lines of %s are:\n%s", l.ID, shown)
		}
	}
}

// Another library brings its settings; what the developer changed in the same form, they
// meant.
func TestAnotherLibraryBringsItsSettings(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	path, _ := register(t, b, newApp())
	for _, test := range []struct {
		change url.Values
		alg    loop.Algorithm
		grace  time.Duration
	}{
		{url.Values{"built_with": {"oauth2-proxy"}}, loop.ES256, 30 * time.Second},
		{url.Values{"built_with": {"next-auth"}}, loop.RS256, 0},
		{url.Values{"built_with": {"oauth2-proxy"}, "id_token_alg": {"PS256"}}, loop.PS256, 30 * time.Second},
		{url.Values{"refresh_grace": {"5"}}, loop.PS256, 5 * time.Second},
		{url.Values{"built_with": {""}}, loop.PS256, 5 * time.Second},
	} {
		sent := filledIn(t, b.Get(developers+path+"/edit"))
		for name, values := range test.change {
			sent[name] = values
		}
		b.Post(developers+path+"/edit", sent).Redirected(t)
		if c := client(t, p, path); c.Protocol.IDTokenAlgorithm != test.alg || c.RefreshGrace != test.grace {
			t.Errorf("%v: %s, %s", test.change, c.Protocol.IDTokenAlgorithm, c.RefreshGrace)
		}
	}
}
