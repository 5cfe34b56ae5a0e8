package portal_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const readyMade = "client_0000000000000000P1AYGR0VND"

// player is a developer in the playground.
type player struct {
	*platformtest.Browser
	t        *testing.T
	platform *platformtest.Platform
	member   *loop.Member // who allows the app
}

// press sends the playground's form.
func (p player) press(action string, more url.Values) *platformtest.Response {
	sent := form(p.Get(developers+"/playground"), more)
	sent.Set("action", action)
	return p.Post(developers+"/playground", sent)
}

// begin begins a walk and gives where the browser is sent.
func (p player) begin(app string, more url.Values) string {
	p.t.Helper()
	fields := url.Values{"client_id": {app}, "scope": {"openid", "profile", "read:biomarkers"}}
	for name, values := range more {
		fields[name] = values
	}
	page := p.press("begin", fields)
	for _, node := range elements(page.Text) {
		if attr(node, "id") == "go" {
			return attr(node, "href")
		}
	}
	p.t.Fatalf("the walk does not begin: %d %s", page.StatusCode, page.Text)
	return ""
}

// allowed goes to Loop as the member, allows the app and comes back.
func (p player) allowed(app string, more url.Values) *platformtest.Response {
	p.t.Helper()
	request, err := url.Parse(p.begin(app, more))
	if err != nil {
		p.t.Fatal(err)
	}
	params := request.Query()
	params.Set("prompt", "login consent")
	p.platform.World.Advance(time.Second) // the developer's own sign-in is from before
	answer := p.Allow(params, p.member)
	return arrive(p.t, p.Browser, p.Get(answer.String()))
}

func newPlayer(t *testing.T, p *platformtest.Platform) (player, *loop.Member) {
	t.Helper()
	grace, ada := p.AddMember(t, "Grace"), p.AddMember(t, "Ada")
	return player{developerOf(t, p, grace), t, p, ada}, grace
}

func TestPlayground_TheWholeWayToTheEndOfATokens(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	play, _ := newPlayer(t, p)
	back := play.allowed(readyMade, nil)
	if back.StatusCode != http.StatusOK || !strings.Contains(back.Text, "grant_type=authorization_code") || !strings.Contains(back.Text, "code_verifier=") {
		t.Fatalf("the way back: %d %s", back.StatusCode, back.Text)
	}
	for _, step := range []struct{ action, status, means string }{
		{"exchange", "200 OK", "The tokens are here"},
		{"read", "200 OK", "Lab results of the member"},
		{"userinfo", "200 OK", "What the member allowed"},
		{"refresh", "200 OK", "A new pair"},
		{"refresh", "200 OK", "A new pair"},
		{"reuse", "400 Bad Request", "took it for stolen"},
		{"read", "401 Unauthorized", "The access token is dead"},
		{"refresh", "400 Bad Request", "not good any more"},
	} {
		page := play.press(step.action, nil)
		if page.StatusCode != http.StatusOK || textOf(page.Text, "status") != step.status || !strings.Contains(textOf(page.Text, "means"), step.means) {
			t.Fatalf("%s: %d, %s: %s", step.action, page.StatusCode, textOf(page.Text, "status"), textOf(page.Text, "means"))
		}
		if step.action == "exchange" {
			if strings.Contains(page.Text, "✗") || strings.Count(page.Text, "✓") != 3 || !strings.Contains(html.UnescapeString(page.Text), `"sub": "`+string(play.member.ID)+`"`) {
				t.Errorf("the ID token is shown as %s", page.Text)
			}
		}
	}
}

func TestPlayground_RevokedTokensDie(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	play, _ := newPlayer(t, p)
	play.allowed(readyMade, nil)
	play.press("exchange", nil)
	if page := play.press("revoke", nil); textOf(page.Text, "status") != "200 OK" {
		t.Fatalf("revoke: %s", page.Text)
	}
	if page := play.press("read", nil); textOf(page.Text, "status") != "401 Unauthorized" {
		t.Errorf("read after it: %s", textOf(page.Text, "status"))
	}
}

