package identity_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestConsent_OfAnAppThatNobodyRegisteredSaysWhoItIsAndTicksNoHealthData(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	for language, says := range map[string][]string{
		"en": {"Nobody registered this app at Loop. It describes itself at", "you return to", "Any program on it could ask in this app’s name"},
		"de": {"Niemand hat diese App bei Loop registriert. Sie beschreibt sich selbst unter", "kehren zu", "Jedes Programm darauf könnte im Namen dieser App fragen"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			app, b := p.AddDocumentApp(t), p.NewBrowser(t)
			b.Language = language
			app.RedirectURIs = []loop.RedirectURI{"http://localhost/callback"}
			app.Describe(map[string]any{"redirect_uris": app.RedirectURIs})
			page := b.SignIn(b.Follow(b.Authorize(with(app.Request(), "redirect_uri", "http://localhost:49152/callback", "ui_locales", language))), p.AddMember(t, "Ada"+language))
			for _, said := range append(says, "127.0.0.1", "localhost") {
				if !strings.Contains(page.Text, said) {
					t.Errorf("the page does not say %q", said)
				}
			}
			for scope, ticked := range map[string]bool{"profile": true, "read:biomarkers": false} {
				box := regexp.MustCompile(`<input type="checkbox" id="scope-` + scope + `"[^>]*>`).FindString(page.Text)
				if box == "" || strings.Contains(box, "checked") != ticked {
					t.Errorf("the box of %s is %q", scope, box)
				}
			}
			if !strings.Contains(page.Text, `<option value="30-days" selected>`) || strings.Count(page.Text, " selected") != 1 {
				t.Error("30 days are not what is chosen at first")
			}
		})
	}
	t.Run("a registered app's page is as it was", func(t *testing.T) {
		t.Parallel()
		app, b := p.AddApp(t, nil), p.NewBrowser(t)
		page := b.SignIn(b.Follow(b.Authorize(app.Request())), p.AddMember(t, "Ben"))
		if strings.Contains(page.Text, `id="unregistered"`) || strings.Contains(page.Text, `id="anybody"`) || strings.Contains(page.Text, " selected") || strings.Count(page.Text, " checked") != 2 {
			t.Errorf("it is %s", page.Text)
		}
	})
}

func TestConsent_OfAnAppThatNobodyRegisteredEndsAfterThirtyDaysUnlessChosen(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app, b, ada := p.AddDocumentApp(t), p.NewBrowser(t), p.AddMember(t, "Ada")
	app.Code(b, ada)
	grant, err := p.OAuth.Ledger.LiveGrant(t.Context(), ada.ID, app.ID)
	if err != nil || !grant.EndsAt.Equal(grant.UpdatedAt.Add(30*24*time.Hour)) {
		t.Fatalf("it ends at %s, %v", grant.EndsAt, err)
	}
	page := b.Follow(b.Authorize(with(app.Request(), "prompt", "consent")))
	if !strings.Contains(page.Text, `<option value="as-it-was" selected>`) || strings.Count(page.Text, " selected") != 1 {
		t.Error("asked again, the end that there is is not kept at first")
	}
	listed := b.Get(platformtest.Identity + "/account/apps")
	own := b.Get(platformtest.Identity + "/account/apps/" + string(grant.ID))
	for _, page := range []*platformtest.Response{listed, own} {
		if page.StatusCode != http.StatusOK || !strings.Contains(page.Text, "127.0.0.1") {
			t.Errorf("the member's page does not name the host: %d %s", page.StatusCode, page.Text)
		}
	}
	if !strings.Contains(own.Text, "describes itself at 127.0.0.1") {
		t.Error("the app's page does not say where it describes itself")
	}
}

func TestConsent_AllowingNothingOfHealthDataAloneAsksAgain(t *testing.T) {
	t.Parallel()
	p := newOpenToDocuments(t)
	app, b, ada := p.AddDocumentApp(t), p.NewBrowser(t), p.AddMember(t, "Ada")
	request := with(app.Request(), "scope", "read:biomarkers")
	page := b.SignIn(b.Follow(b.Authorize(request)), ada)
	again := b.Decide(page, "allow")
	if again.StatusCode != http.StatusBadRequest || !strings.Contains(again.Text, "You have ticked nothing") || again.Field("ticket") == "" {
		t.Fatalf("status %d: %s", again.StatusCode, again.Text)
	}
	if rows := clientRows(t, p); len(rows) != 0 {
		t.Error("there is a row all the same")
	}
	if to := b.Decide(again, "allow", "read:biomarkers").Redirected(t); to.Query().Get("code") == "" {
		t.Errorf("got %s", to)
	}
}
