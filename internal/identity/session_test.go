package identity_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
	"github.com/loop-health/loop/internal/signin"
)

// sessionOf is the value of the browser's session cookie.
func sessionOf(b *platformtest.Browser) string {
	for _, c := range b.Cookies(platformtest.Identity) {
		if c.Name == "__Host-loop_session" {
			return c.Value
		}
	}
	return ""
}

// get asks for a page with just these cookies.
func get(t *testing.T, p *platformtest.Platform, address, cookies string) *platformtest.Response {
	t.Helper()
	return p.Fetch(t, http.MethodGet, address, http.Header{"Cookie": {cookies}, "Accept": {"text/html"}})
}

// signedIn reports whether the cookie's value is that of a live session.
func signedIn(t *testing.T, p *platformtest.Platform, session string) bool {
	t.Helper()
	return get(t, p, platformtest.Identity+"/", "__Host-loop_session="+session).StatusCode == http.StatusOK
}

func TestSec064_WhoeverSignsInGetsASessionThatNobodyKnows(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, mallory, ada := p.AddApp(t, nil), p.AddMember(t, "Mallory"), p.AddMember(t, "Ada")
	planted := func(t *testing.T) (*platformtest.Browser, string) { // a browser with the attacker's session in it
		t.Helper()
		b := p.NewBrowser(t)
		b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), mallory)
		return b, sessionOf(b)
	}
	for name, act := range map[string]func(*testing.T, *platformtest.Browser){
		"sign-in": func(_ *testing.T, b *platformtest.Browser) {
			b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
		},
		"a new sign-in of the same member": func(_ *testing.T, b *platformtest.Browser) {
			b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), mallory)
		},
		"a step-up for an app": func(_ *testing.T, b *platformtest.Browser) {
			b.SignIn(b.Follow(b.Authorize(with(app.Request(), "prompt", "login"))), ada)
		},
		"sign-up": func(t *testing.T, b *platformtest.Browser) {
			t.Helper()
			page := b.Get(platformtest.Identity + "/signup?another=1")
			r := b.Post(platformtest.Identity+"/signup", url.Values{
				"csrf": {page.Field("csrf")}, "name": {"Bob"}, "email": {"bob@people.example"}, "password": {platformtest.Password},
			})
			if r.StatusCode != http.StatusSeeOther {
				t.Fatalf("%d %s", r.StatusCode, r.Text)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			p.World.Advance(time.Second)
			b, before := planted(t)
			p.World.Advance(time.Second)
			act(t, b)
			if after := sessionOf(b); after == before || !signedIn(t, p, after) {
				t.Error("the session is the one from before, or none")
			}
			if signedIn(t, p, before) {
				t.Error("the one from before lives")
			}
		})
	}
	t.Run("a value that nobody issued is not taken up", func(t *testing.T) {
		for _, value := range []string{"planted", "lph_ss_AAAAAAAA", strings.Repeat("a", 4000)} {
			page := get(t, p, platformtest.Identity+"/signin", "__Host-loop_session="+value)
			if strings.Contains(page.Header.Get("Set-Cookie"), value) || signedIn(t, p, value) {
				t.Errorf("%.20q was taken up", value)
			}
		}
	})
}

