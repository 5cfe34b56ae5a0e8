package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

func TestReceipts_KeepWhatWasShownAndAnswered(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	app, ada := p.AddApp(t, func(c *loop.Client) { c.Name, c.Verified = "Morning Labs", false }), p.AddMember(t, "Lovelace")
	b := p.SignedIn(t, ada)
	page := b.Follow(b.Authorize(app.Request()))
	b.Follow(b.Post(platformtest.Identity+"/consent", url.Values{
		"csrf": {page.Field("csrf")}, "continue": {page.Field("continue")}, "ticket": {page.Field("ticket")},
		"decision": {"allow"}, "scope": {"profile"}, "term": {"30-days"},
	}))
	// What was shown stays, whatever the app is called now.
	if err := p.Run(t, "client", "update", string(app.ID), "--name", "Evening Labs"); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(b.Get(appsPage).Text, `href="/account/apps/`)
	id, _, _ := strings.Cut(rest, `"`)
	end := p.World.Now().AddDate(0, 0, 30).Format("2 January 2006")
	for address, says := range map[string][]string{
		appsPage:            {end},
		appsPage + "/" + id: {"until " + end, "/account/apps/" + id + "/receipts"},
		appsPage + "/" + id + "/receipts": {
			"Morning Labs</bdi> · not verified by Loop", "app.example.com", "See your lab results", "left out", "Until " + end, "It named no privacy policy.", `lang="en"`,
		},
	} {
		text := b.Get(address).Text
		for _, said := range says {
			if !strings.Contains(text, said) {
				t.Errorf("%s does not say %q: %s", address, said, text)
			}
		}
	}
	receipts := b.Get(appsPage + "/" + id + "/receipts").Text
	if _, main, _ := strings.Cut(receipts, "<main"); strings.Contains(main, "Lovelace") {
		t.Error("a receipt holds the member's own data")
	}
	b.Decide(b.Follow(b.Authorize(withPrompt(app.Request()))), "deny")
	if again := b.Get(appsPage + "/" + id + "/receipts").Text; strings.Count(again, "<section") != 1 {
		t.Errorf("a denial has left a receipt: %s", again)
	}
}

func withPrompt(request url.Values) url.Values {
	request.Set("prompt", "consent")
	return request
}

func TestSec302_ReceiptsAreTheirMembersAlone(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada, ben := connect(t, p, "Ada", nil), connect(t, p, "Ben", nil)
	if r := ada.browser.Get(ada.grant + "/receipts"); r.StatusCode != http.StatusOK || strings.Count(r.Text, "<section") != 1 {
		t.Errorf("Ada's own are answered %d %s", r.StatusCode, r.Text)
	}
	if r := ben.browser.Get(ada.grant + "/receipts"); r.StatusCode != http.StatusNotFound {
		t.Errorf("Ada's are shown to Ben: %d", r.StatusCode)
	}
	if r := p.NewBrowser(t).Get(ada.grant + "/receipts"); r.Redirected(t).Path != "/signin" {
		t.Errorf("signed out they lead to %s", r.Header.Get("Location"))
	}
}

func TestApps_AMemberChangesHowLongAnAppHasWhatTheyAllowed(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := connect(t, p, "Ada", nil)
	if to := ada.act(url.Values{"act": {"term"}, "term": {"day"}}).Redirected(t); !to.Query().Has("ends") {
		t.Errorf("it leads to %s", to)
	}
	if r := p.Biomarkers(t, ada.tokens.Access); r.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token that would outlive the end is answered %d", r.StatusCode)
	}
	if r := ada.app.Refresh(ada.tokens.Refresh); r.StatusCode != http.StatusOK {
		t.Errorf("before the end, a refresh is answered %d %s", r.StatusCode, r.Text)
	}
	if text := ada.browser.Get(ada.grant).Text; !strings.Contains(text, `<option value="as-it-was" selected>`) {
		t.Errorf("the app's page does not show the end: %s", text)
	}
	if r := ada.act(url.Values{"act": {"term"}, "term": {"for-ever"}}); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a term that there is none of is answered %d", r.StatusCode)
	}
}
