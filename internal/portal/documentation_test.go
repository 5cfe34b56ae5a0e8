package portal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestDocumentation_SamplesShowTheReadersOwnApp(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	const sample = "client_01K9Z6V2QX8M4T7R3E5W1B0N6C"
	grace, ada := developerOf(t, p, p.AddMember(t, "Grace")), developerOf(t, p, p.AddMember(t, "Ada"))
	if page := grace.Get(developers + "/docs/authorization-flow"); !strings.Contains(page.Text, sample) {
		t.Error("who has no app doesn't see the sample's client ID")
	}
	older, _ := register(t, grace, newApp())
	p.World.Advance(time.Second) // ids of one moment have no order
	newer, _ := register(t, grace, newApp())
	others, _ := register(t, ada, newApp())
	for _, c := range []struct{ name, query, want string }{
		{"the newest", "", newer},
		{"the one that was chosen", "?app=" + string(idOf(older)), older},
		{"another developer's is none", "?app=" + string(idOf(others)), newer},
	} {
		flow := grace.Get(developers + "/docs/authorization-flow" + c.query)
		quickstart := grace.Get(developers + "/docs/quickstart-python" + c.query)
		if !strings.Contains(flow.Text, "client_id="+string(idOf(c.want))) || strings.Contains(flow.Text, sample) {
			t.Errorf("%s: the flow's page has another client ID", c.name)
		}
		if !strings.Contains(textOf(quickstart.Text, "settings"), "LOOP_CLIENT_ID='"+string(idOf(c.want))+"'") || strings.Contains(quickstart.Text, string(idOf(others))) {
			t.Errorf("%s: the quickstart has other settings: %s", c.name, textOf(quickstart.Text, "settings"))
		}
	}
	if signedOut := p.NewBrowser(t).Get(developers + "/docs/quickstart-python"); !strings.Contains(signedOut.Text, `href="/apps/new"`) || strings.Contains(signedOut.Text, "LOOP_CLIENT_ID=&#39;") {
		t.Error("who is signed out sees an app")
	}
}
