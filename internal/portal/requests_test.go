package portal_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// debugging is a developer who looks at an app of theirs, beside a member.
type debugging struct {
	*platformtest.Platform
	app      *platformtest.App
	owner    *loop.Member
	ada      *loop.Member
	portal   *platformtest.Browser
	requests string // the page
}

func newDebugging(t *testing.T, alter func(*loop.Client)) *debugging {
	t.Helper()
	d := &debugging{Platform: platformtest.New(t)}
	d.owner, d.ada = d.AddMember(t, "Grace"), d.AddMember(t, "Ada")
	d.app = d.AddApp(t, func(c *loop.Client) {
		c.Owner = d.owner.ID
		if alter != nil {
			alter(c)
		}
	})
	d.portal = developerOf(t, d.Platform, d.owner)
	d.requests = developers + "/apps/" + string(d.app.ID) + "/requests"
	return d
}

var requestID = regexp.MustCompile(`req_[0-9A-Z]{26}`)

func TestRequests_ShowWhatTheAppSentAndWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, nil)
	if page := d.portal.Get(d.requests); !strings.Contains(page.Text, "Nothing yet") {
		t.Errorf("an app that sent nothing shows %d %s", page.StatusCode, page.Text)
	}
	tokens := d.app.Redeem(d.app.Code(d.NewBrowser(t), d.ada)).JSON(t)
	access, _ := tokens["access_token"].(string)
	d.Biomarkers(t, access)
	refused := d.app.Redeem("lph_ac_hush")

	page := d.portal.Get(d.requests)
	for _, want := range []string{"GET /v1/oauth/authorize", "POST /v1/oauth/token", "GET /v1/biomarkers/me", "invalid_grant", "at most 3 in one hour", refused.Header.Get("X-Request-Id")} {
		if !strings.Contains(page.Text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for query, want := range map[string]int{"class=refused": 1, "error=invalid_grant": 1, "class=answered&route=" + url.QueryEscape("POST /v1/oauth/token"): 1, "class=failed": 0} {
		list := d.portal.Get(d.requests + "?" + query).Text
		if got := len(requestID.FindAllString(list[strings.Index(list, `id="newest"`):], -1)); got != want {
			t.Errorf("%s lists %d requests", query, got)
		}
	}
	if live := d.portal.Get(d.requests + "?live=1"); live.Header.Get("Refresh") != "3" {
		t.Errorf("a page that follows is asked for again after %q seconds", live.Header.Get("Refresh"))
	}
}

func TestExplain_ARedirectURIIsComparedAndRegisteredByOneButton(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, func(c *loop.Client) { c.Mode = loop.Development })
	sent := with(d.app.Request(), "redirect_uri", "http://localhost:5000/other")
	refused := d.NewBrowser(t).Authorize(sent)
	path := developers + "/requests/" + refused.Header.Get("X-Request-Id")

	page := d.portal.Get(path)
	for _, want := range []string{"RFC 9700", "<mark>", "http://localhost:5000/other", string(d.app.RedirectURIs[0]), "curl -i --get", "state</code></td><td><span"} {
		if !strings.Contains(page.Text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for range 2 { // a form that is sent twice does its act once
		if done := d.portal.Post(path+"/redirect-uri", form(page, nil)); done.StatusCode != http.StatusSeeOther && done.StatusCode != http.StatusBadRequest {
			t.Fatalf("registering it: %d %s", done.StatusCode, done.Text)
		}
	}
	if again := d.NewBrowser(t).Authorize(sent); again.StatusCode != http.StatusSeeOther {
		t.Errorf("the mended request is answered with %d", again.StatusCode)
	}
	if page := d.portal.Get(path); strings.Contains(page.Text, "add-redirect-uri") || !strings.Contains(page.Text, "registered by now") {
		t.Error("the page still offers to register it")
	}
}

func TestExplain_InProductionNoButtonRegistersARedirectURI(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, func(c *loop.Client) { c.Mode = loop.Production })
	refused := d.NewBrowser(t).Authorize(with(d.app.Request(), "redirect_uri", "https://app.example.com/other"))
	path := developers + "/requests/" + refused.Header.Get("X-Request-Id")
	page := d.portal.Get(path)
	if strings.Contains(page.Text, "add-redirect-uri") {
		t.Error("the page has the button")
	}
	if answer := d.portal.Post(path+"/redirect-uri", form(page, nil)); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a form that was made up is answered with %d", answer.StatusCode)
	}
}

