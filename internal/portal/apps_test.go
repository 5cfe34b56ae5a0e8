package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func client(t *testing.T, p *platformtest.Platform, path string) *loop.Client {
	t.Helper()
	c, err := p.Clients.Store.Client(t.Context(), idOf(path))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// proves reports whether the token endpoint takes the secret for the app's.
func proves(t *testing.T, p *platformtest.Platform, path, secret string) bool {
	t.Helper()
	r := p.Post(t, platformtest.Identity+"/v1/oauth/token", url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {"x"}, "client_id": {string(idOf(path))}, "client_secret": {secret},
	}, nil)
	return r.JSON(t)["error"] == "invalid_grant"
}

func TestADeveloperRegistersAnAppAndSeesItsSecretOnce(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	if empty := b.Get(developers + "/apps"); !strings.Contains(empty.Text, "No apps yet") {
		t.Error("an empty list says nothing")
	}

	made := b.Post(developers+"/apps/new", form(b.Get(developers+"/apps/new"), newApp())).Redirected(t)
	path := strings.TrimSuffix(made.Path, "/secret")
	shown := b.Get(made.String())
	secret := textOf(shown.Text, "secret")
	if !proves(t, p, path, secret) {
		t.Fatalf("%q is not the app's secret", secret)
	}
	if shown.Header.Get("Cache-Control") != "no-store" || textOf(shown.Text, "client-id") != string(idOf(path)) {
		t.Error("the page may be kept, or does not name the client")
	}

	if again := b.Get(made.String()); textOf(again.Text, "secret") != secret {
		t.Error("a reload loses the secret")
	}
	apps, err := p.Clients.Store.ClientsOf(t.Context(), grace.ID)
	if err != nil || len(apps) != 1 {
		t.Fatalf("a reload made an app: %d, %v", len(apps), err)
	}

	if page := b.Get(developers + path); page.StatusCode != http.StatusOK || strings.Contains(page.Text, secret) {
		t.Error("the app's page shows the secret")
	}
	if left := b.Get(made.String()); left.StatusCode != http.StatusSeeOther || strings.Contains(left.Text, secret) {
		t.Error("the secret is shown again after its page was left")
	}
	if strings.Contains(p.Log.String(), secret) {
		t.Error("the secret is in the log")
	}
}

func TestSec104_AnAppHasTheDefaultsOfWhatOnlyAnOperatorDecides(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	greedy := url.Values{
		"first_party": {"true"}, "is_first_party": {"true"}, "verified": {"true"}, "mode": {"production"}, "baa": {"2026-03-02"}, "enabled": {"false"},
		"owner": {"user_01K9Z6TQ4D0S8H2F6J3Y7C5A1B"}, "access_token_ttl": {"86400"}, "refresh_grace": {"30"}, "required_scopes": {"read:biomarkers"},
	}
	for name, values := range newApp() {
		greedy[name] = values
	}
	path, _ := register(t, b, greedy)
	check := func(when string) {
		t.Helper()
		c := client(t, p, path)
		if c.FirstParty || c.Verified || c.Mode != loop.Development || c.BAA != nil || !c.Enabled || c.Owner != grace.ID ||
			c.AccessTokenTTL != loop.DefaultAccessTokenTTL || c.RefreshGrace != 0 || c.RequiredScopes != nil {
			t.Errorf("%s: %+v", when, c)
		}
	}
	check("registered")
	greedy.Set("type", "public")
	b.Post(developers+path+"/edit", form(b.Get(developers+path+"/edit"), greedy)).Redirected(t)
	check("changed")
	if client(t, p, path).Type != loop.Confidential {
		t.Error("the type was changed")
	}
}

func TestAPublicAppHasNoSecret(t *testing.T) {
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	fields := newApp()
	fields.Set("type", "public")
	to := b.Post(developers+"/apps/new", form(b.Get(developers+"/apps/new"), fields)).Redirected(t)
	page := b.Get(to.String())
	if strings.HasSuffix(to.Path, "/secret") || !strings.Contains(page.Text, "the app is public") || strings.Contains(page.Text, "rotate-secret") {
		t.Errorf("%s offers a secret", to)
	}
	if len(client(t, p, to.Path).Secrets) != 0 {
		t.Error("it has one")
	}
	rotate := b.Get(developers + to.Path + "/rotate-secret")
	if r := b.Post(developers+to.Path+"/rotate-secret", form(rotate, nil)); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a secret was made: %d", r.StatusCode)
	}
}