func TestSec065_AnOldCookieOpensNothing(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	for name, end := range map[string]func(*testing.T, *platformtest.Browser){
		"sign-out": signOut,
		"sign-out at an app's request": func(t *testing.T, b *platformtest.Browser) {
			t.Helper()
			hint := app.Redeem(b.Authorize(app.Request()).Redirected(t).Query().Get("code")).Pair(t).ID
			if r := b.Get(platformtest.Identity + "/v1/oauth/logout?" + url.Values{"id_token_hint": {hint}}.Encode()); r.StatusCode != http.StatusSeeOther {
				t.Fatalf("%d %s", r.StatusCode, r.Text)
			}
		},
		"suspension": func(t *testing.T, _ *platformtest.Browser) {
			t.Helper()
			if err := p.Suspend(t, ada); err != nil {
				t.Fatal(err)
			}
		},
		"suspension and resumption": func(t *testing.T, _ *platformtest.Browser) {
			t.Helper()
			if err := p.Suspend(t, ada); err != nil {
				t.Fatal(err)
			}
			if err := p.Run(t, "user", "resume", string(ada.ID)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			_ = p.Run(t, "user", "resume", string(ada.ID))
			b := p.NewBrowser(t)
			app.Code(b, ada)
			page := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
			old := sessionOf(b)
			jar := cookiesOf(b)
			end(t, b)
			p.Restart(t)
			if signedIn(t, p, old) {
				t.Error("the member's page opens")
			}
			silent := get(t, p, platformtest.Identity+"/v1/oauth/authorize?"+with(app.Request(), "prompt", "none").Encode(), jar)
			if got := silent.Redirected(t).Query(); got.Get("error") != "login_required" || got.Has("code") {
				t.Errorf("prompt=none gives %v", got)
			}
			form := url.Values{
				"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")}, "decision": {"allow"}, "scope": {"profile"},
			}
			r := p.Post(t, platformtest.Identity+"/consent", form, http.Header{"Cookie": {jar}, "Sec-Fetch-Site": {"same-origin"}})
			if to := r.Redirected(t); to.Path != "/signin" {
				t.Errorf("consent leads to %s", to)
			}
		})
	}
	t.Run("the sessions of other browsers go on after a sign-out", func(t *testing.T) {
		_ = p.Run(t, "user", "resume", string(ada.ID))
		one, other := p.NewBrowser(t), p.NewBrowser(t)
		for _, b := range []*platformtest.Browser{one, other} {
			b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
		}
		signOut(t, one)
		if !signedIn(t, p, sessionOf(other)) {
			t.Error("it ended")
		}
	})
}

// cookiesOf are the browser's cookies as it would send them.
func cookiesOf(b *platformtest.Browser) string {
	var all []string
	for _, c := range b.Cookies(platformtest.Identity) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

func TestSec066_TheNextInTheSameBrowserGetsNothingOfTheFirst(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ann, ben := p.AddApp(t, nil), p.AddMember(t, "Annabella"), p.AddMember(t, "Benjamin")
	b := p.NewBrowser(t)
	app.Code(b, ann) // Ann has allowed the app
	page := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
	signOut(t, b)
	b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ben)

	if home := b.Get(platformtest.Identity + "/account/apps"); strings.Contains(home.Text, "Annabella") || !strings.Contains(home.Text, "Benjamin") {
		t.Error("the page shows somebody else")
	}
	if again := b.Decide(page, "allow", "profile", "read:biomarkers"); again.StatusCode == http.StatusSeeOther || strings.Contains(again.Text, "Annabella") {
		t.Errorf("Ann's page is taken from Ben: %d", again.StatusCode)
	}
	if got := b.Authorize(with(app.Request(), "prompt", "none")).Redirected(t).Query(); got.Get("error") != "consent_required" {
		t.Errorf("Ann's consent counts for Ben: %v", got)
	}
	tokens := app.Redeem(app.Code(b, ben)).Pair(t)
	if claims(t, tokens.ID)["sub"] != string(ben.ID) || p.UserInfo(t, tokens.Access).JSON(t)["sub"] != string(ben.ID) {
		t.Error("the tokens are not Ben's")
	}
}

