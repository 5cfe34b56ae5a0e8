package platform_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/dev"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestPersonas_AreThereToSignInAs(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	person := func(key string) dev.Person {
		return dev.Person{Name: key, Email: key + "@members.example", Password: platformtest.Password, Sex: loop.Female}
	}
	seed := dev.Seed{
		Member: person("ada"), Member2: person("alan"), Developer: person("grace"),
		RedirectURIs: []string{"http://localhost:5000/callback"}, PersonaPassword: platformtest.Password,
	}
	seeded, err := p.Seed(t.Context(), seed)
	if err != nil {
		t.Fatal(err)
	}
	members := p.Count(t, "identity", "members")
	if _, err := p.Seed(t.Context(), seeded); err != nil || p.Count(t, "identity", "members") != members {
		t.Errorf("seeding again: %v, and %d members", err, p.Count(t, "identity", "members"))
	}
	app := p.AddApp(t, func(c *loop.Client) { c.Mode = loop.Development })
	for _, persona := range biomarker.Personas() {
		member := &loop.Member{Email: loop.Email(persona.Key + "@members.example")}
		b := p.NewBrowser(t)
		page := b.SignIn(b.Follow(b.Authorize(app.Request())), member)
		if persona.Suspended {
			if strings.Contains(page.Text, `id="allow"`) {
				t.Error("who is suspended signs in")
			}
			continue
		}
		code := b.Decide(page, "allow", "openid", "profile", "read:biomarkers").Redirected(t).Query().Get("code")
		tokens := app.Redeem(code).Pair(t)
		results := p.Fetch(t, http.MethodGet, platformtest.Clinical+"/v1/biomarkers/me?"+url.Values{"limit": {"500"}}.Encode(), http.Header{"Authorization": {"Bearer " + tokens.Access}}).JSON(t)
		count, _ := results["count"].(float64)
		if persona.Key == "empty" && count != 0 || persona.Key == "many" && (count != 500 || results["next_cursor"] == nil) || persona.Key != "empty" && count < 100 {
			t.Errorf("%s has %v results", persona.Key, count)
		}
	}
}
