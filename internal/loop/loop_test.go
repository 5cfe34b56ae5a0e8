package loop_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/loop"
)

// fixed is a World that stands still, with randomness that counts.
type fixed struct{ next byte }

func (*fixed) Now() time.Time { return time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC) }

func (*fixed) Elapsed() time.Duration { return 0 }

func (f *fixed) Read(p []byte) (int, error) {
	for i := range p {
		f.next++
		p[i] = f.next
	}
	return len(p), nil
}

func TestIDs_ArePrefixAndULID(t *testing.T) {
	t.Parallel()
	w := &fixed{}
	id := loop.NewClientID(w)
	if !id.Valid() || len(id) != len("client_")+26 {
		t.Errorf("%q is no identifier of a client", id)
	}
	if another := loop.NewClientID(w); another == id {
		t.Error("two identifiers are the same")
	}
	// 2026-03-02T08:15:00Z is 1772439300000 ms; the ULID specification writes the
	// time in its first ten characters.
	if got := string(id)[len("client_"):][:10]; got != "01KJPSTSX0" {
		t.Errorf("the time part is %s", got)
	}
	for _, bad := range []loop.ClientID{"", "client_", id + "0", loop.ClientID(strings.ToLower(string(id))), "user_" + id[7:], "client_8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "client_0123456789ABCDEFGHIJKLMNOP"} {
		if bad.Valid() {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestScopes_FollowTheAlgebraOfSets(t *testing.T) {
	t.Parallel()
	names := []loop.Scope{loop.ScopeOpenID, loop.ScopeProfile, loop.ScopeEmail, loop.ScopeReadBiomarkers}
	set := rapid.Custom(func(t *rapid.T) loop.Scopes {
		return loop.NewScopes(rapid.SliceOf(rapid.SampledFrom(names)).Draw(t, "scopes")...)
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := set.Draw(t, "a"), set.Draw(t, "b")
		if got := a.And(b).Or(a.Without(b)); got.String() != a.String() {
			t.Fatalf("(a∧b)∨(a∖b) = %v, want %v", got, a)
		}
		if !a.Or(b).HasAll(a) || !a.Or(b).HasAll(b) {
			t.Fatal("a∨b does not hold both")
		}
		if len(a) == 0 {
			return
		}
		parsed, err := loop.ParseScopes(a.String())
		if err != nil || parsed.String() != a.String() {
			t.Fatalf("what is written reads back as %v, %v", parsed, err)
		}
		asked := loop.ScopeRequest{Own: a, Offline: true}
		if again := loop.ReadScopeRequest(asked.String()); again.String() != asked.String() || again.Scopes().String() != a.String() {
			t.Fatalf("%q reads back as %q", asked, again)
		}
	})
}

func TestParseScopes_RFC6749_3_3(t *testing.T) {
	t.Parallel()
	if got, err := loop.ParseScopes("read:biomarkers offline_access openid"); err != nil || got.Scopes().String() != "openid read:biomarkers" || !got.Offline {
		t.Errorf("offline_access is no permission: got %v, %v", got, err)
	}
	for name, text := range map[string]string{
		"missing": "", "unknown": "openid read:everything", "Sec032 another case": "OpenID", "Sec032 a tab": "openid\tprofile",
		"Sec032 a double space": "openid  profile", "Sec032 a zero-width space": "openid\u200b", "Sec032 admin": "admin:*",
		"Sec032 10,000 scopes": strings.Repeat("openid ", 9999) + "openid",
	} {
		_, err := loop.ParseScopes(text)
		refusal, ok := errors.AsType[*loop.Error](err)
		if !ok || refusal.Code != loop.InvalidScope {
			t.Errorf("%s: got %v, want invalid_scope", name, err)
			continue
		}
	}
}

func TestParseScopes_AnUnknownNameIsNamedWithWhatIsNear(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"openid read:biomarker":             "The scope read:biomarker does not exist. Did you mean read:biomarkers?",
		"biomarkers:read":                   "The scope biomarkers:read does not exist. Did you mean read:biomarkers?",
		"biomarkers":                        "The scope biomarkers does not exist. Did you mean read:biomarkers?",
		"openid e-mail":                     "A scope in this request does not exist. Did you mean email?",
		"OpenID":                            "A scope in this request does not exist. Did you mean openid?",
		"openid admin:clients":              "The scope admin:clients does not exist. The",
		"openid profle emial":               "These scopes do not exist: profle, emial. Did you mean profile, email?",
		"openid 1-800-CALL-NOW":             "A scope in this request does not exist. The",
		"openid <b>":                        "A scope in this request does not exist. The",
		"a b c d e f g":                     "These scopes do not exist: a, b, c, d, e. The",
		"openid " + strings.Repeat("a", 41): "A scope in this request does not exist. The",
	} {
		if _, err := loop.ParseScopes(text); !strings.HasPrefix(loop.AsError(err).Description, says) {
			t.Errorf("%s: it says %q, want %q", text, loop.AsError(err).Description, says)
		}
	}
}

func TestClient_Validate(t *testing.T) {
	t.Parallel()
	good := func() loop.Client {
		return loop.Client{
			Name: "Morning Labs", Type: loop.Confidential, RedirectURIs: []loop.RedirectURI{"https://app.example.com/cb"},
			AllowedScopes: loop.NewScopes(loop.ScopeOpenID), AccessTokenTTL: time.Hour, Mode: loop.Development,
			Protocol: loop.Protocol{
				GrantTypes: []loop.GrantType{loop.GrantAuthorizationCode, loop.GrantRefreshToken}, AuthMethod: loop.AuthSecretBasic,
				Profile: loop.ProfileOAuth, IDTokenAlgorithm: loop.ES256,
			},
		}
	}
	plain := good()
	if faults := plain.Validate(); len(faults) != 0 {
		t.Fatalf("a good client has faults: %v", faults)
	}
	for name, c := range map[string]struct {
		alter func(*loop.Client)
		field string
	}{
		"no name":                       {func(c *loop.Client) { c.Name = " " }, "client_name"},
		"Sec092 Loop's own name":        {func(c *loop.Client) { c.Name = "L00p" }, "client_name"},
		"Sec092 Cyrillic letters in it": {func(c *loop.Client) { c.Name = "Lоор" }, "client_name"},
		"Sec092 a change of direction":  {func(c *loop.Client) { c.Name = "Labs\u202e" }, "client_name"},
		"Sec092 a zero-width space":     {func(c *loop.Client) { c.Name = "La\u200bbs" }, "client_name"},
		"Sec092 ten thousand letters":   {func(c *loop.Client) { c.Name = strings.Repeat("a", 10_000) }, "client_name"},
		"Sec092 a line break":           {func(c *loop.Client) { c.Name = "La\nbs" }, "client_name"},
		"Sec092 emoji":                  {func(c *loop.Client) { c.Name = "🩸🩸🩸" }, "client_name"},
		"no redirect URI":               {func(c *loop.Client) { c.RedirectURIs = nil }, "redirect_uris"},
		"a redirect URI twice":          {func(c *loop.Client) { c.RedirectURIs = append(c.RedirectURIs, c.RedirectURIs[0]) }, "redirect_uris"},
		"no scope":                      {func(c *loop.Client) { c.AllowedScopes = nil }, "allowed_scopes"},
		"required but not allowed":      {func(c *loop.Client) { c.RequiredScopes = loop.NewScopes(loop.ScopeEmail) }, "required_scopes"},
		"Sec104 a token for years":      {func(c *loop.Client) { c.AccessTokenTTL = 1e9 * time.Second }, "access_token_ttl"},
		"Sec104 an hour of grace":       {func(c *loop.Client) { c.RefreshGrace = time.Hour }, "refresh_grace"},
		"no grant type":                 {func(c *loop.Client) { c.Protocol.GrantTypes, c.RedirectURIs = nil, nil }, "grant_types"},
		"an unknown grant type":         {func(c *loop.Client) { c.Protocol.GrantTypes = append(c.Protocol.GrantTypes, "password") }, "grant_types"},
		"a service with a redirect URI": {func(c *loop.Client) { c.Protocol.GrantTypes = []loop.GrantType{loop.GrantClientCredentials} }, "redirect_uris"},
		"a public client that acts for itself": {func(c *loop.Client) {
			c.Type, c.Protocol.AuthMethod = loop.Public, loop.AuthNone
			c.Protocol.GrantTypes = append(c.Protocol.GrantTypes, loop.GrantClientCredentials)
		}, "grant_types"},
		"a public client with a secret":                {func(c *loop.Client) { c.Type = loop.Public }, "token_endpoint_auth_method"},
		"a confidential client with nothing":           {func(c *loop.Client) { c.Protocol.AuthMethod = loop.AuthNone }, "token_endpoint_auth_method"},
		"RFC 7523 a key that is not there":             {func(c *loop.Client) { c.Protocol.AuthMethod = loop.AuthPrivateKeyJWT }, "jwks"},
		"RFC 8705 §2.1.2 a certificate without a name": {func(c *loop.Client) { c.Protocol.AuthMethod = loop.AuthTLS }, "tls_client_auth_subject_dn"},
		"RFC 8705 §2.2.2 a certificate without a key":  {func(c *loop.Client) { c.Protocol.AuthMethod = loop.AuthSelfSignedTLS }, "jwks"},
		"RFC 7591 §2 keys and where they are":          {func(c *loop.Client) { c.Protocol.KeySet, c.Protocol.KeySetURI = []byte("{}"), "https://a.example/k" }, "jwks"},
		"an algorithm that is none":                    {func(c *loop.Client) { c.Protocol.IDTokenAlgorithm = "none" }, "id_token_signed_response_alg"},
		"a shared secret as an algorithm":              {func(c *loop.Client) { c.Protocol.UserInfoAlgorithm = "HS256" }, "userinfo_signed_response_alg"},
		"RFC 8707 §2 a resource with a fragment":       {func(c *loop.Client) { c.Protocol.Resource = "https://api.example.com/#x" }, "resource"},
		"FAPI 2.0 §5.3.2.1 a secret":                   {func(c *loop.Client) { c.Protocol.Profile, c.Protocol.DPoPBound = loop.ProfileFAPI2, true }, "token_endpoint_auth_method"},
		"Sec002 a return address with a response in it": {func(c *loop.Client) {
			c.Protocol.PostLogoutRedirectURIs = []loop.RedirectURI{"https://app.example.com/out?code=x"}
		}, "post_logout_redirect_uris"},
		"Sec011 a return address that is a script": {func(c *loop.Client) { c.Protocol.PostLogoutRedirectURIs = []loop.RedirectURI{"javascript:alert(1)"} }, "post_logout_redirect_uris"},
		"a home page over http":                    {func(c *loop.Client) { c.HomePage = "http://app.example.com" }, "client_uri"},
		"Sec190 a home page at two hosts":          {func(c *loop.Client) { c.HomePage = "https://app.example.com,evil.example" }, "client_uri"},
		"Sec190 a logout address at two hosts": {func(c *loop.Client) {
			c.Protocol.PostLogoutRedirectURIs = []loop.RedirectURI{"https://app.example.com;evil.example/out"}
		}, "post_logout_redirect_uris"},
		"Sec191 a logout address with a state of its own": {func(c *loop.Client) {
			c.Protocol.PostLogoutRedirectURIs = []loop.RedirectURI{"https://app.example.com/out?State[]=1"}
		}, "post_logout_redirect_uris"},
		"Sec089 a script as home page": {func(c *loop.Client) { c.HomePage = "javascript:alert(1)" }, "client_uri"},
		"another type":                 {func(c *loop.Client) { c.Type = "secret" }, "client_type"},
		"another mode":                 {func(c *loop.Client) { c.Mode = "test" }, "mode"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := good()
			c.alter(&client)
			faults := client.Validate()
			if len(faults) != 1 {
				t.Fatalf("got faults %v, want one", faults)
			}
			if refusal := loop.AsError(faults[0]); refusal.Code != loop.ValidationError || refusal.Field != c.field {
				t.Errorf("got %v about %q, want a validation_error about %q", refusal, refusal.Field, c.field)
			}
		})
	}
	t.Run("all faults are named at once", func(t *testing.T) {
		t.Parallel()
		if faults := (&loop.Client{}).Validate(); len(faults) < 5 {
			t.Errorf("an empty client has only these faults: %v", faults)
		}
	})
}

func TestParseEmail_HasOneForm(t *testing.T) {
	t.Parallel()
	if got, err := loop.ParseEmail("  Ada.Lovelace+lab@Example.COM "); err != nil || got != "ada.lovelace+lab@example.com" {
		t.Errorf("got %q, %v", got, err)
	}
	for typed, want := range map[string]loop.Email{
		"ada@BÜCHER.example": "ada@xn--bcher-kva.example", "ada@ｅxample.com": "ada@example.com", "ada@xn--bcher-kva.example": "ada@xn--bcher-kva.example", "ada@exаmple.com": "ada@xn--exmple-4nf.com",
	} {
		if got, err := loop.ParseEmail(typed); err != nil || got != want {
			t.Errorf("%q is %q, %v", typed, got, err)
		}
	}
	for _, bad := range []string{
		"", "ada", "@example.com", "ada@", "a@evil.example@good.example", `"a b"@example.com`, "ada@example.com.", "ada@example", "ada@exa mple.com",
		"ada@example.com\r\nBcc: x@example.com", "a@example.com,b@example.com", "ａda@example.com", "ada@exa\u200bmple.com\u3002@", "ada@\u202eexample.com", "müller@example.com", "ſ@example.com", "\u212a@example.com",
		"ada..l@example.com", ".ada@example.com", "ada@-example.com", strings.Repeat("a", 10_240) + "@example.com",
	} {
		if got, err := loop.ParseEmail(bad); err == nil {
			t.Errorf("Sec082 %q passed as %q", bad, got)
		}
	}
}

func TestError_TellsNothingInternal(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk of the database is full")
	refusal := loop.AsError(fmt.Errorf("rotating refresh token: %w", cause))
	if refusal.Code != loop.ServerError || strings.Contains(refusal.Description, "disk") {
		t.Errorf("the outside learns %q", refusal.Description)
	}
	if !errors.Is(refusal, cause) {
		t.Error("the log loses the cause")
	}
}
