package portal_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// OpenID Connect Back-Channel Logout: who signs out at identity is signed out of the
// portal, in that browser and nowhere else.
func TestSec174_ASignOutAtIdentityEndsThePortalsSession(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b, elsewhere := developerOf(t, p, grace), developerOf(t, p, grace)
	mine, other := sessionCookie(t, b), sessionCookie(t, elsewhere)
	page := b.Follow(b.Get(platformtest.Identity + "/signout"))
	if r := b.Post(platformtest.Identity+"/signout", url.Values{"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}}); r.StatusCode >= 400 {
		t.Fatalf("signing out of identity: %d %s", r.StatusCode, r.Text)
	}
	if err := p.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if opens(t, p, mine) {
		t.Error("the portal's session goes on")
	}
	if !opens(t, p, other) {
		t.Error("another browser was signed out too")
	}
	p.Restart(t)
	if opens(t, p, mine) {
		t.Error("it is back after a restart")
	}
}

func TestSec174_ALogoutTokenThatIdentityDidNotMakeEndsNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	app := p.AddApp(t, nil)
	idToken, _ := app.Redeem(app.Code(p.NewBrowser(t), grace)).JSON(t)["id_token"].(string)
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sid":"x"}`)) + "."
	for name, sent := range map[string]url.Values{
		"none":                     {},
		"two":                      {"logout_token": {"a", "b"}},
		"no token":                 {"logout_token": {"x"}},
		"an ID token of an app's":  {"logout_token": {idToken}},
		"one that nobody signed":   {"logout_token": {unsigned}},
		"one that a stranger made": {"logout_token": {platformtest.NewKey(t).Sign("logout+jwt", map[string]any{"iss": platformtest.Identity, "sid": "x"})}},
	} {
		r := p.Post(t, developers+"/backchannel-logout", sent, nil)
		if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "logout_token") {
			t.Errorf("%s is answered %d %s", name, r.StatusCode, r.Text)
		}
	}
	if r := b.Get(developers + "/apps"); r.StatusCode != http.StatusOK {
		t.Errorf("somebody was signed out: %d", r.StatusCode)
	}
}
