package platform_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// portalID is the portal's own client.
const portalID loop.ClientID = "client_0000000000000000DEVE10PERS"

func TestPortal_IsFoundByItsIDWhateverAppsAreCalled(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	operator := audit.Actor{Kind: audit.ByOperator, ID: "test"}
	own, err := p.Clients.Store.Client(t.Context(), portalID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Clients.Update(t.Context(), portalID, operator, func(c *loop.Client) { c.Name = "Renamed" }); err != nil {
		t.Fatal(err)
	}
	namesake := p.AddApp(t, func(c *loop.Client) { c.Name, c.FirstParty = own.Name, true })
	before := clientCount(t, p)
	p.Restart(t)

	if after := clientCount(t, p); after != before {
		t.Errorf("a start made %d clients from %d", after, before)
	}
	same, err := p.Clients.Store.Client(t.Context(), namesake.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := same.RedirectURIs[0], namesake.RedirectURIs[0]; got != want {
		t.Errorf("the app with the portal's former name now redirects to %s, not to %s", got, want)
	}
	m := p.AddMember(t, "Grace")
	b := p.NewBrowser(t)
	login := b.Get(b.Get(platformtest.Developers + "/apps").Redirected(t).String())
	back := b.SignIn(b.Follow(b.Get(login.Redirected(t).String())), m).Redirected(t)
	if r := b.Get(back.String()); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/apps" {
		t.Errorf("signing in to the portal: %d %s", r.StatusCode, r.Text)
	}
	if !strings.HasPrefix(back.String(), platformtest.Developers+"/callback?") {
		t.Errorf("identity answers to %s", back)
	}
}

func clientCount(t *testing.T, p *platformtest.Platform) int {
	t.Helper()
	clients, err := p.Clients.Store.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(clients)
}