func TestSec067_NoOtherSiteSendsOurForms(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b, consent := consentPage(p, t, app.Request(), ada)
	fields := func(more ...string) url.Values {
		return with(url.Values{"csrf": {consent.Field("csrf")}, "continue": {consent.Field("continue")}, "ticket": {consent.Field("ticket")}}, more...)
	}
	forms := map[string]url.Values{
		"/signin":  with(fields("email", "ada@members.example", "password", platformtest.Password), "continue", ""),
		"/signup":  with(fields("email", "eve@people.example", "password", platformtest.Password, "name", "Eve"), "continue", ""),
		"/consent": fields("decision", "allow", "scope", "profile"),
		"/choose":  fields("member", string(ada.ID)),
		"/notice":  fields(),
		"/signout": with(fields(), "continue", ""),
	}
	members := p.Count(t, "identity", "members")
	// Every header that is named here is there, and no other of these.
	for name, origin := range map[string]http.Header{
		"cross-site":                           {"Sec-Fetch-Site": {"cross-site"}},
		"same-site":                            {"Sec-Fetch-Site": {"same-site"}},
		"typed, as no form is":                 {"Sec-Fetch-Site": {"none"}},
		"cross-site, with our own Origin":      {"Sec-Fetch-Site": {"cross-site"}, "Origin": {platformtest.Identity}},
		"Sec-Fetch-Site twice":                 {"Sec-Fetch-Site": {"cross-site", "same-origin"}},
		"a foreign Origin":                     {"Origin": {"https://evil.example"}},
		"an Origin that begins like ours":      {"Origin": {platformtest.Identity + ".evil.example"}},
		"an Origin over http":                  {"Origin": {strings.Replace(platformtest.Identity, "https", "http", 1)}},
		"an Origin on another port":            {"Origin": {platformtest.Identity + ":8443"}},
		"another host of ours":                 {"Origin": {platformtest.Developers}},
		"Origin null, and cross-site":          {"Origin": {"null"}, "Sec-Fetch-Site": {"cross-site"}},
		"two Origins":                          {"Origin": {platformtest.Identity, "https://evil.example"}},
		"a foreign Referer":                    {"Referer": {"https://evil.example/" + platformtest.Identity}},
		"a Referer with ours in its query":     {"Referer": {"https://evil.example/?" + platformtest.Identity}},
		"a Referer that begins like ours":      {"Referer": {platformtest.Identity + ".evil.example/"}},
		"a Referer with ours as user info":     {"Referer": {"https://identity.platform.test@evil.example/"}},
		"a Referer that is no address":         {"Referer": {"://"}},
		"a foreign Origin and our Referer":     {"Origin": {"https://evil.example"}, "Referer": {platformtest.Identity + "/signin"}},
		"our own page, but no token":           nil,
		"our own page, and an older browser's": nil,
	} {
		for path, form := range forms {
			t.Run(path+" "+name, func(t *testing.T) {
				sent := with(url.Values{}, "x", "")
				for field, values := range form {
					sent[field] = values
				}
				header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"text/html"}}
				for field, values := range origin {
					header[field] = values
				}
				switch name {
				case "our own page, but no token":
					header.Set("Sec-Fetch-Site", "same-origin")
					sent.Del("csrf")
				case "our own page, and an older browser's":
					header.Set("Sec-Fetch-Site", "same-origin")
					sent.Set("csrf", p.NewBrowser(t).Get(platformtest.Identity+"/signin").Field("csrf"))
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, platformtest.Identity+path, strings.NewReader(sent.Encode()))
				if err != nil {
					t.Fatal(err)
				}
				req.Header = header
				before := sessionOf(b)
				if r := b.Do(req); r.StatusCode != http.StatusForbidden || r.Header.Get("Location") != "" || sessionOf(b) != before || !signedIn(t, p, before) {
					t.Errorf("%d, location %q", r.StatusCode, r.Header.Get("Location"))
				}
			})
		}
	}
	if grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID); err != nil || grant != nil {
		t.Errorf("a grant was made: %v, %v", grant, err)
	}
	if count := p.Count(t, "identity", "members"); count != members {
		t.Error("an account was made")
	}
	// Our pages send no referrer, and so "null" as their Origin.
	for name, header := range map[string]http.Header{"nothing of this": {}, "Origin null alone": {"Origin": {"null"}}} {
		t.Run("our own page works, also in a browser that sends "+name, func(t *testing.T) {
			header.Set("Cookie", cookiesOf(b))
			if r := p.Post(t, platformtest.Identity+"/consent", fields("decision", "allow", "scope", "profile"), header); !r.Redirected(t).Query().Has("code") {
				t.Errorf("%d %s", r.StatusCode, r.Text)
			}
		})
	}
	t.Run("Origin null without the token does not", func(t *testing.T) {
		r := p.Post(t, platformtest.Identity+"/consent", with(fields("decision", "allow"), "csrf", "x"), http.Header{"Cookie": {cookiesOf(b)}, "Origin": {"null"}})
		if r.StatusCode != http.StatusForbidden {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})
}

