package portal_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestWebhooks_ADeveloperLooksAfterThem(t *testing.T) {
	t.Parallel()
	p := platformtest.NewWith(t, func(c *platform.Config) { c.FetchHosts = []string{"127.0.0.1"} })
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(at.Close)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	app, _ := register(t, b, newApp())
	list := developers + app + "/webhooks"

	wrong := b.Post(list, form(b.Get(list), url.Values{"url": {"http://10.0.0.1/"}}))
	if wrong.StatusCode != http.StatusOK || !strings.Contains(wrong.Text, "http://10.0.0.1/") || !strings.Contains(wrong.Text, "at least one event") || !strings.Contains(wrong.Text, "https://") {
		t.Fatalf("a form with faults: %d %s", wrong.StatusCode, wrong.Text)
	}
	sent := form(b.Get(list), url.Values{"url": {at.URL}, "event": {"identity.grant.revoked.v1"}})
	shown := b.Post(list, sent).Redirected(t)
	page := b.Get(shown.String())
	if !strings.HasSuffix(shown.Path, "/secret") || !strings.Contains(page.Text, "whsec_") || !strings.Contains(page.Text, at.URL) {
		t.Fatalf("after it: %s %s", shown.Path, page.Text)
	}
	if again := b.Post(list, sent).Redirected(t); again.String() != list {
		t.Errorf("the form sent twice leads to %s", again)
	}
	if hooks := client(t, p, app).Webhooks; len(hooks) != 1 {
		t.Fatalf("it made %d webhooks", len(hooks))
	}
	hook := strings.TrimSuffix(shown.String(), "/secret")
	press := func(fields url.Values) *url.URL { return b.Post(hook, form(b.Get(hook), fields)).Redirected(t) }

	press(url.Values{"act": {"test"}})
	if err := p.Deliver(t.Context()); err != nil {
		t.Fatal(err)
	}
	page = b.Get(hook)
	if !strings.Contains(page.Text, "identity.webhook.test.v1") || !strings.Contains(page.Text, "status 418") || !strings.Contains(page.Text, "pending") {
		t.Errorf("the delivery is not shown: %s", page.Text)
	}
	press(url.Values{"delivery": {page.Field("delivery")}})
	if page = b.Get(hook); !strings.Contains(page.Text, "<td>0</td>") {
		t.Errorf("it is not replayed: %s", page.Text)
	}
	before := client(t, p, app).Webhooks[0].Secret
	if to := press(url.Values{"act": {"rotate"}}); !strings.HasSuffix(to.Path, "/secret") || client(t, p, app).Webhooks[0].Secret != before+1 {
		t.Errorf("a rotation leads to %s", to)
	}
	press(url.Values{"act": {"disable"}})
	if client(t, p, app).Webhooks[0].Disabled == "" {
		t.Error("it is not disabled")
	}
	press(url.Values{"act": {"enable"}})
	if client(t, p, app).Webhooks[0].Disabled != "" {
		t.Error("it is not enabled")
	}
	if r := b.Post(hook, form(b.Get(hook), url.Values{"act": {"else"}})); r.StatusCode != http.StatusBadRequest {
		t.Errorf("an act that there is not: %d", r.StatusCode)
	}
	p.World.Advance(11 * time.Minute)
	if r := b.Get(hook + "/secret"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("the secret is shown for too long: %d", r.StatusCode)
	}
	press(url.Values{"act": {"delete"}})
	if len(client(t, p, app).Webhooks) != 0 {
		t.Error("it is not deleted")
	}
	if page := b.Get(developers + app); !strings.Contains(page.Text, "Webhook added") || !strings.Contains(page.Text, "Webhook deleted") {
		t.Error("the app's page does not say what was done")
	}
}

func TestSec466_AnotherDevelopersWebhooksAreNotThere(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b, mallory := developerOf(t, p, p.AddMember(t, "Grace")), developerOf(t, p, p.AddMember(t, "Mallory"))
	app, _ := register(t, b, newApp())
	own, _ := register(t, mallory, newApp())
	list := developers + app + "/webhooks"
	b.Post(list, form(b.Get(list), url.Values{"url": {"https://app.example.com/hook"}, "event": {"identity.grant.revoked.v1"}})).Redirected(t)
	hook := client(t, p, app).Webhooks[0].ID
	for _, path := range []string{list, list + "/" + string(hook), list + "/" + string(hook) + "/secret", developers + own + "/webhooks/" + string(hook)} {
		if r := mallory.Get(path); r.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, r.StatusCode)
		}
		if r := mallory.Post(path, form(mallory.Get(developers+own+"/webhooks"), url.Values{"act": {"delete"}})); r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, r.StatusCode)
		}
	}
	if b.Post(list+"/"+string(hook), url.Values{"act": {"delete"}}).StatusCode != http.StatusForbidden {
		t.Error("a form without its token is taken")
	}
	if got := client(t, p, app).Webhooks; len(got) != 1 || got[0].Secret != 1 || got[0].ID != hook {
		t.Errorf("the webhooks are %+v", got)
	}
}
