package portal_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestADeveloperSignsInAndComesBackToThePageTheyAskedFor(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := p.NewBrowser(t)
	back := b.Get(answerOf(t, b, grace, "/apps/new")).Redirected(t)
	if back.String() != developers+"/apps/new" {
		t.Fatalf("led to %s", back)
	}
	if page := b.Get(back.String()); page.StatusCode != http.StatusOK || !strings.Contains(page.Text, "Grace") {
		t.Errorf("the page does not greet its developer: %d", page.StatusCode)
	}
	if home := b.Get(developers + "/").Redirected(t); home.Path != "/apps" {
		t.Errorf("the home page leads to %s", home)
	}
}

func TestTheWayToIdentityCarriesPKCEStateAndNonce(t *testing.T) {
	p := platformtest.New(t)
	sent := p.NewBrowser(t).Get(developers + "/login").Redirected(t).Query()
	for name, want := range map[string]string{"response_type": "code", "code_challenge_method": "S256", "scope": "openid profile email", "redirect_uri": developers + "/callback"} {
		if sent.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, sent.Get(name), want)
		}
	}
	again := p.NewBrowser(t).Get(developers + "/login").Redirected(t).Query()
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		if len(sent.Get(name)) != 43 || sent.Get(name) == again.Get(name) {
			t.Errorf("%s is not new for each attempt: %q, %q", name, sent.Get(name), again.Get(name))
		}
	}
}

// Each tab of a browser in which nobody is signed in has its sign-in to itself,
// whichever ends first.
func TestEveryTabOfAFreshBrowserSignsInAndLeadsOn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := p.NewBrowser(t)
	path := "/apps/" + string(p.AddApp(t, func(c *loop.Client) { c.Owner = grace.ID }).ID)
	wanted := []string{"/apps/new", "/apps", path, path + "/edit", path + "/rotate-secret", path + "/disable"}
	var pages []*platformtest.Response
	for _, page := range wanted { // all open before anybody signs in
		pages = append(pages, arrive(t, b, b.Get(developers+page)))
	}
	slices.Reverse(wanted)
	slices.Reverse(pages)
	for i, page := range pages {
		answer := arrive(t, b, b.SignIn(page, grace))
		if back := answer.Request.URL.Path; answer.StatusCode != http.StatusOK || back != wanted[i] {
			t.Errorf("the tab that asked for %s ends at %s: %d %s", wanted[i], back, answer.StatusCode, answer.Text)
		}
	}
}

func TestOfManyAbandonedSignInsTheOldestIsForgotten(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := p.NewBrowser(t)
	var attempts []*url.URL
	for range 20 {
		attempts = append(attempts, b.Get(developers+"/login?return=/apps/new").Redirected(t))
		p.World.Advance(time.Second)
	}
	if held := len(b.Cookies(developers)); held > 8 {
		t.Errorf("the browser holds %d cookies", held)
	}
	newest := attempts[len(attempts)-8:]
	answer := arrive(t, b, b.SignIn(arrive(t, b, b.Get(newest[0].String())), grace))
	if answer.Request.URL.Path != "/apps/new" {
		t.Errorf("the eighth newest ends at %s: %d", answer.Request.URL, answer.StatusCode)
	}
}

// A browser that loads an answer of identity's again, after a crash or by its
// history, is signed in already.
func TestAnAnswerThatIsLoadedAgainLeadsOnWhereTheSessionLives(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := p.NewBrowser(t)
	answer := answerOf(t, b, grace, "/apps/new")
	b.Get(answer).Redirected(t)
	if again := b.Get(answer).Redirected(t); again.Path != "/apps/new" {
		t.Errorf("it leads to %s", again)
	}
	if foreign := b.Get(answerOf(t, p.NewBrowser(t), grace, "/apps/new")).Redirected(t); foreign.String() != developers+"/apps" {
		t.Errorf("another browser's answer leads to %s", foreign)
	}
	b.Post(developers+"/logout", form(b.Get(developers+"/apps"), nil)).Redirected(t)
	if r := b.Get(answer); r.StatusCode != http.StatusBadRequest {
		t.Errorf("after signing out it is answered %d", r.StatusCode)
	}
}

