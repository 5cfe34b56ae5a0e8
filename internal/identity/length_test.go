package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// Whatever length of request is begun can be finished.
func TestAuthorize_ALongRequestIsRefusedAtOnceOrGoesThrough(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	for _, name := range []string{"login_hint", "unknown"} {
		for _, length := range []int{2_000, 4_000, 6_000, 8_000, 9_000, 10_000, 11_000, 11_500} {
			request := with(app.Request(), name, strings.Repeat("x", length))
			b := p.NewBrowser(t)
			r := b.Authorize(request)
			if to, err := r.Location(); err == nil && to.Query().Get("error") == "invalid_request" {
				if length < 6_000 {
					t.Errorf("%s of %d is refused: %s", name, length, to)
				}
				continue
			}
			if page := b.Follow(r); page.StatusCode != http.StatusOK {
				t.Fatalf("%s of %d: after status %d comes %d: %s", name, length, r.StatusCode, page.StatusCode, page.Text)
			}
			if code := b.Allow(request, ada).Query().Get("code"); code == "" {
				t.Errorf("%s of %d: no code", name, length)
			}
		}
	}
}

// A post is sent around as a GET, as far as an address can carry it.
func TestAuthorize_APostThatIsTooLongForAnAddressSaysSo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	for _, path := range []string{"/v1/oauth/authorize", "/v1/oauth/logout"} {
		r := p.NewBrowser(t).Post(platformtest.Identity+path, with(app.Request(), "unknown", strings.Repeat("x", 13_000)))
		if r.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(r.Text, "Send less") {
			t.Errorf("%s: status %d: %s", path, r.StatusCode, r.Text)
		}
	}
}

// What is pushed needs no address: it is as long as a form may be.
func TestPush_ALongRequestGoesThrough(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	pushed := app.Send("/v1/oauth/par", with(app.Request(), "login_hint", strings.Repeat("x", 50_000)), nil).JSON(t)
	uri, _ := pushed["request_uri"].(string)
	b := p.NewBrowser(t)
	page := b.SignIn(b.Follow(b.Authorize(url.Values{"client_id": {string(app.ID)}, "request_uri": {uri}})), ada)
	if code := b.Decide(page, "allow", "openid").Redirected(t).Query().Get("code"); code == "" {
		t.Errorf("no code: %v", pushed)
	}
}