func TestSec068_CookiesOfTheWholeJourney(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	var set []*http.Cookie
	saw := func(r *platformtest.Response) *platformtest.Response {
		set = append(set, r.Cookies()...)
		return r
	}
	follow := func(r *platformtest.Response) *platformtest.Response {
		for r.StatusCode == http.StatusSeeOther && strings.HasPrefix(r.Header.Get("Location"), "/") {
			r = saw(b.Get(platformtest.Identity + r.Header.Get("Location")))
		}
		return r
	}
	page := follow(saw(b.Authorize(app.Request())))
	saw(b.Get(platformtest.Identity + "/signup"))
	consent := follow(saw(b.Post(platformtest.Identity+"/signin", url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "email": {string(ada.Email)}, "password": {platformtest.Password},
	})))
	saw(b.Decide(consent, "allow", "profile"))
	jar := cookiesOf(b)
	out := saw(b.Get(platformtest.Identity + "/signout"))
	saw(b.Post(platformtest.Identity+"/signout", url.Values{"csrf": {out.Field("csrf")}}))
	if len(set) < 3 {
		t.Fatalf("only %d cookies were set", len(set))
	}
	for _, c := range set {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || len(c.String()) > 4096 {
			t.Errorf("a cookie is %s", c)
		}
	}
	t.Run("the plain names are not read", func(t *testing.T) {
		b.SignIn(b.Get(platformtest.Identity+"/signin?another=1"), ada)
		jar = cookiesOf(b)
		if get(t, p, platformtest.Identity+"/", jar).StatusCode != http.StatusOK {
			t.Fatal("the cookies themselves do not work")
		}
		for _, plain := range []string{
			strings.ReplaceAll(jar, "__Host-", ""), strings.ReplaceAll(jar, "__Host-", "__Secure-"), strings.ReplaceAll(jar, "__Host-", "__host-"),
			jar + "; " + jar, // two of a name: one may be somebody else's
		} {
			if r := get(t, p, platformtest.Identity+"/", plain); r.StatusCode == http.StatusOK {
				t.Errorf("%.60s… signs in", plain)
			}
		}
	})
}

// challengeOfPage is what the page has a browser ask a passkey by: new each time.
var challengeOfPage = regexp.MustCompile(`data-options="[^"]*"`)

// countedStore counts what sign-ins ask of the store.
type countedStore struct {
	signin.Store
	calls []string
}

func (s *countedStore) Account(ctx context.Context, email loop.Email) (*loop.Member, string, error) {
	s.calls = append(s.calls, "account")
	return s.Store.Account(ctx, email)
}

func (s *countedStore) CountRefusal(ctx context.Context, refusal audit.Refusal) error {
	s.calls = append(s.calls, "refusal")
	return s.Store.CountRefusal(ctx, refusal)
}