func TestEachFaultStandsBesideItsFieldAndNothingIsSaved(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	path, _ := register(t, b, newApp())
	before := client(t, p, path)
	for name, test := range map[string]struct {
		change url.Values
		field  string // whose input is marked as invalid
		says   string
	}{
		"no name":                     {url.Values{"name": {" "}}, "name", "Give the app a name"},
		"Loop's own name":             {url.Values{"name": {"L00p"}}, "name", "reserved"},
		"a name of two scripts":       {url.Values{"name": {"Mоrning Labs"}}, "name", "scripts"},
		"a name that turns around":    {url.Values{"name": {"Labs\u202egnp.exe"}}, "name", "shows nothing"},
		"no redirect URI":             {url.Values{"redirect_uri": {""}}, "", "at least one redirect URI"},
		"http elsewhere":              {url.Values{"redirect_uri": {"http://app.example.com/cb"}}, "redirect-uri", "Use https"},
		"a wildcard":                  {url.Values{"redirect_uri": {"https://*.example.com/cb"}}, "redirect-uri", "wildcards"},
		"a script":                    {url.Values{"redirect_uri": {"javascript:alert(1)"}}, "redirect-uri", "redirect URI"},
		"the second of two":           {url.Values{"redirect_uri": {"https://app.example.com/cb", "https://app.example.com/#x"}}, "redirect-uri-2", "fragment"},
		"the same twice":              {url.Values{"redirect_uri": {"https://app.example.com/cb", "https://app.example.com/cb"}}, "", "twice"},
		"a name of the answer's":      {url.Values{"redirect_uri": {"https://app.example.com/cb?code=1"}}, "redirect-uri", "answer"},
		"no scope":                    {url.Values{"scope": {}}, "", "at least one scope"},
		"a scope that is not there":   {url.Values{"scope": {"admin:everything"}}, "", "at least one scope"},
		"a home page without https":   {url.Values{"client_uri": {"http://app.example.com"}}, "client-uri", "client_uri must be an absolute https"},
		"a policy that is a script":   {url.Values{"policy_uri": {"javascript:alert(1)"}}, "policy-uri", "policy_uri must be an absolute https"},
		"everything at the same time": {url.Values{"name": {""}, "redirect_uri": {"x"}, "scope": {}}, "redirect-uri", "3 things"},
	} {
		t.Run(name, func(t *testing.T) {
			fields := newApp()
			for field, values := range test.change {
				fields[field] = values
			}
			r := b.Post(developers+path+"/edit", form(b.Get(developers+path+"/edit"), fields))
			if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, test.says) {
				t.Errorf("answered with %d, without %q", r.StatusCode, test.says)
			}
			marked := ""
			for _, node := range elements(r.Text) {
				if attr(node, "aria-invalid") == "true" {
					marked = strings.TrimSpace(marked + " " + attr(node, "id"))
				}
			}
			if test.field != "" && !slices.Contains(strings.Fields(marked), test.field) {
				t.Errorf("marked is %q, want %q", marked, test.field)
			}
			if count := strings.Count(r.Text, test.says); test.field != "" && count != 1 {
				t.Errorf("it is said %d times", count)
			}
			if after := client(t, p, path); !after.UpdatedAt.Equal(before.UpdatedAt) {
				t.Error("something was saved")
			}
		})
	}
}

func TestAChangeIsSavedAndALostScopeEndsWhatItOpened(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	path, secret := register(t, b, newApp())
	app := &platformtest.App{Client: client(t, p, path), Secret: secret}
	_ = app

	fields := url.Values{
		"name": {"  Evening Labs "}, "redirect_uri": {" https://app.example.com/cb ", "", "com.example.app:/cb"}, "scope": {"openid", "email"},
		"client_uri": {"https://app.example.com/"}, "policy_uri": {"https://app.example.com/privacy"},
	}
	to := b.Post(developers+path+"/edit", form(b.Get(developers+path+"/edit"), fields)).Redirected(t)
	if to.Path != path {
		t.Errorf("led to %s", to)
	}
	c := client(t, p, path)
	if c.Name != "Evening Labs" || !slices.Equal(c.RedirectURIs, []loop.RedirectURI{"https://app.example.com/cb", "com.example.app:/cb"}) ||
		c.AllowedScopes.String() != "openid email" || c.HomePage != "https://app.example.com/" || c.PolicyPage != "https://app.example.com/privacy" {
		t.Errorf("saved: %+v", c)
	}
	page := b.Get(to.String())
	for _, part := range []string{"Evening Labs", "com.example.app:/cb", "See your e‑mail address", "https://app.example.com/privacy"} {
		if !strings.Contains(page.Text, part) {
			t.Errorf("the page does not show %s", part)
		}
	}
}

