package account_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// ask sends a request of an app with a body of JSON, if there is one.
func ask(t *testing.T, p *platformtest.Platform, method, address, token, body string) *platformtest.Response {
	t.Helper()
	r := httptest.NewRequest(method, address, strings.NewReader(body))
	r.RequestURI = ""
	r.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return p.NewBrowser(t).Do(r)
}

func manager(c *loop.Client) {
	c.Name, c.HomePage = "Control Room", "https://control.example.com"
	c.AllowedScopes = append(c.AllowedScopes, loop.ScopeManageConnectedApps, loop.ScopeReadAccount)
}

func TestGrantsAPI_HasThePlatformsShape(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", manager)
	r := ask(t, p, http.MethodGet, grantsAPI, ada.tokens.Access, "")
	var answer struct{ Data []map[string]any }
	if err := json.Unmarshal([]byte(r.Text), &answer); err != nil || r.StatusCode != http.StatusOK || len(answer.Data) != 1 {
		t.Fatalf("it is answered %d %s", r.StatusCode, r.Text)
	}
	one := answer.Data[0]
	for _, field := range []string{"id", "client_id", "client_name", "client_uri", "logo_uri", "is_first_party", "scopes_granted", "granted_at", "updated_at", "last_used_at"} {
		if _, there := one[field]; !there {
			t.Errorf("the grant has no %s: %s", field, r.Text)
		}
	}
	if one["client_name"] != "Control Room" || one["client_uri"] != "https://control.example.com" || len(one["scopes_granted"].([]any)) != 6 {
		t.Errorf("the grant is %s", r.Text)
	}
	apps := ask(t, p, http.MethodGet, platformtest.Identity+"/v1/users/me/connected-apps", ada.tokens.Access, "").Text
	if strings.Contains(apps, `"id"`) || strings.Contains(apps, "last_used_at") || !strings.Contains(apps, `"client_name":"Control Room"`) {
		t.Errorf("the connected apps are %s", apps)
	}
	user := ask(t, p, http.MethodGet, platformtest.Identity+"/v1/users/me", ada.tokens.Access, "").Text
	if !strings.Contains(user, `"user_id":"`+string(ada.member.ID)+`"`) || !strings.Contains(user, `"status":"active"`) || !strings.Contains(user, `"locale":"en"`) {
		t.Errorf("the user is %s", user)
	}
}

func TestGrantsAPI_NeedsItsScope(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	for _, try := range []struct{ method, path string }{
		{http.MethodGet, "/v1/users/me"},
		{http.MethodGet, "/v1/me/grants"},
		{http.MethodDelete, "/v1/me/grants/x"},
		{http.MethodPatch, "/v1/me/grants/x"},
		{http.MethodGet, "/v1/me/grants/x/activity"},
		{http.MethodGet, "/v1/users/me/connected-apps"},
		{http.MethodDelete, "/v1/users/me/connected-apps/x"},
	} {
		r := ask(t, p, try.method, platformtest.Identity+try.path, ada.tokens.Access, "")
		if r.StatusCode != http.StatusForbidden || !strings.Contains(r.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
			t.Errorf("%s %s is answered %d", try.method, try.path, r.StatusCode)
		}
		if r := p.NewBrowser(t).Do(mustRequest(try.method, platformtest.Identity+try.path)); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s %s without a token is answered %d", try.method, try.path, r.StatusCode)
		}
	}
}

func mustRequest(method, address string) *http.Request {
	r := httptest.NewRequest(method, address, http.NoBody)
	r.RequestURI = ""
	return r
}

func TestGrantsAPI_NarrowsAndEnds(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", manager)
	access := ada.tokens.Access
	p.World.Advance(time.Second)
	labs := ada // the same member, another app
	labs.allow(t, p, func(c *loop.Client) { c.Name = "Morning Labs" })
	id := labs.grant[strings.LastIndex(labs.grant, "/")+1:]
	addTSH(t, p, ada.member)
	p.Biomarkers(t, labs.tokens.Access)

	activity := ask(t, p, http.MethodGet, grantsAPI+"/"+id+"/activity", access, "").Text
	if !strings.Contains(activity, `"action":"biomarkers.read","results":1`) || !strings.Contains(activity, `"next_cursor":null`) {
		t.Errorf("the activity is %s", activity)
	}
	if r := ask(t, p, http.MethodPatch, grantsAPI+"/"+id, access, `{"scopes":["openid","profile"]}`); r.StatusCode != http.StatusOK || !strings.Contains(r.Text, `"scopes_granted":["openid","profile"]`) {
		t.Fatalf("narrowing is answered %d %s", r.StatusCode, r.Text)
	}
	for _, body := range []string{`{"scopes":["openid","email","profile"]}`, `{"scopes":["profile"]}`, `{"scopes":["openid","profile","magic"]}`, `{}`, `{"scopes":null}`, `["openid"]`, `{"scopes":["openid"`} {
		if r := ask(t, p, http.MethodPatch, grantsAPI+"/"+id, access, body); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "validation_error") {
			t.Errorf("%s is answered %d %s", body, r.StatusCode, r.Text)
		}
	}
	if r := p.Biomarkers(t, labs.tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("the narrowed app still reads: %d", r.StatusCode)
	}
	for range 2 {
		if r := ask(t, p, http.MethodDelete, grantsAPI+"/"+id, access, ""); r.StatusCode != http.StatusNoContent {
			t.Errorf("ending it is answered %d %s", r.StatusCode, r.Text)
		}
	}
	if r := ask(t, p, http.MethodDelete, platformtest.Identity+"/v1/users/me/connected-apps/"+string(labs.app.ID), access, ""); r.StatusCode != http.StatusNotFound {
		t.Errorf("ending an app without a live grant is answered %d", r.StatusCode)
	}
	if r := ask(t, p, http.MethodDelete, platformtest.Identity+"/v1/users/me/connected-apps/"+string(ada.app.ID), access, ""); r.StatusCode != http.StatusNoContent {
		t.Errorf("an app that ends its own grant is answered %d", r.StatusCode)
	}
	if r := ask(t, p, http.MethodGet, grantsAPI, access, ""); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("after that its token still works: %d", r.StatusCode)
	}
}