func TestSec069_AnAccountCannotBeToldFromNone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, eve := p.AddMember(t, "Ada"), p.AddMember(t, "Eve")
	if err := p.Suspend(t, eve); err != nil {
		t.Fatal(err)
	}
	store := &countedStore{Store: p.SignIns.Store}
	p.SignIns.Store = store
	type outcome struct{ status, headers, text, calls string }
	try := func(email, password string) outcome {
		store.calls = nil
		r := signIn(p.NewBrowser(t), email, password)
		var headers []string
		for name := range r.Header {
			headers = append(headers, name+fmt.Sprint(len(r.Header.Values(name))))
		}
		text := strings.ReplaceAll(r.Text, r.Field("csrf"), "")
		text = strings.ReplaceAll(text, email, "")
		text = challengeOfPage.ReplaceAllString(text, "")
		return outcome{r.Status, fmt.Sprint(len(headers)), text, strings.Join(store.calls, " ")}
	}
	unknown := try("bob@members.example", "not the password")
	for name, known := range map[string]outcome{
		"a wrong password":                       try(string(ada.Email), "not the password"),
		"a suspended member's wrong password":    try(string(eve.Email), "not the password"),
		"a suspended member's right password":    try(string(eve.Email), platformtest.Password),
		"another address that has no account":    try("dan@members.example", "not the password"),
		"a password that could not be anybody's": try(string(ada.Email), "x"),
		"a long address that has no account":     try(strings.Repeat("d", 60)+"@members.example", "not the password"),
	} {
		if known != unknown {
			t.Errorf("%s: %+v\nan unknown address: %+v", name, known, unknown)
		}
	}
	t.Run("and a stranger's tries leave nothing behind", func(t *testing.T) {
		if left := p.Count(t, "identity", "audit_tallies WHERE subject NOT LIKE 'user_%'"); left != 0 {
			t.Errorf("%d rows", left)
		}
	})
}

func TestSec070_GuessesAreCountedByAccountAndByPlace(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	try := func(from, email, password string) int {
		b := p.NewBrowserAt(t, from)
		return signIn(b, email, password).StatusCode
	}
	t.Run("an address in every spelling, from everywhere, is one account", func(t *testing.T) {
		spellings := []string{"ada@members.example", "ADA@members.example", " ada@MEMBERS.example ", "Ada@Members.Example"}
		limited := 0
		for i := range 100 {
			if try(fmt.Sprintf("203.0.%d.%d", i, i), spellings[i%len(spellings)], "guess number x") == http.StatusTooManyRequests {
				limited++
			}
		}
		if limited < 90 {
			t.Errorf("%d of 100 guesses were refused", limited)
		}
	})
	t.Run("the id of an account is no name to sign in with", func(t *testing.T) {
		p.World.Advance(time.Hour)
		for _, name := range []string{string(ada.ID), "Ada", "ada", "ada+x@members.example", "ada@members.example.", "ada@members.example\x00"} {
			if status := try("198.51.100.1", name, platformtest.Password); status == http.StatusSeeOther {
				t.Errorf("%q signs in", name)
			}
		}
	})
	t.Run("one password on many accounts is slowed down by place", func(t *testing.T) {
		limited := 0
		for i := range 120 {
			if try("198.51.100.7", fmt.Sprintf("member%d@members.example", i), "spring2026!") == http.StatusTooManyRequests {
				limited++
			}
		}
		if limited < 60 {
			t.Errorf("%d of 120 were refused", limited)
		}
		if status := try("198.51.100.8", "ada@members.example", platformtest.Password); status != http.StatusSeeOther {
			t.Errorf("a member elsewhere is kept out: %d", status)
		}
	})
}