func TestARotatedSecretAndTheOneBeforeBothWork(t *testing.T) {
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	path, first := register(t, b, newApp())
	ask := b.Get(developers + path + "/rotate-secret")
	made := b.Post(developers+path+"/rotate-secret", form(ask, nil)).Redirected(t)
	second := textOf(b.Get(made.String()).Text, "secret")
	if second == first || !proves(t, p, path, first) || !proves(t, p, path, second) {
		t.Error("one of the two does not work")
	}
	if page := b.Get(developers + path); !strings.Contains(page.Text, "The one before works until") {
		t.Error("the page does not mention the secret before")
	}
}

func TestADisabledAppIsAnsweredNoMoreUntilItIsEnabled(t *testing.T) {
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	path, secret := register(t, b, newApp())
	b.Post(developers+path+"/disable", form(b.Get(developers+path+"/disable"), nil)).Redirected(t)
	page := b.Get(developers + path)
	if proves(t, p, path, secret) || !strings.Contains(page.Text, "Disabled") || strings.Contains(page.Text, `id="consent-page"`) {
		t.Error("the app works, or its page does not say that it doesn't")
	}
	b.Post(developers+path+"/enable", form(page, nil)).Redirected(t)
	if !proves(t, p, path, secret) {
		t.Error("the app stays disabled")
	}
}

func TestSec101_WhatIsSomebodyElsesIsNotThere(t *testing.T) {
	p := platformtest.New(t)
	owner := developerOf(t, p, p.AddMember(t, "Grace"))
	path, secret := register(t, owner, newApp())
	operators := p.AddApp(t, nil)
	before := client(t, p, path)

	stranger := developerOf(t, p, p.AddMember(t, "Mallory"))
	token := stranger.Get(developers + "/apps/new")
	for _, theirs := range []string{path, "/apps/" + string(operators.ID), "/apps/client_01K9Z6V2QX8M4T7R3E5W1B0N6C", "/apps/x"} {
		for _, page := range []string{"", "/edit", "/secret", "/rotate-secret", "/disable"} {
			if r := stranger.Get(developers + theirs + page); r.StatusCode != http.StatusNotFound || strings.Contains(r.Text, "Morning") {
				t.Errorf("GET %s%s: %d", theirs, page, r.StatusCode)
			}
		}
		for _, act := range []string{"/edit", "/rotate-secret", "/disable", "/enable"} {
			if r := stranger.Post(developers+theirs+act, form(token, newApp())); r.StatusCode != http.StatusNotFound {
				t.Errorf("POST %s%s: %d", theirs, act, r.StatusCode)
			}
		}
	}
	if list := stranger.Get(developers + "/apps"); strings.Contains(list.Text, "Morning") {
		t.Error("the list shows somebody else's app")
	}
	if after := client(t, p, path); !after.UpdatedAt.Equal(before.UpdatedAt) || !proves(t, p, path, secret) {
		t.Error("a stranger changed the app")
	}
}

func TestSec067_AFormThatDidNotComeFromThePortalChangesNothing(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	path, _ := register(t, b, newApp())
	before := client(t, p, path)
	page := b.Get(developers + path + "/disable")
	other := developerOf(t, p, p.AddMember(t, "Mallory"))

	post := func(action string, sent url.Values, site string) *platformtest.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, developers+action, strings.NewReader(sent.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", site)
		return b.Do(req)
	}
	foreign := url.Values{"csrf": {other.Get(developers + "/apps/new").Field("csrf")}}
	for _, act := range []string{path + "/edit", path + "/rotate-secret", path + "/disable", path + "/enable", "/apps/new"} {
		for name, r := range map[string]*platformtest.Response{
			"from another site":        post(act, form(page, newApp()), "cross-site"),
			"from a sibling host":      post(act, form(page, newApp()), "same-site"),
			"without a token":          post(act, newApp(), "same-origin"),
			"with another's token":     post(act, foreign, "same-origin"),
			"with a token of no value": post(act, url.Values{"csrf": {""}}, "same-origin"),
		} {
			if r.StatusCode != http.StatusForbidden {
				t.Errorf("%s %s: %d", act, name, r.StatusCode)
			}
		}
	}
	apps, err := p.Clients.Store.ClientsOf(t.Context(), grace.ID)
	if err != nil || len(apps) != 1 || !client(t, p, path).UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("something was changed: %d apps, %v", len(apps), err)
	}
}

func TestADeveloperHasAtMostFiftyApps(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	for i := range 49 {
		p.AddApp(t, func(c *loop.Client) { c.Owner, c.Name = grace.ID, fmt.Sprintf("App %d", i) })
	}
	b := developerOf(t, p, grace)
	register(t, b, newApp())
	r := b.Post(developers+"/apps/new", form(b.Get(developers+"/apps/new"), newApp()))
	if r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "You have 50 apps") {
		t.Errorf("the fifty-first: %d", r.StatusCode)
	}
	if list := b.Get(developers + "/apps"); !strings.Contains(list.Text, "You have 50 apps") || strings.Contains(list.Text, `id="new-app"`) {
		t.Error("the list offers another")
	}
}

