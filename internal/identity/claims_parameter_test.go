package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// An app that asks for one member gets an answer about that member or none.
func TestAuthorize_OIDCCore_5_5_1_ASubjectThatIsAskedForIsTheOneWhoSignsIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada, bert := p.AddApp(t, nil), p.AddMember(t, "Ada"), p.AddMember(t, "Bert")
	hint := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t).ID
	adas, berts, bertsToo, adasToo := p.SignedIn(t, ada), p.SignedIn(t, bert), p.SignedIn(t, bert), p.SignedIn(t, ada)
	p.World.Advance(time.Minute)
	wanted := func(id string) string { return `{"id_token":{"sub":{"value":"` + id + `"}}}` }

	t.Run("signed in", func(t *testing.T) {
		t.Parallel()
		answer := adas.Authorize(with(app.Request(), "prompt", "none", "claims", wanted(string(ada.ID)))).Redirected(t).Query()
		if answer.Get("code") == "" {
			t.Errorf("got %v, want a code", answer)
		}
	})
	t.Run("another is signed in, and nobody may be asked", func(t *testing.T) {
		t.Parallel()
		answer := berts.Authorize(with(app.Request(), "prompt", "none", "claims", wanted(string(ada.ID)))).Redirected(t).Query()
		if answer.Get("error") != "login_required" {
			t.Errorf("got %v, want login_required", answer)
		}
	})
	t.Run("another is signed in, and signs in again", func(t *testing.T) {
		t.Parallel()
		page := bertsToo.Follow(bertsToo.Authorize(with(app.Request(), "claims", wanted(string(ada.ID)))))
		if page.Field("email") != "" || !strings.Contains(page.Text, `name="password"`) {
			t.Fatalf("want the sign-in page:\n%s", page.Text)
		}
		if answer := bertsToo.SignIn(page, bert).Redirected(t).Query(); answer.Get("error") != "login_required" {
			t.Errorf("got %v, want login_required", answer)
		}
	})
	t.Run("a hint that names another", func(t *testing.T) {
		t.Parallel()
		answer := adasToo.Authorize(with(app.Request(), "id_token_hint", hint, "claims", wanted(string(bert.ID)))).Redirected(t).Query()
		if answer.Get("error") != "invalid_request" {
			t.Errorf("got %v, want invalid_request", answer)
		}
	})
}

// What can't be read as a demand must not pass as none.
func TestAuthorize_OIDCCore_5_5_ADemandThatIsNotWellFormedIsRefused(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	for name, c := range map[string]struct{ claims, code string }{
		"acr: values that are no list":             {`{"id_token":{"acr":{"essential":true,"values":"urn:loop:acr:passkey"}}}`, "invalid_request"},
		"acr: a value that is no text":             {`{"id_token":{"acr":{"essential":true,"value":1}}}`, "invalid_request"},
		"acr: no object":                           {`{"id_token":{"acr":"urn:loop:acr:passkey"}}`, "invalid_request"},
		"acr: essential, and twice":                {`{"id_token":{"acr":{"essential":true,"values":["urn:loop:acr:passkey"]},"acr":null}}`, "invalid_request"},
		"sub: no object":                           {`{"id_token":{"sub":"` + string(ada.ID) + `"}}`, "invalid_request"},
		"sub: a value that is no text":             {`{"id_token":{"sub":{"value":["` + string(ada.ID) + `"]}}}`, "invalid_request"},
		"a member twice":                           {`{"userinfo":{},"userinfo":{"name":null}}`, "invalid_request"},
		"a list":                                   {`[]`, "invalid_request"},
		"more behind it":                           {`{} {}`, "invalid_request"},
		"a claim that nobody knows, in any form":   {`{"userinfo":{"nickname":7},"id_token":{"birthdate":[1]}}`, ""},
		"members that nobody knows, in other case": {`{"ID_TOKEN":{"acr":{"essential":true,"values":["x"]}},"verified":[]}`, ""},
		"acr and sub as mere wishes":               {`{"id_token":{"acr":null,"sub":null}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := p.NewBrowser(t).Allow(with(app.Request(), "claims", c.claims), ada).Query()
			if answer.Get("error") != c.code {
				t.Errorf("got %v, want error %q", answer, c.code)
			}
		})
	}
}