func TestSec071_AStrangerLocksNobodyOut(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	known := p.NewBrowserAt(t, "203.0.113.20")
	if r := signIn(known, string(ada.Email), platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", r.StatusCode)
	}
	signOut(t, known)
	// flood fails a thousand times in the owner's name, also from the owner's network.
	flood := func() {
		for i := range 1000 {
			from := "198.51.100.9"
			if i%2 == 0 {
				from = "203.0.113.20"
			}
			if signIn(p.NewBrowserAt(t, from), string(ada.Email), "a wrong guess").StatusCode == http.StatusTooManyRequests {
				p.World.Advance(time.Second) // asks again as soon as it can
			}
		}
	}
	flood()
	if r := signIn(p.NewBrowserAt(t, "192.0.2.77"), string(ada.Email), platformtest.Password); r.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("the flood slowed nobody down: %d", r.StatusCode)
	}
	if r := signIn(known, string(ada.Email), platformtest.Password); r.StatusCode != http.StatusSeeOther {
		t.Fatalf("the owner is kept out of a browser that they signed in with before: %d %s", r.StatusCode, r.Text)
	}
	signOut(t, known)
	p.Restart(t)
	flood()
	t.Run("a known browser counts its own tries", func(t *testing.T) {
		var last *platformtest.Response
		for range 20 {
			last = signIn(known, string(ada.Email), "a wrong guess")
		}
		if last.StatusCode != http.StatusTooManyRequests {
			t.Errorf("guesses from it are not slowed down: %d", last.StatusCode)
		}
	})
	t.Run("it is known for its own member alone", func(t *testing.T) {
		eve := p.AddMember(t, "Eve")
		for i := range 20 { // from everywhere, or another network would not wait
			signIn(p.NewBrowserAt(t, fmt.Sprintf("192.0.2.%d", 100+i)), string(eve.Email), "a wrong guess")
		}
		if r := signIn(known, string(eve.Email), platformtest.Password); r.StatusCode != http.StatusTooManyRequests {
			t.Errorf("it passes for another's: %d", r.StatusCode)
		}
	})
	t.Run("its cookie helps no other browser", func(t *testing.T) {
		thief := p.NewBrowser(t)
		page := thief.Get(platformtest.Identity + "/signin")
		var stolen string
		for _, c := range known.Cookies(platformtest.Identity) {
			if c.Name == "__Host-loop_device" {
				stolen = "; " + c.Name + "=" + c.Value
			}
		}
		form := url.Values{"csrf": {page.Field("csrf")}, "email": {string(ada.Email)}, "password": {platformtest.Password}}
		r := p.Post(t, platformtest.Identity+"/signin", form, http.Header{"Cookie": {cookiesOf(thief) + stolen}, "Sec-Fetch-Site": {"same-origin"}})
		if stolen == "" || r.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%q: %d", stolen, r.StatusCode)
		}
	})
	t.Run("and nobody waits for ever", func(t *testing.T) {
		p.World.Advance(5 * time.Minute)
		if r := signIn(p.NewBrowserAt(t, "192.0.2.79"), string(ada.Email), platformtest.Password); r.StatusCode != http.StatusSeeOther {
			t.Errorf("%d", r.StatusCode)
		}
	})
}

func TestSec072_ASuspendedMemberIsRefusedOnEveryPath(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, keyed := p.AddApp(t, nil), p.AddKeyApp(t, nil)
	ada := p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	keyed.Redeem(keyed.Code(b, ada)).Pair(t)
	code := app.Code(b, ada)
	consent := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
	choice := b.Follow(b.Authorize(with(app.Request(), "prompt", "select_account consent")))
	handle := push(t, app, app.Request())
	if err := p.Suspend(t, ada); err != nil {
		t.Fatal(err)
	}
	toSignIn := func(r *platformtest.Response) bool {
		r = b.Follow(r)
		return r.StatusCode == http.StatusOK && strings.Contains(r.Text, `id="sign-in"`)
	}
	for name, refused := range map[string]func() bool{
		"password": func() bool {
			return signIn(p.NewBrowser(t), string(ada.Email), platformtest.Password).StatusCode == http.StatusBadRequest
		},
		"a live session":   func() bool { return b.Get(platformtest.Identity+"/").Header.Get("Location") == "/signin" },
		"authorize":        func() bool { return toSignIn(b.Authorize(app.Request())) },
		"a pushed request": func() bool { return toSignIn(b.Authorize(byHandle(app, handle))) },
		"a signed request": func() bool { return toSignIn(b.Authorize(keyed.Signed(keyed.Request()))) },
		"the consent form": func() bool { return toSignIn(b.Decide(consent, "allow", "profile")) },
		"the choice's form": func() bool {
			return toSignIn(b.Post(platformtest.Identity+"/choose", url.Values{
				"csrf": {choice.Field("csrf")}, "continue": {choice.Field("continue")}, "member": {string(ada.ID)},
			}))
		},
		"prompt=none": func() bool {
			return b.Authorize(with(app.Request(), "prompt", "none")).Redirected(t).Query().Get("error") == "login_required"
		},
		"a code":          func() bool { return app.Redeem(code).JSON(t)["error"] == "invalid_grant" },
		"a refresh token": func() bool { return app.Refresh(tokens.Refresh).JSON(t)["error"] == "invalid_grant" },
		"userinfo":        func() bool { return p.UserInfo(t, tokens.Access).StatusCode == http.StatusUnauthorized },
		"health data":     func() bool { return p.Biomarkers(t, tokens.Access).StatusCode == http.StatusUnauthorized },
		"introspection":   func() bool { return introspect(app, tokens.Access).JSON(t)["active"] == false },
		"the portal": func() bool {
			return b.Get(platformtest.Developers+"/apps").Redirected(t).Path == "/login"
		},
	} {
		if !refused() {
			t.Errorf("%s is open", name)
		}
	}
}

