package portal_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// twice sends a form from two windows of a browser at once.
func twice(b *platformtest.Browser, address string, sent url.Values) (answers [2]*platformtest.Response) {
	var both sync.WaitGroup
	for i := range answers {
		both.Go(func() { answers[i] = b.Post(address, sent) })
	}
	both.Wait()
	return answers
}

func TestSec172_AFormThatIsSentTwiceDoesItsActOnce(t *testing.T) {
	t.Parallel()
	t.Run("registering an app", func(t *testing.T) {
		t.Parallel()
		p := platformtest.New(t)
		grace := p.AddMember(t, "Grace")
		b := developerOf(t, p, grace)
		answers := twice(b, developers+"/apps/new", form(b.Get(developers+"/apps/new"), newApp()))
		first, second := answers[0].Redirected(t), answers[1].Redirected(t)
		if first.Path != second.Path || !strings.HasSuffix(first.Path, "/secret") {
			t.Fatalf("they lead to %s and %s", first, second)
		}
		if apps, err := p.Clients.Store.ClientsOf(t.Context(), grace.ID); err != nil || len(apps) != 1 {
			t.Errorf("%d apps were registered, %v", len(apps), err)
		}
		path := strings.TrimSuffix(first.Path, "/secret")
		if secret := textOf(b.Get(first.String()).Text, "secret"); !proves(t, p, path, secret) {
			t.Errorf("%q is not the app's secret", secret)
		}
	})
	t.Run("a new secret", func(t *testing.T) {
		t.Parallel()
		p := platformtest.New(t)
		b := developerOf(t, p, p.AddMember(t, "Grace"))
		path, inUse := register(t, b, newApp())
		answers := twice(b, developers+path+"/rotate-secret", form(b.Get(developers+path+"/rotate-secret"), nil))
		first, second := answers[0].Redirected(t), answers[1].Redirected(t)
		made := textOf(b.Get(second.String()).Text, "secret")
		if first.Path != second.Path || !proves(t, p, path, inUse) || !proves(t, p, path, made) || len(client(t, p, path).Secrets) != 2 {
			t.Errorf("they lead to %s and %s; the secret in use works: %v, the new one: %v", first, second, proves(t, p, path, inUse), proves(t, p, path, made))
		}
	})
	t.Run("whatever else a button does", func(t *testing.T) {
		t.Parallel()
		p := platformtest.New(t)
		b := developerOf(t, p, p.AddMember(t, "Grace"))
		path, _ := register(t, b, newApp())
		for act, page := range map[string]string{"/disable": "/disable", "/enable": "", "/edit": "/edit"} {
			if act == "/enable" {
				b.Post(developers+path+"/disable", form(b.Get(developers+path+"/disable"), nil)).Redirected(t)
			}
			before := p.Count(t, "identity", "audit_records")
			for _, r := range twice(b, developers+path+act, form(b.Get(developers+path+page), newApp())) {
				if to := r.Redirected(t); to.Path != path {
					t.Errorf("%s leads to %s", act, to)
				}
			}
			if done := p.Count(t, "identity", "audit_records") - before; done != 1 {
				t.Errorf("%s was done %d times", act, done)
			}
		}
	})
	t.Run("on another replica, and after a restart", func(t *testing.T) {
		t.Parallel()
		p := platformtest.New(t)
		grace := p.AddMember(t, "Grace")
		b := developerOf(t, p, grace)
		sent := form(b.Get(developers+"/apps/new"), newApp())
		first := b.Post(developers+"/apps/new", sent).Redirected(t)
		p.Restart(t)
		if second := b.Post(developers+"/apps/new", sent).Redirected(t); second.Path != first.Path {
			t.Errorf("they lead to %s and %s", first, second)
		}
	})
}