func TestPlayground_AnOwnAppWithItsSecret(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	play, _ := newPlayer(t, p)
	path, secret := register(t, play.Browser, newApp())
	app := string(idOf(path))
	if page := play.press("begin", url.Values{"client_id": {app}, "scope": {"openid"}}); !strings.Contains(page.Text, "redirect URIs yet") {
		t.Errorf("an app that can't come back here: %d %s", page.StatusCode, page.Text)
	}
	for range 2 { // a second press changes nothing
		if r := play.Post(developers+path+"/playground", form(play.Get(developers+"/playground"), nil)); r.StatusCode != http.StatusSeeOther {
			t.Fatalf("adding the playground: %d %s", r.StatusCode, r.Text)
		}
	}
	stored, err := p.Clients.Store.Client(t.Context(), loop.ClientID(app))
	if err != nil || len(stored.RedirectURIs) != 2 {
		t.Fatalf("%v %v", stored.RedirectURIs, err)
	}
	play.allowed(app, url.Values{"client_secret": {"secret_wrong"}})
	if page := play.press("exchange", nil); textOf(page.Text, "status") != "401 Unauthorized" || !strings.Contains(textOf(page.Text, "means"), "did not prove itself") {
		t.Errorf("a wrong secret: %s", textOf(page.Text, "status"))
	}
	play.press("leave", nil)
	back := play.allowed(app, url.Values{"client_secret": {secret}})
	page := play.press("exchange", nil)
	if textOf(page.Text, "status") != "200 OK" || strings.Contains(back.Text+page.Text, secret) {
		t.Errorf("the right secret: %s, or it is shown: %d %s, then %d %s", textOf(page.Text, "status"), back.StatusCode, back.Text, page.StatusCode, page.Text)
	}
}

func TestPlayground_StepsThatCantBeTakenAreSaidSo(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	play, _ := newPlayer(t, p)
	if page := play.press("refresh", nil); !strings.Contains(page.Text, "This walk is over") {
		t.Errorf("without a walk: %s", page.Text)
	}
	play.begin(readyMade, nil)
	for _, action := range []string{"exchange", "reuse", "nonsense"} {
		if page := play.press(action, nil); page.StatusCode != http.StatusOK || !strings.Contains(page.Text, "was taken before, or comes later") {
			t.Errorf("%s: %d", action, page.StatusCode)
		}
	}
	play.press("leave", nil)
	if page := play.press("begin", url.Values{"client_id": {readyMade}, "scope": {"write:biomarkers", "nonsense"}}); !strings.Contains(page.Text, "at least one scope") {
		t.Errorf("no scope of the app's: %d", page.StatusCode)
	}
	play.begin(readyMade, nil)
	p.World.Advance(2 * time.Hour)
	if page := play.press("exchange", nil); page.StatusCode != http.StatusOK || !strings.Contains(page.Text, "This walk is over") {
		t.Errorf("two hours later: %d %s", page.StatusCode, page.Text)
	}
}

// An answer that belongs to no walk of this browser is refused, as an app has to.
func TestSec432_ThePlaygroundTakesOnlyAnswersToItsOwnRequests(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	play, _ := newPlayer(t, p)
	request, err := url.Parse(play.begin(readyMade, nil))
	if err != nil {
		t.Fatal(err)
	}
	good := url.Values{"state": {request.Query().Get("state")}, "iss": {platformtest.Identity}, "code": {"lph_ac_x"}}
	for name, answer := range map[string]url.Values{
		"another state": with(good, "state", "x"), "no state": with(good, "state", ""), "another issuer": with(good, "iss", "https://evil.example"), "no issuer": with(good, "iss", ""),
		"two states": {"state": {good.Get("state"), "x"}, "iss": good["iss"], "code": good["code"]},
	} {
		if r := play.Get(developers + "/playground/callback?" + answer.Encode()); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s is answered with %d", name, r.StatusCode)
		}
	}
	other, _ := newPlayer(t, platformtest.New(t))
	if r := other.Get(developers + "/playground/callback?" + good.Encode()); r.StatusCode != http.StatusBadRequest {
		t.Errorf("another browser is answered with %d", r.StatusCode)
	}
	if r := play.Get(developers + "/playground/callback?" + with(good, "error", "access_denied").Encode()); r.StatusCode != http.StatusSeeOther {
		t.Errorf("a refusal is answered with %d", r.StatusCode)
	}
	if page := play.Get(developers + "/playground"); !strings.Contains(page.Text, "came back with <code>access_denied</code>") {
		t.Errorf("a refusal is shown as %s", page.Text)
	}
}

