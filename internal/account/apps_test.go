package account_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const (
	appsPage     = platformtest.Identity + "/account/apps"
	activityPage = platformtest.Identity + "/account/activity"
	grantsAPI    = platformtest.Identity + "/v1/me/grants"
)

// connected is a member with an app that they allowed.
type connected struct {
	member  *loop.Member
	browser *platformtest.Browser
	app     *platformtest.App
	tokens  platformtest.Tokens
	grant   string // the path of its page
}

func connect(t *testing.T, p *platformtest.Platform, name string, alter func(*loop.Client)) connected {
	t.Helper()
	c := connected{member: p.AddMember(t, name)}
	c.browser = p.SignedIn(t, c.member)
	c.allow(t, p, alter)
	return c
}

// allow has the member allow a new app all that it may ask for.
func (c *connected) allow(t *testing.T, p *platformtest.Platform, alter func(*loop.Client)) {
	t.Helper()
	c.app = p.AddApp(t, alter)
	request := c.app.Request()
	request.Set("scope", c.app.AllowedScopes.String())
	r := c.browser.Follow(c.browser.Authorize(request))
	c.tokens = c.app.Redeem(c.browser.Decide(r, "allow", strings.Fields(c.app.AllowedScopes.String())...).Redirected(t).Query().Get("code")).Pair(t)
	_, rest, found := strings.Cut(c.browser.Get(appsPage).Text, `href="/account/apps/`)
	if !found {
		t.Fatal("no app is on the page")
	}
	id, _, _ := strings.Cut(rest, `"`)
	c.grant = appsPage + "/" + id
}

func (c *connected) act(form url.Values) *platformtest.Response {
	page := c.browser.Get(c.grant)
	form.Set("csrf", page.Field("csrf"))
	return c.browser.Post(c.grant, form)
}

