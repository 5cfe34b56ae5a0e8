package identity_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const (
	logoutAddress = platformtest.Identity + "/v1/oauth/logout"
	goodbye       = "https://app.example.com/goodbye"
)

// addLeaving registers an app that members can come back to after signing out.
func addLeaving(t *testing.T, p *platformtest.Platform, uri loop.RedirectURI) *platformtest.App {
	t.Helper()
	return p.AddApp(t, func(c *loop.Client) { c.Protocol.PostLogoutRedirectURIs = []loop.RedirectURI{uri} })
}

// asks fails the test where an answer is not the page that asks whether to sign
// out, and where the member was signed out already.
func asks(t *testing.T, b *platformtest.Browser, r *platformtest.Response) {
	t.Helper()
	if r.StatusCode != http.StatusOK || r.Header.Get("Location") != "" || !strings.Contains(r.Text, `id="sign-out"`) {
		t.Errorf("it is answered %d %s", r.StatusCode, r.Header.Get("Location"))
	}
	if b.Get(platformtest.Identity+"/").StatusCode != http.StatusOK {
		t.Error("the member was signed out")
	}
}

func TestSec094_NobodyIsSignedOutOrLedAwayByALink(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, other, ada, ben := addLeaving(t, p, goodbye), addLeaving(t, p, "https://other.example.com/bye"), p.AddMember(t, "Ada"), p.AddMember(t, "Ben")
	b := p.NewBrowser(t)
	hint := app.Redeem(app.Code(b, ada)).Pair(t).ID
	otherHint := other.Redeem(other.Code(b, ada)).Pair(t).ID
	bens := app.Redeem(app.Code(p.NewBrowser(t), ben)).Pair(t).ID
	elsewhere := app.Redeem(app.Code(p.NewBrowser(t), ada)).Pair(t).ID // of another session of hers
	logout := func(params ...string) *platformtest.Response {
		return b.Get(logoutAddress + "?" + with(url.Values{}, params...).Encode())
	}

	for _, uri := range []string{
		"https://app.example.com/goodbye/", "https://APP.example.com/goodbye", "https://app.example.com/goodbye?x=1", "https://app.example.com/goodbye#x",
		"https://app.example.com.evil.example/goodbye", "https://app.example.com@evil.example/goodbye", `https://evil.example\@app.example.com/goodbye`,
		"https://app.example.com/goodbye/../evil", "https://app.example.com//goodbye", "https://app.example.com:443/goodbye", "http://app.example.com/goodbye",
		"https:app.example.com/goodbye", "//app.example.com/goodbye", "//evil.example", "/goodbye", "https://app.example.com\\goodbye",
		"https://app.example.com/goodbye%0d%0aSet-Cookie:x=1", " https://app.example.com/goodbye", "https://аpp.example.com/goodbye", "javascript:alert(1)",
		"data:text/html,x", "https://evil.example/", platformtest.Callback, "https://other.example.com/bye",
	} {
		t.Run("with a hint to "+uri, func(t *testing.T) {
			onPage(t, logout("id_token_hint", hint, "post_logout_redirect_uri", uri, "state", "s"), "not registered")
			asks(t, b, logout())
		})
		t.Run("without a hint to "+uri, func(t *testing.T) {
			page := logout("post_logout_redirect_uri", uri, "client_id", string(app.ID))
			asks(t, b, page)
			if strings.Contains(page.Text, "evil.example") || strings.Contains(page.Text, "javascript:") {
				t.Error("the page repeats it")
			}
		})
	}
	for name, params := range map[string][]string{
		"no parameters":                                  nil,
		"a registered URI without a hint":                {"post_logout_redirect_uri", goodbye, "client_id", string(app.ID)},
		"only a state":                                   {"state", "s"},
		"a hint of another member":                       {"id_token_hint", bens, "post_logout_redirect_uri", goodbye},
		"a hint of another session of the member's":      {"id_token_hint", elsewhere, "post_logout_redirect_uri", goodbye},
		"a hint of another member, and nowhere to go":    {"id_token_hint", bens},
		"another app's hint of another member's session": {"id_token_hint", bens, "client_id", string(app.ID)},
	} {
		t.Run("the member is asked: "+name, func(t *testing.T) { asks(t, b, logout(params...)) })
	}
	for name, params := range map[string][]string{
		"a hint that is none":               {"id_token_hint", "x.y.z"},
		"a hint that was changed":           {"id_token_hint", splice(hint, `{"iss":"`+platformtest.Identity+`","sub":"`+string(ada.ID)+`"}`)},
		"a hint that nobody signed":         {"id_token_hint", encode(`{"alg":"none","typ":"JWT"}`) + "." + strings.Split(hint, ".")[1] + "."},
		"a hint of another app":             {"id_token_hint", otherHint, "client_id", string(app.ID)},
		"a hint of one app, URI of another": {"id_token_hint", otherHint, "post_logout_redirect_uri", goodbye},
		"an app that is not there":          {"client_id", "client_01HXY00000000000000000000Z"},
	} {
		t.Run("a page: "+name, func(t *testing.T) {
			onPage(t, logout(params...), "")
			asks(t, b, logout())
		})
	}
	t.Run("a page: a parameter twice", func(t *testing.T) {
		onPage(t, b.Get(logoutAddress+"?"+url.Values{"id_token_hint": {hint, bens}}.Encode()), "")
		onPage(t, b.Get(logoutAddress+"?"+url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {goodbye, "https://evil.example"}}.Encode()), "")
	})
	send := func(method string, header http.Header, params url.Values) *platformtest.Response {
		req, err := http.NewRequestWithContext(t.Context(), method, logoutAddress, strings.NewReader(params.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return b.Do(req)
	}
	t.Run("another site's image, link and form", func(t *testing.T) {
		image := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Dest": {"image"}}
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if r := send(method, image.Clone(), url.Values{"id_token_hint": {hint}}); r.StatusCode != http.StatusForbidden {
				t.Errorf("an image by %s: %d", method, r.StatusCode)
			}
			asks(t, b, logout())
		}
		link := http.Header{"Sec-Fetch-Site": {"cross-site"}, "Referer": {"https://evil.example/"}}
		send(http.MethodGet, link.Clone(), nil)
		asks(t, b, b.Follow(send(http.MethodPost, link.Clone(), url.Values{"client_id": {string(app.ID)}})))
		if r := send(http.MethodPost, http.Header{"Sec-Fetch-Site": {"cross-site"}}, url.Values{"csrf": {"x"}, "logout": {"x"}}); r.StatusCode != http.StatusSeeOther {
			t.Errorf("%d", r.StatusCode)
		}
		asks(t, b, logout())
	})
	t.Run("HEAD", func(t *testing.T) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, logoutAddress+"?"+url.Values{"id_token_hint": {hint}}.Encode(), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		b.Do(req)
		asks(t, b, logout())
	})
	t.Run("the form of a page that another browser was shown", func(t *testing.T) {
		attacker := p.NewBrowser(t)
		theirs := attacker.Get(logoutAddress + "?" + url.Values{"client_id": {string(app.ID)}}.Encode())
		own := logout()
		if theirs.Field("logout") == "" {
			t.Fatal("the page carries no request")
		}
		r := b.Post(platformtest.Identity+"/logout", url.Values{"csrf": {own.Field("csrf")}, "logout": {theirs.Field("logout")}})
		onPage(t, r, "start again")
		asks(t, b, logout())
	})
	t.Run("a continuation in place of a request to sign out", func(t *testing.T) {
		consent := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
		r := b.Post(platformtest.Identity+"/logout", url.Values{"csrf": {consent.Field("csrf")}, "logout": {consent.Field("continue")}})
		onPage(t, r, "start again")
		asks(t, b, logout())
	})
	t.Run("signed out is said when it is so", func(t *testing.T) {
		if r := b.Get(platformtest.Identity + "/signed-out"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/" {
			t.Errorf("it is said to a member who is signed in: %d", r.StatusCode)
		}
	})
	t.Run("Sec030 the state comes back as it was, and nothing else", func(t *testing.T) {
		state := `"><script>&code=x%0d%0a ü`
		to := logout("id_token_hint", hint, "post_logout_redirect_uri", goodbye, "state", state).Redirected(t)
		if query := to.Query(); !strings.HasPrefix(to.String(), goodbye+"?") || len(query) != 1 || query.Get("state") != state {
			t.Errorf("it leads to %s", to)
		}
		if b.Get(platformtest.Identity+"/").StatusCode == http.StatusOK {
			t.Error("the member is signed in still")
		}
	})
}

func TestSec094_SigningOutThatFailsIsNotSaidToHaveHappened(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := addLeaving(t, p, goodbye), p.AddMember(t, "Ada")
	b := p.NewBrowser(t)
	hint := app.Redeem(app.Code(b, ada)).Pair(t).ID
	page := b.Get(platformtest.Identity + "/signout")
	if err := p.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*platformtest.Response{
		"at an app's request": b.Get(logoutAddress + "?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {goodbye}}.Encode()),
		"by the form":         b.Post(platformtest.Identity+"/signout", url.Values{"csrf": {page.Field("csrf")}}),
	} {
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Location") != "" || strings.Contains(r.Text, "signed out") {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.Header.Get("Location"))
		}
	}
	p.Open(t)
	p.World.Advance(time.Second)
	if b.Get(platformtest.Identity+"/").StatusCode != http.StatusOK {
		t.Error("the browser lost its session, which lives on")
	}
}