func TestTheConsentPageThatThePortalLeadsToIsTheApps(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	developed, _ := register(t, b, newApp())
	if page := b.Get(developers + developed); !strings.Contains(page.Text, `href="/playground?app=`+string(idOf(developed))+`"`) {
		t.Error("an app in development mode is not led to the playground")
	}
	app := p.AddApp(t, func(c *loop.Client) { c.Owner, c.Name, c.Mode = grace.ID, "Morning Labs", loop.Production })
	link := ""
	for _, node := range elements(b.Get(developers + "/apps/" + string(app.ID)).Text) {
		if attr(node, "id") == "consent-page" {
			link = attr(node, "href")
		}
	}
	choice := b.Follow(b.Get(link))
	consent := b.Follow(b.Post(platformtest.Identity+"/choose", url.Values{
		"csrf": {choice.Field("csrf")}, "continue": {choice.Field("continue")}, "member": {string(grace.ID)},
	}))
	for _, part := range []string{"Morning Labs", "See your lab results", `id="allow"`} {
		if !strings.Contains(consent.Text, part) {
			t.Errorf("the page that %s leads to does not show %s", link, part)
		}
	}
}

func TestAServiceHasItsPagesThoughNobodyIsLedToIt(t *testing.T) {
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	b := developerOf(t, p, grace)
	service := p.AddApp(t, func(c *loop.Client) {
		c.Owner, c.RedirectURIs, c.AllowedScopes = grace.ID, nil, nil
		c.Protocol.GrantTypes, c.Protocol.ServiceScopes = []loop.GrantType{loop.GrantClientCredentials}, []string{"labs:write"}
	})
	path := developers + "/apps/" + string(service.ID)
	if page := b.Get(path); page.StatusCode != http.StatusOK || strings.Contains(page.Text, "consent-page") {
		t.Errorf("its page: %d, or leads to a consent page", page.StatusCode)
	}
	made := b.Post(path+"/rotate-secret", form(b.Get(path+"/rotate-secret"), nil)).Redirected(t)
	if page := b.Get(made.String()); page.StatusCode != http.StatusOK || strings.Contains(page.Text, "LOOP_REDIRECT_URI") {
		t.Errorf("the page of its secret: %d, or names a redirect URI", page.StatusCode)
	}
}

func TestTheSettingsOfAnAppAreWhatItNeeds(t *testing.T) {
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	fields := newApp()
	fields.Set("redirect_uri", "https://app.example.com/it's/callback")
	made := b.Post(developers+"/apps/new", form(b.Get(developers+"/apps/new"), fields)).Redirected(t)
	path := strings.TrimSuffix(made.Path, "/secret")
	shown := b.Get(made.String())
	for name, test := range map[string]struct{ page, secret string }{
		"with its secret, once": {shown.Text, "export LOOP_CLIENT_SECRET='" + textOf(shown.Text, "secret") + "'\n"},
		"on the app's page":     {b.Get(developers + path).Text, ""},
	} {
		want := "export LOOP_CLIENT_ID='" + string(idOf(path)) + "'\n" + test.secret +
			`export LOOP_REDIRECT_URI='https://app.example.com/it'\''s/callback'` + "\n" +
			"export LOOP_IDENTITY_URL='" + platformtest.Identity + "'\nexport LOOP_CLINICAL_URL='" + platformtest.Clinical + "'"
		if got := textOf(test.page, "settings"); got != want {
			t.Errorf("%s they are:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

func TestSec089_ANameIsShownAsTextWhateverItHolds(t *testing.T) {
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	for _, name := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `{{.CSRF}}`, `javascript:alert(1)`, `' onfocus='alert(1)`} {
		fields := newApp()
		fields.Set("name", name)
		path, _ := register(t, b, fields)
		for _, page := range []string{"/apps", path, path + "/edit", path + "/disable", path + "/rotate-secret"} {
			r := b.Get(developers + page)
			if r.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d", page, r.StatusCode)
			}
			for _, node := range elements(r.Text) {
				ours := node.Data == "script" && strings.HasPrefix(attr(node, "src"), "/static/")
				if node.Data == "script" && !ours || node.Data == "img" || attr(node, "onfocus") != "" || attr(node, "onerror") != "" {
					t.Errorf("%s: %q became markup", page, name)
				}
			}
		}
		if got := attrOf(b.Get(developers+path+"/edit").Text, "name", "value"); got != name {
			t.Errorf("the form has %q, want %q", got, name)
		}
	}
}

func attrOf(page, id, name string) string {
	for _, node := range elements(page) {
		if attr(node, "id") == id {
			return attr(node, name)
		}
	}
	return ""
}