func TestSec081_NobodyIsBelievedWhoSaysWhoTheyAre(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, nil), p.AddMember(t, "Ada")
	tokens := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t)
	certified := p.AddApp(t, func(c *loop.Client) {
		c.Protocol.AuthMethod, c.Protocol.TLSSubjectDN = loop.AuthTLS, "CN=labs"
	})
	claimed := http.Header{
		"X-Forwarded-User": {string(ada.Email)}, "X-Forwarded-Email": {string(ada.Email)}, "X-Auth-Request-User": {string(ada.ID)}, "Remote-User": {string(ada.ID)},
		"X-User-Id": {string(ada.ID)}, "X-Client-Id": {string(app.ID)}, "X-Forwarded-Access-Token": {tokens.Access}, "X-Forwarded-Uri": {"/"}, "X-Original-Url": {"/"},
		"X-Rewrite-Url": {"/"}, "X-Forwarded-For": {"127.0.0.1"}, "X-Real-Ip": {"127.0.0.1"}, "Forwarded": {"for=127.0.0.1;host=evil.example;proto=http"},
		"X-Forwarded-Proto": {"javascript"}, "X-Forwarded-Host": {"evil.example"}, "User-Agent": {"kube-probe/1.30 GoogleHC/1.0 ELB-HealthChecker/2.0"},
		"Client-Cert": {":AAAA:"}, "X-Client-Cert": {"AAAA"}, "X-Forwarded-Client-Cert": {"Subject=\"CN=labs\""}, "Ssl-Client-Cert": {"AAAA"}, "X-Ssl-Client-Verify": {"SUCCESS"},
		"X-Ssl-Client-S-Dn": {"CN=labs"},
	}
	for _, address := range []string{userInfoAddress, resultsAddress} {
		if r := p.Fetch(t, http.MethodGet, address, claimed); r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "unauthenticated" {
			t.Errorf("%s: %d %s", address, r.StatusCode, r.Text)
		}
	}
	if r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/", claimed); r.Header.Get("Location") != "/signin" {
		t.Errorf("somebody is signed in: %d %s", r.StatusCode, r.Text)
	}
	for _, one := range []*platformtest.App{app, certified} {
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "client_id": {string(one.ID)}}
		refused(t, p.Post(t, tokenAddress, form, claimed), http.StatusUnauthorized, "invalid_client")
	}
	t.Run("Sec080 nor what host this is", func(t *testing.T) {
		r := p.Fetch(t, http.MethodGet, platformtest.Identity+"/.well-known/openid-configuration", claimed)
		if r.JSON(t)["issuer"] != platformtest.Identity || strings.Contains(r.Text, "evil") {
			t.Errorf("%s", r.Text)
		}
		to := p.Fetch(t, http.MethodGet, platformtest.Identity+"/v1/oauth/authorize?"+with(app.Request(), "prompt", "none").Encode(), claimed).Redirected(t)
		if to.Query().Get("iss") != platformtest.Identity {
			t.Errorf("%s", to)
		}
	})
}