// Only apps in development mode are played, whose tokens open invented data alone, and
// only by their developer.
func TestSec433_ThePlaygroundPlaysOwnAppsInDevelopmentAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	play, grace := newPlayer(t, p)
	callback := loop.RedirectURI(developers + "/playground/callback")
	app := func(alter func(*loop.Client)) string {
		return string(p.AddApp(t, func(c *loop.Client) {
			c.Owner, c.Mode = grace.ID, loop.Development
			c.RedirectURIs = append(c.RedirectURIs, callback)
			alter(c)
		}).ID)
	}
	for name, id := range map[string]string{
		"in production":    app(func(c *loop.Client) { c.Mode = loop.Production }),
		"another's":        app(func(c *loop.Client) { c.Owner = play.member.ID }),
		"disabled":         app(func(c *loop.Client) { c.Enabled = false }),
		"bound to keys":    app(func(c *loop.Client) { c.Protocol.DPoPBound = true }),
		"nobody's":         string(loop.NewClientID(p.World)),
		"the portal's own": "client_0000000000000000DEVE10PERS",
		"not an id at all": "x",
	} {
		if r := play.press("begin", url.Values{"client_id": {id}, "scope": {"openid"}}); r.StatusCode != http.StatusNotFound {
			t.Errorf("an app that is %s is answered with %d", name, r.StatusCode)
		}
		if r := play.Post(developers+"/apps/"+id+"/playground", form(play.Get(developers+"/playground"), nil)); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusForbidden {
			t.Errorf("an app that is %s is changed: %d", name, r.StatusCode)
		}
	}
	for _, path := range []string{"/playground", "/playground/callback?state=x"} {
		if r := p.NewBrowser(t).Get(developers + path); r.StatusCode != http.StatusSeeOther {
			t.Errorf("who is signed out gets %s with %d", path, r.StatusCode)
		}
	}
	if r := play.Post(developers+"/playground", url.Values{"action": {"begin"}, "csrf": {"x"}}); r.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site is answered with %d", r.StatusCode)
	}
}

// Whoever plays a member is signed out of the portal, since a browser has one person
// signed in at Loop. The walk goes on, and opens nothing else of the portal.
func TestSec434_AWalkGoesOnWithoutASessionAndOpensNothingElse(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	play, grace := newPlayer(t, p)
	play.allowed(readyMade, nil)
	asWalker := func(path string) *platformtest.Response {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, developers+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range play.Cookies(developers) {
			if strings.HasSuffix(cookie.Name, "loop_portal_play") {
				request.AddCookie(cookie)
			}
		}
		return p.NewBrowser(t).Do(request)
	}
	if page := asWalker("/playground"); page.StatusCode != http.StatusOK || !strings.Contains(page.Text, "grant_type=authorization_code") || strings.Contains(page.Text, `id="sign-out"`) {
		t.Errorf("the walk does not go on: %d", page.StatusCode)
	}
	for _, path := range []string{"/apps", "/apps/new", "/debugger"} {
		if r := asWalker(path); r.StatusCode != http.StatusSeeOther {
			t.Errorf("a walk opens %s: %d", path, r.StatusCode)
		}
	}
	// Who signs in to the portal again may be somebody else than the member.
	login := asWalker("/login").Redirected(t)
	if login.Query().Get("prompt") != "select_account" {
		t.Errorf("signing in again: %s", login)
	}
	if err := p.Suspend(t, grace); err != nil {
		t.Fatal(err)
	}
	if r := asWalker("/playground"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("who was suspended walks on: %d", r.StatusCode)
	}
}