func TestAFormThatIsSentAgainWithOtherValuesSaysWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	page := b.Get(developers + "/apps/new")
	b.Post(developers+"/apps/new", form(page, newApp())).Redirected(t)
	other := newApp()
	other.Set("name", "Evening Labs")
	again := b.Post(developers+"/apps/new", form(page, other))
	if !strings.Contains(again.Text, "was sent before") || attrOf(again.Text, "name", "value") != "Evening Labs" {
		t.Fatalf("%d: what was typed is lost, or nothing is said", again.StatusCode)
	}
	b.Post(developers+"/apps/new", form(again, other)).Redirected(t)
	if apps, err := p.Clients.Store.ClientsOf(t.Context(), grace.ID); err != nil || len(apps) != 2 {
		t.Errorf("there are %d apps, %v", len(apps), err)
	}
}

// filled is a form with something in every field that a developer types into.
func filled() url.Values {
	return url.Values{
		"name": {"Morning Labs: \"ünï\" & <co>"}, "redirect_uri": {"https://app.example.com/cb?a=b&c=d", "http://localhost:5000/callback"},
		"type": {"public"}, "scope": {"openid", "email"},
	}
}

func TestAFormWhoseSessionEndedComesBackFilledIn(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*testing.T, *platformtest.Platform, *platformtest.Browser){
		"after twelve hours": func(_ *testing.T, p *platformtest.Platform, _ *platformtest.Browser) { p.World.Advance(12 * time.Hour) },
		"after a sign-out elsewhere": func(t *testing.T, p *platformtest.Platform, b *platformtest.Browser) {
			t.Helper()
			b.Post(developers+"/logout", form(b.Get(developers+"/apps"), nil)).Redirected(t)
		},
		"after a quarter of an hour": func(_ *testing.T, p *platformtest.Platform, _ *platformtest.Browser) {
			p.World.Advance(16 * time.Minute)
		},
	}
	for name, end := range ends {
		for _, page := range []string{"/apps/new", "/edit"} {
			t.Run(name+" "+page, func(t *testing.T) {
				t.Parallel()
				p := platformtest.New(t)
				grace := p.AddMember(t, "Grace")
				b := developerOf(t, p, grace)
				path := page
				if page == "/edit" {
					app, _ := register(t, b, newApp())
					path = app + page
				}
				before := p.Count(t, "identity", "clients")
				sent := form(b.Get(developers+path), filled())
				end(t, p, b)
				signIn := arrive(t, b, b.Post(developers+path, sent))
				if strings.Contains(signIn.Text, `id="sign-in"`) {
					signIn = arrive(t, b, b.SignIn(signIn, grace))
				}
				if signIn.StatusCode != http.StatusOK || signIn.Request.URL.Path != path || !strings.Contains(signIn.Text, "nothing was saved yet") {
					t.Fatalf("signing in ends at %s: %d %s", signIn.Request.URL, signIn.StatusCode, signIn.Text)
				}
				if got := attrOf(signIn.Text, "name", "value"); got != filled().Get("name") {
					t.Errorf("the name is %q", got)
				}
				for i, id := range []string{"redirect-uri", "redirect-uri-2"} {
					if got := attrOf(signIn.Text, id, "value"); got != filled()["redirect_uri"][i] {
						t.Errorf("%s is %q", id, got)
					}
				}
				if after := p.Count(t, "identity", "clients"); after != before {
					t.Error("something was saved")
				}
				if again := b.Get(developers + path); strings.Contains(again.Text, "nothing was saved yet") {
					t.Error("it comes back twice")
				}
				sent.Set("csrf", signIn.Field("csrf"))
				b.Post(developers+path, sent).Redirected(t)
			})
		}
	}
}

func TestSec173_AKeptFormIsItsSendersAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace, mallory := p.AddMember(t, "Grace"), p.AddMember(t, "Mallory")
	keep := func(t *testing.T, name string) (*platformtest.Browser, string) {
		t.Helper()
		b := developerOf(t, p, grace)
		sent := form(b.Get(developers+"/apps/new"), newApp())
		sent.Set("name", name)
		b.Post(developers+"/logout", form(b.Get(developers+"/apps"), nil)).Redirected(t)
		b.Get(platformtest.Identity + "/signout")
		b.Post(developers+"/apps/new", sent).Redirected(t)
		for _, c := range b.Cookies(developers) {
			if c.Name == "__Host-loop_portal_form" {
				return b, c.Value
			}
		}
		t.Fatal("no form was kept")
		return nil, ""
	}
	t.Run("another member's", func(t *testing.T) {
		_, cookie := keep(t, "Morning Labs of Grace")
		other := developerOf(t, p, mallory)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, developers+"/apps/new", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range other.Cookies(developers) {
			req.AddCookie(c)
		}
		req.AddCookie(&http.Cookie{Name: "__Host-loop_portal_form", Value: cookie})
		if r := p.NewBrowser(t).Do(req); r.StatusCode != http.StatusOK || strings.Contains(r.Text, "of Grace") {
			t.Errorf("%d, or somebody else reads it", r.StatusCode)
		}
		if strings.Contains(cookie, "Grace") {
			t.Error("the cookie can be read")
		}
	})
	t.Run("from another site", func(t *testing.T) {
		b := p.NewBrowser(t)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, developers+"/apps/new", strings.NewReader(newApp().Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"cross-site"}}
		if r := b.Do(req); r.StatusCode != http.StatusForbidden || len(b.Cookies(developers)) != 0 {
			t.Errorf("%d, or the form was kept", r.StatusCode)
		}
	})
	t.Run("one that is too long says so", func(t *testing.T) {
		sent := newApp()
		sent.Set("name", strings.Repeat(rand.Text(), 400))
		for range 20 {
			sent.Add("redirect_uri", "https://app.example.com/"+rand.Text()+rand.Text()+rand.Text()+rand.Text()+rand.Text()+rand.Text())
		}
		r := p.NewBrowser(t).Post(developers+"/apps/new", sent)
		if r.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(r.Text, "too long to be kept") {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})
}

func TestSec361_APrivateKeyIsNotKeptWithAForm(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	app, _ := register(t, b, newApp())
	key := platformtest.NewKey(t)
	private, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.JSONWebKey}})
	if err != nil {
		t.Fatal(err)
	}
	public := string(key.Set())
	for name, test := range map[string]struct{ pasted, want string }{
		"a public key comes back":         {public, public},
		"a private one does not":          {string(private), ""},
		"nor one that is not well formed": {string(private) + "}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			sent := filledIn(t, b.Get(developers+app+"/edit"))
			sent.Set("jwks", test.pasted)
			p.World.Advance(16 * time.Minute)
			page := arrive(t, b, b.SignIn(arrive(t, b, b.Post(developers+app+"/edit", sent)), grace))
			if !strings.Contains(page.Text, "nothing was saved yet") {
				t.Fatalf("%d %s", page.StatusCode, page.Text)
			}
			if got := textOf(page.Text, "jwks"); got != test.want {
				t.Errorf("the key set is %q", got)
			}
		})
	}
}

func TestAFormThatLayOpenForTooLongIsShownAgain(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	old := form(developerOf(t, p, grace).Get(developers+"/apps/new"), newApp())
	p.World.Advance(13 * time.Hour)
	b := developerOf(t, p, grace)
	r := b.Post(developers+"/apps/new", old)
	if r.StatusCode != http.StatusOK || attrOf(r.Text, "name", "value") != "Morning Labs" {
		t.Fatalf("%d %s", r.StatusCode, r.Text)
	}
	if apps, err := p.Clients.Store.ClientsOf(t.Context(), grace.ID); err != nil || len(apps) != 0 {
		t.Errorf("it was carried out: %d, %v", len(apps), err)
	}
	app := p.AddApp(t, func(c *loop.Client) { c.Owner = grace.ID })
	if to := b.Post(developers+"/apps/"+string(app.ID)+"/disable", url.Values{"csrf": old["csrf"]}).Redirected(t); !strings.HasSuffix(to.Path, "/disable") || !client(t, p, "/apps/"+string(app.ID)).Enabled {
		t.Errorf("a button of then leads to %s", to)
	}
}