func TestSec380_ARequestOfAnothersAppExplainsNothing(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, nil)
	refused := d.app.Redeem("lph_ac_hush")
	stranger := developerOf(t, d.Platform, d.AddMember(t, "Mallory"))
	for _, path := range []string{d.requests, developers + "/requests/" + refused.Header.Get("X-Request-Id"), developers + "/requests/req_00000000000000000000000000", developers + "/requests/x"} {
		if page := stranger.Get(path); page.StatusCode != http.StatusNotFound || strings.Contains(page.Text, string(d.app.ID)) {
			t.Errorf("%s shows a stranger %d", path, page.StatusCode)
		}
		if page := d.NewBrowser(t).Get(path); page.StatusCode != http.StatusSeeOther {
			t.Errorf("%s shows a visitor %d", path, page.StatusCode)
		}
	}
	page := stranger.Get(developers + "/apps/new")
	if answer := stranger.Post(developers+"/requests/"+refused.Header.Get("X-Request-Id")+"/redirect-uri", form(page, nil)); answer.StatusCode != http.StatusNotFound {
		t.Errorf("a stranger's form is answered with %d", answer.StatusCode)
	}
}

func TestSec381_TheRequestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, nil)
	browser := d.NewBrowser(t)
	code := d.app.Code(browser, d.ada)
	tokens := d.app.Redeem(code).JSON(t)
	access, _ := tokens["access_token"].(string)
	refresh, _ := tokens["refresh_token"].(string)
	d.app.Redeem(code) // used before
	d.app.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"lph_rt_hush"}, "client_secret": {"secret_hush"}})
	d.Biomarkers(t, access)
	d.NewBrowser(t).Authorize(with(with(d.app.Request(), "max_age", "x"), "login_hint", "ada@members.example"))
	d.portal.Get(d.requests) // what waited is stored

	var entries string
	rows, err := d.Database(t, "identity").QueryContext(t.Context(), `SELECT entries FROM request_batches`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var one []byte
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		entries += string(one)
	}
	if err := rows.Err(); err != nil || entries == "" {
		t.Fatalf("the log holds nothing: %v", err)
	}
	_ = rows.Close()
	for _, secret := range []string{code, access, refresh, "hush", "ada@members", d.app.Request().Get("state"), d.app.Request().Get("code_challenge")} {
		if strings.Contains(entries, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestSec382_AStrangerPushesNoRequestOfTheAppOut(t *testing.T) {
	t.Parallel()
	d := newDebugging(t, nil)
	proven := d.app.Token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"lph_rt_hush"}})
	stranger := d.NewBrowser(t)
	for range 250 {
		stranger.Authorize(with(d.app.Request(), "redirect_uri", "https://evil.example/"))
	}
	stranger.Authorize(with(d.app.Request(), "client_id", "client_01KAXYZ0000000000000000000"))
	if page := d.portal.Get(developers + "/requests/" + proven.Header.Get("X-Request-Id")); page.StatusCode != http.StatusOK {
		t.Errorf("the app's own request is gone: %d", page.StatusCode)
	}
	var rows int
	if err := d.Database(t, "identity").QueryRowContext(t.Context(), `SELECT count(DISTINCT client_id) FROM request_batches`).Scan(&rows); err != nil || rows != 1 {
		t.Errorf("%d apps have requests, with one that doesn't exist among them: %v", rows, err)
	}
}

// with is a copy of a request with one parameter changed.
func with(request url.Values, name, value string) url.Values {
	changed := maps.Clone(request)
	changed.Set(name, value)
	return changed
}