func TestAnAnswerThatIsNotForThisBrowserSignsNobodyIn(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	changed := func(name, value string) func(*testing.T, *platformtest.Browser, string) (*platformtest.Browser, string) {
		return func(t *testing.T, b *platformtest.Browser, answer string) (*platformtest.Browser, string) {
			t.Helper()
			u, err := url.Parse(answer)
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			query.Del(name)
			if value != "" {
				query.Set(name, value)
			}
			u.RawQuery = query.Encode()
			return b, u.String()
		}
	}
	for name, tamper := range map[string]func(*testing.T, *platformtest.Browser, string) (*platformtest.Browser, string){
		"another browser's": func(t *testing.T, _ *platformtest.Browser, answer string) (*platformtest.Browser, string) {
			t.Helper()
			return p.NewBrowser(t), answer
		},
		"half an hour old": func(t *testing.T, b *platformtest.Browser, answer string) (*platformtest.Browser, string) {
			t.Helper()
			p.World.Advance(30 * time.Minute)
			return b, answer
		},
		"of another state":                     changed("state", strings.Repeat("A", 43)),
		"without a state":                      changed("state", ""),
		"RFC 9207 §2.4 of another issuer":      changed("iss", "https://identity.example.com"),
		"RFC 9207 §2.4 without an issuer":      changed("iss", ""),
		"with a code that was made up":         changed("code", "lph_ac_made-up"),
		"without a code":                       changed("code", ""),
		"with an error that is not a code":     changed("error", "<script>"),
		"with an error out of the closed list": changed("error", "access_denied"),
	} {
		t.Run(name, func(t *testing.T) {
			b := p.NewBrowser(t)
			b, answer := tamper(t, b, answerOf(t, b, grace, "/apps"))
			held := len(b.Cookies(developers))
			r := b.Get(answer)
			if r.StatusCode != http.StatusBadRequest {
				t.Errorf("answered with %d, want 400", r.StatusCode)
			}
			if strings.Contains(r.Text, "<script>") || len(b.Cookies(developers)) > held {
				t.Error("the page repeats a stranger's markup, or somebody was signed in")
			}
		})
	}
}

func TestSec093_AReturnAddressNeverLeavesThePortal(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	for _, address := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example`, `\\evil.example`, "/%2Fevil.example", "evil.example", "/apps/../../x",
		"javascript:alert(1)", "", "/apps?x=1", "/apps#x", "/\t/evil.example",
		"/%09/evil.example", "https:evil.example", "/..//evil.example", "///evil.example", "/apps/", "/" + strings.Repeat("a", 8<<10) + "//",
	} {
		answer := b.Follow(b.Get(developers + "/login?" + url.Values{"return": {address}}.Encode())).Redirected(t)
		if back := b.Get(answer.String()).Redirected(t); back.String() != developers+"/apps" {
			t.Errorf("%q leads to %s", address, back)
		}
	}
}

func TestASessionEnds(t *testing.T) {
	p := platformtest.New(t)
	signedOut := func(t *testing.T, b *platformtest.Browser) {
		t.Helper()
		if to := b.Get(developers + "/apps").Redirected(t); to.Path != "/login" {
			t.Errorf("led to %s, want the sign-in", to)
		}
	}
	t.Run("after twelve hours", func(t *testing.T) {
		b := developerOf(t, p, p.AddMember(t, "Grace"))
		p.World.Advance(12*time.Hour - time.Second)
		if r := b.Get(developers + "/apps"); r.StatusCode != http.StatusOK {
			t.Errorf("a second before: %d", r.StatusCode)
		}
		p.World.Advance(time.Second)
		signedOut(t, b)
	})
	t.Run("when the account is suspended", func(t *testing.T) {
		m := p.AddMember(t, "Hedy")
		b := developerOf(t, p, m)
		if err := p.Suspend(t, m); err != nil {
			t.Fatal(err)
		}
		signedOut(t, b)
	})
	t.Run("when the developer signs out", func(t *testing.T) {
		b := developerOf(t, p, p.AddMember(t, "Radia"))
		page := b.Get(developers + "/apps")
		if r := b.Post(developers+"/logout", url.Values{}); r.StatusCode != http.StatusForbidden {
			t.Errorf("a form without its token signs out: %d", r.StatusCode)
		}
		if to := b.Post(developers+"/logout", form(page, nil)).Redirected(t); to.Path != "/signed-out" {
			t.Errorf("led to %s", to)
		}
		signedOut(t, b)
	})
	t.Run("when its cookie was tampered with", func(t *testing.T) {
		b := developerOf(t, p, p.AddMember(t, "Barbara"))
		for _, cookie := range b.Cookies(developers) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, developers+"/apps", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value[:len(cookie.Value)-2] + "AA"})
			if to := p.NewBrowser(t).Do(req).Redirected(t); to.Path != "/login" {
				t.Errorf("led to %s", to)
			}
		}
	})
}

func TestASessionCookieIsForThisHostAndNoScript(t *testing.T) {
	p := platformtest.New(t)
	b := p.NewBrowser(t)
	r := b.Get(answerOf(t, b, p.AddMember(t, "Grace"), "/apps"))
	var session *http.Cookie
	for _, cookie := range r.Cookies() {
		if cookie.Name == "__Host-loop_portal" {
			session = cookie
		}
	}
	if session == nil || !session.Secure || !session.HttpOnly || session.SameSite != http.SameSiteLaxMode || session.Path != "/" || session.Domain != "" || session.MaxAge != 12*60*60 {
		t.Errorf("the session cookie is %v", session)
	}
	if session == nil {
		return
	}
	sealed, err := base64.RawURLEncoding.DecodeString(session.Value)
	if err != nil || bytes.Contains(sealed, []byte("grace@members.example")) {
		t.Errorf("the cookie can be read: %v", err)
	}
}
