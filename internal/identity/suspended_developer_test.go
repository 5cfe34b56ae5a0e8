package identity_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// A developer who is suspended has no apps that work: nothing that one holds opens
// anything, nothing new is given to it, and whoever asks learns why.
func TestSec230_TheAppsOfASuspendedDeveloperStopUntilTheyAreReinstated(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace, ada := p.AddMember(t, "Grace"), p.AddMember(t, "Ada")
	app := p.AddApp(t, func(c *loop.Client) { c.Owner = grace.ID })
	other := p.AddApp(t, nil)
	b := p.NewBrowser(t)
	unused := app.Code(b, ada)
	tokens := app.Redeem(app.Code(b, ada)).Pair(t)
	pushed := push(t, app, app.Request())
	others := other.Redeem(other.Code(b, ada)).Pair(t)

	if err := p.Suspend(t, grace); err != nil {
		t.Fatal(err)
	}
	t.Run("its access token opens nothing", func(t *testing.T) {
		for name, r := range map[string]*platformtest.Response{"lab results": p.Biomarkers(t, tokens.Access), "userinfo": p.UserInfo(t, tokens.Access)} {
			if r.StatusCode != http.StatusUnauthorized || r.JSON(t)["error"] != "invalid_token" {
				t.Errorf("%s: %d %s", name, r.StatusCode, r.Text)
			}
		}
	})
	t.Run("it is given nothing, and told why", func(t *testing.T) {
		for name, r := range map[string]*platformtest.Response{
			"a code": app.Redeem(unused), "a refresh token": app.Refresh(tokens.Refresh),
			"a push": app.Send("/v1/oauth/par", app.Request(), nil), "an introspection": app.Send("/v1/oauth/introspect", url.Values{"token": {tokens.Access}}, nil),
		} {
			refused(t, r, http.StatusUnauthorized, "invalid_client")
			if !strings.Contains(r.Text, "suspended") {
				t.Errorf("%s: %s", name, r.Text)
			}
		}
	})
	t.Run("its requests end in a page", func(t *testing.T) {
		for name, request := range map[string]url.Values{"one by address": app.Request(), "one that was pushed before": byHandle(app, pushed)} {
			if r := b.Authorize(request); r.StatusCode != http.StatusBadRequest || !strings.Contains(r.Text, "suspended") {
				t.Errorf("%s: %d %s", name, r.StatusCode, r.Text)
			}
		}
	})
	t.Run("an operator sees why", func(t *testing.T) {
		for _, command := range [][]string{{"client", "list"}, {"client", "show", string(app.ID)}} {
			out, err := p.RunWith(t, "", command...)
			if err != nil || !strings.Contains(out, "stopped: its developer is suspended") {
				t.Errorf("%v: %v %s", command, err, out)
			}
		}
	})
	t.Run("another app goes on", func(t *testing.T) {
		if r := p.Biomarkers(t, others.Access); r.StatusCode != http.StatusOK {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
	})

	if err := p.Run(t, "user", "resume", string(grace.ID)); err != nil {
		t.Fatal(err)
	}
	t.Run("once reinstated, the app goes on where it was", func(t *testing.T) {
		next := app.Refresh(tokens.Refresh).Pair(t)
		if r := p.Biomarkers(t, next.Access); r.StatusCode != http.StatusOK {
			t.Errorf("%d %s", r.StatusCode, r.Text)
		}
		if r := p.Biomarkers(t, tokens.Access); r.StatusCode != http.StatusUnauthorized {
			t.Errorf("a token from before: %d %s", r.StatusCode, r.Text)
		}
		app.Redeem(app.Code(b, ada)).Pair(t)
	})
}
