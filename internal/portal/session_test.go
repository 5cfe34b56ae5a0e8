package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

// sessionCookie is the browser's session at the portal, as it would send it.
func sessionCookie(t *testing.T, b *platformtest.Browser) string {
	t.Helper()
	for _, c := range b.Cookies(developers) {
		if c.Name == "__Host-loop_portal" {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatal("nobody is signed in")
	return ""
}

// opens reports whether the cookie opens the portal.
func opens(t *testing.T, p *platformtest.Platform, cookie string) bool {
	t.Helper()
	r := p.Fetch(t, http.MethodGet, developers+"/apps", http.Header{"Cookie": {cookie}})
	return r.StatusCode == http.StatusOK
}

func TestSec065_ACookieFromBeforeOpensNothing(t *testing.T) {
	p := platformtest.New(t)
	t.Run("after signing out, also after a restart", func(t *testing.T) {
		grace := p.AddMember(t, "Grace")
		b, other := developerOf(t, p, grace), developerOf(t, p, grace)
		old, elsewhere := sessionCookie(t, b), sessionCookie(t, other)
		b.Post(developers+"/logout", form(b.Get(developers+"/apps"), nil)).Redirected(t)
		if opens(t, p, old) {
			t.Error("it opens the portal")
		}
		p.Restart(t)
		if opens(t, p, old) {
			t.Error("it opens the portal after a restart")
		}
		if !opens(t, p, elsewhere) {
			t.Error("another browser was signed out too")
		}
		p.World.Advance(48 * time.Hour)
		if err := p.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if opens(t, p, old) {
			t.Error("it opens the portal once its end is forgotten")
		}
	})
	t.Run("after a suspension that is over", func(t *testing.T) {
		hedy := p.AddMember(t, "Hedy")
		old := sessionCookie(t, developerOf(t, p, hedy))
		p.World.Advance(time.Second)
		if err := p.Suspend(t, hedy); err != nil {
			t.Fatal(err)
		}
		if err := p.Run(t, "user", "resume", string(hedy.ID)); err != nil {
			t.Fatal(err)
		}
		if opens(t, p, old) {
			t.Error("it opens the portal")
		}
	})
}

// changes are the pages that ask for a change to an app, and the acts.
var changes = map[string][]string{
	http.MethodGet:  {"/apps/new", "APP/edit", "APP/rotate-secret", "APP/disable"},
	http.MethodPost: {"/apps/new", "APP/edit", "APP/rotate-secret", "APP/disable", "APP/enable"},
}

func TestSec085_EveryChangeToAnAppAsksForARecentSignIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	app, _ := register(t, b, newApp())
	page := b.Get(developers + app + "/edit")
	before := client(t, p, app)
	p.World.Advance(16 * time.Minute)
	for method, paths := range changes {
		for _, path := range paths {
			path = strings.Replace(path, "APP", app, 1)
			r := &platformtest.Response{}
			if method == http.MethodGet {
				r = b.Get(developers + path)
			} else {
				r = b.Post(developers+path, form(page, newApp()))
			}
			to := r.Redirected(t)
			if to.Path != "/login" || to.Query().Get("return") != strings.TrimSuffix(path, "/enable") || !to.Query().Has("fresh") {
				t.Errorf("%s %s leads to %s", method, path, to)
			}
		}
	}
	if after := client(t, p, app); !after.UpdatedAt.Equal(before.UpdatedAt) || len(after.Secrets) != 1 {
		t.Error("an old sign-in changed the app")
	}
	if apps, err := p.Clients.Store.ClientsOf(t.Context(), grace.ID); err != nil || len(apps) != 1 {
		t.Errorf("an old sign-in registered an app: %d, %v", len(apps), err)
	}
	for _, open := range []string{"/apps", app} {
		if r := b.Get(developers + open); r.StatusCode != http.StatusOK {
			t.Errorf("%s, which changes nothing, is answered %d", open, r.StatusCode)
		}
	}
}

func TestSec085_ARecentSignInIsMadeAtIdentityAndNowhereElse(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	path, _ := register(t, b, newApp())
	p.World.Advance(16 * time.Minute)
	to := b.Get(developers + path + "/rotate-secret").Redirected(t)
	signIn := b.Follow(b.Get(b.Get(to.String()).Redirected(t).String()))
	if !strings.Contains(signIn.Text, `id="sign-in"`) {
		t.Fatalf("nobody asks for the password: %d %s", signIn.StatusCode, signIn.Text)
	}
	answer := b.SignIn(signIn, grace).Redirected(t)
	if back := b.Get(answer.String()).Redirected(t); back.Path != path+"/rotate-secret" {
		t.Errorf("signing in leads to %s", back)
	}
	made := b.Post(developers+path+"/rotate-secret", form(b.Get(developers+path+"/rotate-secret"), nil)).Redirected(t)
	if made.Path != path+"/secret" || len(client(t, p, path).Secrets) != 2 {
		t.Errorf("it leads to %s", made)
	}
	t.Run("an address without max_age is no way around it", func(t *testing.T) {
		p.World.Advance(16 * time.Minute)
		answer := arrive(t, b, b.Get(developers+"/login?"+url.Values{"return": {path + "/edit"}}.Encode()))
		if answer.Request.URL.Path == path+"/edit" && answer.StatusCode == http.StatusOK {
			t.Error("identity's session answers in silence, and opens the form")
		}
	})
}