func addTSH(t *testing.T, p *platformtest.Platform, m *loop.Member) {
	t.Helper()
	value, err := biomarker.ParseDecimal("2.41")
	if err != nil {
		t.Fatal(err)
	}
	err = p.Importer.Import(t.Context(), audit.Actor{Kind: audit.BySystem}, m.ID, []biomarker.Result{{
		ID: loop.NewResultID(p.World), Code: "tsh", Value: value, Unit: "m[IU]/L", Source: "quest",
		CollectedAt: p.World.Now().Add(-time.Hour), ParsedAt: p.World.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
}

func TestApps_ShowWhatWasAllowedAndRead(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", func(c *loop.Client) { c.Name = "Morning Labs" })
	addTSH(t, p, ada.member)
	if list := ada.browser.Get(appsPage).Text; !strings.Contains(list, "Morning Labs") || !strings.Contains(list, "See your lab results") || !strings.Contains(list, "nothing in the last 12 weeks") {
		t.Errorf("the list says %s", list)
	}
	if r := p.Biomarkers(t, ada.tokens.Access); r.StatusCode != http.StatusOK {
		t.Fatal(r.Text)
	}
	page := ada.browser.Get(ada.grant).Text
	for _, said := range []string{"1 lab result", "<svg", "1 read in 12 weeks", "Disconnect <bdi>Morning Labs</bdi>", "The app names no privacy policy."} {
		if !strings.Contains(page, said) {
			t.Errorf("the app's page does not say %q: %s", said, page)
		}
	}
	if activity := ada.browser.Get(activityPage).Text; !strings.Contains(activity, "<bdi>Morning Labs</bdi></td><td>1 lab result") {
		t.Errorf("the activity is %s", activity)
	}
}

func TestApps_WhatWasLeftOutIsAskedForAgainWhereTheMemberWantsIt(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	request := ada.app.Request()
	request.Set("scope", ada.app.AllowedScopes.String())
	ada.act(url.Values{"act": {"narrow"}, "scope": {"email"}})
	if r := ada.browser.Follow(ada.browser.Authorize(request)); r.Request.URL.Path == "/consent" {
		t.Fatal("what was taken away is asked for again, though the member did not say so")
	}
	if page := ada.browser.Get(ada.grant); !strings.Contains(page.Text, `id="let-ask"`) {
		t.Fatalf("the page does not offer it: %s", page.Text)
	}
	for range 2 { // a form that is sent twice leads on
		r := ada.act(url.Values{"act": {"ask"}}).Redirected(t)
		if page := ada.browser.Get(ada.grant + "?" + r.RawQuery); !strings.Contains(page.Text, "you decide again") || strings.Contains(page.Text, `id="let-ask"`) {
			t.Errorf("it is answered %s, %s", r, page.Text)
		}
	}
	if r := p.Biomarkers(t, ada.tokens.Access); r.StatusCode == http.StatusOK {
		t.Error("the app reads lab results again")
	}
	r := ada.browser.Follow(ada.browser.Authorize(request))
	if r.Request.URL.Path != "/consent" || !strings.Contains(r.Text, "See your lab results") {
		t.Errorf("the app's next request leads to %s: %s", r.Request.URL, r.Text)
	}
}

func TestSec241_ADisconnectedAppIsEndedInTheNextRequest(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	page := ada.browser.Get(ada.grant)
	form := url.Values{"csrf": {page.Field("csrf")}, "act": {"disconnect"}}
	for range 2 { // a form that is sent twice leads on
		if r := ada.browser.Post(ada.grant, form); r.Redirected(t).Path != "/account/apps" {
			t.Fatalf("it is answered %d %s", r.StatusCode, r.Text)
		}
	}
	if r := p.Biomarkers(t, ada.tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("the access token still works: %d", r.StatusCode)
	}
	if r := ada.app.Refresh(ada.tokens.Refresh); r.StatusCode != http.StatusBadRequest {
		t.Errorf("the refresh token still works: %d", r.StatusCode)
	}
	if list := ada.browser.Get(appsPage + "?disconnected").Text; !strings.Contains(list, "The app is disconnected.") || !strings.Contains(list, "No app is connected.") {
		t.Errorf("the list says %s", list)
	}
	if r := ada.browser.Get(ada.grant); r.StatusCode != http.StatusNotFound {
		t.Errorf("the app's page is answered %d", r.StatusCode)
	}
}

func TestSec241_ANarrowedAppLosesTheScopeInTheNextRequest(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", func(c *loop.Client) { c.RequiredScopes = loop.NewScopes(loop.ScopeProfile) })
	page := ada.browser.Get(ada.grant).Text
	if strings.Contains(page, `value="openid"`) || strings.Contains(page, `value="profile"`) || !strings.Contains(page, `value="read:biomarkers"`) {
		t.Errorf("what can be taken away is %s", page)
	}
	r := ada.act(url.Values{"act": {"narrow"}, "scope": {"email"}})
	if to := r.Redirected(t); !to.Query().Has("saved") {
		t.Fatalf("it leads to %s", to)
	}
	if r := p.Biomarkers(t, ada.tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("the access token still reads lab results: %d", r.StatusCode)
	}
	fresh := ada.app.Refresh(ada.tokens.Refresh).Pair(t)
	if fresh.Scope != "openid profile email" {
		t.Errorf("the new token has %q", fresh.Scope)
	}
	if r := p.Biomarkers(t, fresh.Access); r.StatusCode != http.StatusForbidden {
		t.Errorf("the new access token reads lab results: %d", r.StatusCode)
	}
	if page := ada.browser.Get(ada.grant).Text; !strings.Contains(page, "You left out:</p>\n<ul class=\"hint\"><li>See your lab results</li></ul>") {
		t.Errorf("the page does not say what was left out: %s", page)
	}
	// The same request is answered silently with what is granted: nothing is asked again.
	if got := ada.browser.Follow(ada.browser.Authorize(ada.app.Request())); got.StatusCode != http.StatusSeeOther || got.Redirected(t).Query().Get("code") == "" {
		t.Errorf("the app's next request is answered %d %s", got.StatusCode, got.Text)
	}
}

func TestSec240_NothingOfOneMembersAppsIsForAnother(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	scopes := func(c *loop.Client) { c.AllowedScopes = append(c.AllowedScopes, loop.ScopeManageConnectedApps) }
	ada, ben := connect(t, p, "Ada", scopes), connect(t, p, "Ben", scopes)
	addTSH(t, p, ada.member)
	p.Biomarkers(t, ada.tokens.Access)
	id := ada.grant[strings.LastIndex(ada.grant, "/")+1:]
	if r := ben.browser.Get(ada.grant); r.StatusCode != http.StatusNotFound || strings.Contains(r.Text, string(ada.app.ID)) {
		t.Errorf("Ada's app is shown to Ben: %d", r.StatusCode)
	}
	for _, act := range []string{"disconnect", "narrow", "ask"} {
		form := url.Values{"csrf": {ben.browser.Get(ben.grant).Field("csrf")}, "act": {act}}
		if r := ben.browser.Post(ada.grant, form); r.StatusCode != http.StatusNotFound {
			t.Errorf("Ben's %s of Ada's app is answered %d", act, r.StatusCode)
		}
	}
	if r := ben.browser.Get(activityPage + "?client=" + string(ada.app.ID)); strings.Contains(r.Text, "1 lab result") {
		t.Error("Ben sees what was read of Ada")
	}
	for _, try := range []struct{ method, address, body string }{
		{http.MethodDelete, grantsAPI + "/" + id, ""},
		{http.MethodPatch, grantsAPI + "/" + id, `{"scopes":["openid"]}`},
		{http.MethodGet, grantsAPI + "/" + id + "/activity", ""},
		{http.MethodDelete, platformtest.Identity + "/v1/users/me/connected-apps/" + string(ada.app.ID), ""},
	} {
		if r := ask(t, p, try.method, try.address, ben.tokens.Access, try.body); r.StatusCode != http.StatusNotFound {
			t.Errorf("Ben's %s %s is answered %d %s", try.method, try.address, r.StatusCode, r.Text)
		}
	}
	if r := p.Biomarkers(t, ada.tokens.Access); r.StatusCode != http.StatusOK {
		t.Errorf("Ada's app has lost its access: %d", r.StatusCode)
	}
}

func TestApps_LeadThroughSignIn(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	for _, page := range []string{appsPage, appsPage + "/grant_01KAXYZ0000000000000000000", activityPage, activityPage + ".csv", platformtest.Identity + "/account"} {
		if r := p.NewBrowser(t).Get(page); r.Redirected(t).Path != "/signin" {
			t.Errorf("%s leads to %s", page, r.Header.Get("Location"))
		}
	}
}

func TestActivity_PagesAndExports(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", func(c *loop.Client) { c.Name = "=Labs" })
	for range 53 {
		p.World.Advance(time.Minute)
		if r := p.Biomarkers(t, ada.tokens.Access); r.StatusCode != http.StatusOK {
			t.Fatal(r.Text)
		}
	}
	first := ada.browser.Get(activityPage).Text
	_, rest, _ := strings.Cut(first, `id="older" href="`)
	older, _, _ := strings.Cut(rest, `"`)
	second := ada.browser.Get(platformtest.Identity + strings.ReplaceAll(older, "&amp;", "&")).Text
	if a, b := strings.Count(first, "<time"), strings.Count(second, "<time"); a != 50 || b != 3 || strings.Contains(second, `id="older"`) {
		t.Errorf("the pages list %d and %d reads", a, b)
	}
	var exported struct {
		Reads []struct{ At, App string }
	}
	if err := json.Unmarshal([]byte(ada.browser.Get(activityPage+".json").Text), &exported); err != nil || len(exported.Reads) != 53 || exported.Reads[0].App != "=Labs" {
		t.Errorf("the JSON has %d reads, %v", len(exported.Reads), err)
	}
	table := ada.browser.Get(activityPage + ".csv")
	if strings.Count(table.Text, "\r\n") != 54 || !strings.Contains(table.Text, ",'=Labs,") {
		t.Errorf("the table is %s", table.Text[:200])
	}
	if r := ada.browser.Get(activityPage + "?cursor=nonsense"); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a cursor that is none is answered %d", r.StatusCode)
	}
}
