package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

// activityOf is the text of an app's activity list, the newest first.
func activityOf(page *platformtest.Response) string {
	_, list, _ := strings.Cut(page.Text, `id="activity"`)
	list, _, _ = strings.Cut(list, "</table>")
	return list
}

func TestAnAppsPageListsWhatWasDoneToItAndByWhom(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := developerOf(t, p, p.AddMember(t, "Grace"))
	path, _ := register(t, b, newApp())
	changed := newApp()
	changed.Set("name", "Evening Labs")
	b.Post(developers+path+"/edit", form(b.Get(developers+path+"/edit"), changed)).Redirected(t)
	b.Post(developers+path+"/rotate-secret", form(b.Get(developers+path+"/rotate-secret"), nil)).Redirected(t)
	if err := p.Run(t, "client", "disable", string(idOf(path))); err != nil {
		t.Fatal(err)
	}
	list := activityOf(b.Get(developers + path))
	for _, part := range []string{"Registered", "Changed: name", "New secret", "Disabled", "you, from ", "an operator of Loop"} {
		if !strings.Contains(list, part) {
			t.Errorf("the list does not say %q:\n%s", part, list)
		}
	}
	other := developerOf(t, p, p.AddMember(t, "Mallory"))
	otherApp, _ := register(t, other, newApp())
	if list := activityOf(other.Get(developers + otherApp)); strings.Contains(list, "New secret") {
		t.Error("somebody else's activity is shown")
	}
}

// A change that somebody else made in a developer's name is what they see first.
func TestSec175_AtTheNextVisitADeveloperIsShownWhatWasDoneMeanwhile(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	grace := p.AddMember(t, "Grace")
	app := p.AddApp(t, func(c *loop.Client) {
		c.Owner, c.Verified, c.Mode, c.RedirectURIs = grace.ID, true, loop.Production, []loop.RedirectURI{"https://app.example.com/cb"}
	})
	path := "/apps/" + string(app.ID)
	first := developerOf(t, p, grace)
	if page := first.Get(developers + "/apps"); page.StatusCode != http.StatusOK || strings.Contains(page.Text, "since-last-visit") {
		t.Error("the first visit has news")
	}
	p.World.Advance(time.Hour)
	thief := developerOf(t, p, grace) // with the password
	stolen := newApp()
	stolen.Set("redirect_uri", "https://evil.example/cb")
	thief.Post(developers+path+"/edit", form(thief.Get(developers+path+"/edit"), stolen)).Redirected(t)
	p.World.Advance(time.Hour)

	b := developerOf(t, p, grace)
	for range 2 { // for the whole visit
		news := b.Get(developers + "/apps").Text
		for _, part := range []string{"Since your visit on", "redirect URIs", "by you, from", "It is not verified any more"} {
			if !strings.Contains(news, part) {
				t.Errorf("the notice does not say %q", part)
			}
		}
		p.World.Advance(16 * time.Minute)
		page := arrive(t, b, b.Get(developers+path+"/edit")) // signs in again, on the same visit
		arrive(t, b, b.SignIn(page, grace))
	}
	if page := b.Get(developers + path).Text; !strings.Contains(page, "Loop looks at it again") || strings.Contains(page, "Verified by Loop.") {
		t.Error("the app's page does not say that its verification has ended")
	}
	p.World.Advance(time.Hour)
	if page := developerOf(t, p, grace).Get(developers + "/apps"); strings.Contains(page.Text, "since-last-visit") {
		t.Error("what was seen is shown again")
	}
}
