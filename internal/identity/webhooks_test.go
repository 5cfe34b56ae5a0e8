package identity_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// asApp sends a request about an app's webhooks, as the app with this secret.
func asApp(t *testing.T, p *platformtest.Platform, app *platformtest.App, secret, method, path, body string) *platformtest.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, platformtest.Identity+"/v1/connect/webhooks"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if secret != "" {
		r.SetBasicAuth(string(app.ID), secret)
	}
	return p.NewBrowser(t).Do(r)
}

const hookBody = `{"url":"https://app.example.com/hook","events":["identity.grant.revoked.v1"]}`

func TestWebhooks_AnAppLooksAfterItsOwn(t *testing.T) {
	p := platformtest.New(t)
	app := p.AddApp(t, nil)
	do := func(method, path, body string, status int) map[string]any {
		t.Helper()
		r := asApp(t, p, app, app.Secret, method, path, body)
		if r.StatusCode != status {
			t.Fatalf("%s %s: status %d: %s", method, path, r.StatusCode, r.Text)
		}
		if status == http.StatusNoContent {
			return nil
		}
		return r.JSON(t)
	}
	made := do("POST", "", hookBody, http.StatusCreated)
	id, _ := made["id"].(string)
	secret, _ := made["secret"].(string)
	if !loop.WebhookID(id).Valid() || !strings.HasPrefix(secret, "whsec_") || made["client_id"] != string(app.ID) {
		t.Fatalf("made is %v", made)
	}
	if shown := do("GET", "/"+id, "", http.StatusOK); shown["secret"] != nil || shown["url"] != "https://app.example.com/hook" {
		t.Errorf("shown is %v", shown)
	}
	if listed := do("GET", "", "", http.StatusOK)["data"].([]any); len(listed) != 1 {
		t.Errorf("listed are %v", listed)
	}
	if rotated := do("POST", "/"+id+"/rotate-secret", "", http.StatusOK); rotated["secret"] == secret || rotated["previous_secret_expires_at"] == nil {
		t.Errorf("rotated is %v", rotated)
	}
	if off := do("PATCH", "/"+id, `{"enabled":false}`, http.StatusOK); off["enabled"] != false || off["url"] != "https://app.example.com/hook" {
		t.Errorf("disabled is %v", off)
	}
	sent := do("POST", "/"+id+"/test", "", http.StatusAccepted)
	delivery, _ := sent["delivery_id"].(string)
	if sent["client_id"] != string(app.ID) || sent["status"] != "pending" || !loop.DeliveryID(delivery).Valid() {
		t.Errorf("sent is %v", sent)
	}
	if listed := do("GET", "/"+id+"/deliveries?status=pending&limit=1", "", http.StatusOK); len(listed["data"].([]any)) != 1 || listed["next_cursor"] == nil {
		t.Errorf("the deliveries are %v", listed)
	}
	if again := do("POST", "/"+delivery+"/replay", "", http.StatusAccepted); len(again) != 3 || again["delivery_id"] != delivery || again["client_id"] != string(app.ID) || again["status"] != "pending" {
		t.Errorf("replayed is %v", again)
	}
	if none := do("POST", "/"+id+"/replay", `{"status":"dead"}`, http.StatusAccepted)["data"].([]any); len(none) != 0 {
		t.Errorf("replayed are %v", none)
	}
	do("DELETE", "/"+id, "", http.StatusNoContent)
	do("DELETE", "/"+id, "", http.StatusNotFound)
}

func TestSec465_WebhooksAreRefusedToEverybodyElse(t *testing.T) {
	p := platformtest.New(t)
	app, other := p.AddApp(t, nil), p.AddApp(t, nil)
	public := p.AddApp(t, func(c *loop.Client) { c.Type, c.Protocol.AuthMethod = loop.Public, loop.AuthNone })
	made := asApp(t, p, other, other.Secret, "POST", "", hookBody).JSON(t)
	theirs, _ := made["id"].(string)
	sent, _ := asApp(t, p, other, other.Secret, "POST", "/"+theirs+"/test", "").JSON(t)["delivery_id"].(string)
	for name, c := range map[string]struct {
		as                         *platformtest.App
		secret, method, path, body string
		status                     int
	}{
		"nobody":                      {app, "", "GET", "", "", http.StatusUnauthorized},
		"a wrong secret":              {app, other.Secret, "GET", "", "", http.StatusUnauthorized},
		"a public app":                {public, "x", "GET", "", "", http.StatusUnauthorized},
		"another's webhook":           {app, app.Secret, "GET", "/" + theirs, "", http.StatusNotFound},
		"a change of another's":       {app, app.Secret, "PATCH", "/" + theirs, `{"enabled":false}`, http.StatusNotFound},
		"another's secret":            {app, app.Secret, "POST", "/" + theirs + "/rotate-secret", "", http.StatusNotFound},
		"the end of another's":        {app, app.Secret, "DELETE", "/" + theirs, "", http.StatusNotFound},
		"a test of another's":         {app, app.Secret, "POST", "/" + theirs + "/test", "", http.StatusNotFound},
		"another's deliveries":        {app, app.Secret, "GET", "/" + theirs + "/deliveries", "", http.StatusNotFound},
		"a replay of another's":       {app, app.Secret, "POST", "/" + sent + "/replay", "", http.StatusNotFound},
		"a replay of all of another":  {app, app.Secret, "POST", "/" + theirs + "/replay", `{"status":"delivered"}`, http.StatusNotFound},
		"a delivery that is not":      {app, app.Secret, "POST", "/del_x/replay", "", http.StatusNotFound},
		"a URL of an inner network":   {app, app.Secret, "POST", "", `{"url":"https://10.0.0.1/","events":["identity.grant.revoked.v1"]}`, http.StatusBadRequest},
		"an event that there is not":  {app, app.Secret, "POST", "", `{"url":"https://app.example.com/","events":["x"]}`, http.StatusBadRequest},
		"no URL":                      {app, app.Secret, "POST", "", `{"events":["identity.grant.revoked.v1"]}`, http.StatusBadRequest},
		"a field that there is not":   {app, app.Secret, "POST", "", `{"url":"https://app.example.com/","events":["identity.grant.revoked.v1"],"owner":"me"}`, http.StatusBadRequest},
		"no JSON":                     {app, app.Secret, "POST", "", `{`, http.StatusBadRequest},
		"a status that there is not":  {other, other.Secret, "GET", "/" + theirs + "/deliveries?status=lost", "", http.StatusBadRequest},
		"a limit beyond the most":     {other, other.Secret, "GET", "/" + theirs + "/deliveries?limit=501", "", http.StatusBadRequest},
		"a cursor that no page gave":  {other, other.Secret, "GET", "/" + theirs + "/deliveries?cursor=1%20OR%201", "", http.StatusBadRequest},
		"a replay of what is pending": {other, other.Secret, "POST", "/" + theirs + "/replay", `{"status":"pending"}`, http.StatusBadRequest},
	} {
		if r := asApp(t, p, c.as, c.secret, c.method, c.path, c.body); r.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d: %s", name, r.StatusCode, c.status, r.Text)
		}
	}
	if h := asApp(t, p, other, other.Secret, "GET", "/"+theirs, "").JSON(t); h["enabled"] != true || h["previous_secret_expires_at"] != nil {
		t.Errorf("another's is now %v", h)
	}
}
