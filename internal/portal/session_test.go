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

func TestSec085_ANewSecretAsksForAFreshSignIn(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	path, _ := register(t, b, newApp())
	page := b.Get(developers + path + "/rotate-secret")
	if page.Field("csrf") == "" {
		t.Fatalf("a fresh sign-in is asked again: %d", page.StatusCode)
	}
	p.World.Advance(16 * time.Minute)
	if to := b.Post(developers+path+"/rotate-secret", form(page, nil)).Redirected(t); to.Path != "/login" || len(client(t, p, path).Secrets) != 1 {
		t.Fatalf("an old session makes a secret: %s", to)
	}
	if r := b.Get(developers + path); r.StatusCode != http.StatusOK {
		t.Errorf("and opens nothing else: %d", r.StatusCode)
	}
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
		answer := b.Follow(b.Get(developers + "/login?" + url.Values{"return": {path + "/rotate-secret"}}.Encode())).Redirected(t)
		b.Get(b.Follow(b.Get(answer.String())).Redirected(t).String()) // identity's session answers in silence
		if to := b.Get(developers + path + "/rotate-secret").Redirected(t); to.Path != "/login" {
			t.Errorf("it leads to %s", to)
		}
	})
}
