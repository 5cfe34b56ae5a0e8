package account_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/locale"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/platform/platformtest"
)

const resultsPage = platformtest.Identity + "/account/results"

// decimal is a number of a test.
func decimal(t *testing.T, text string) biomarker.Decimal {
	t.Helper()
	d, err := biomarker.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// send adds synthetic results to a member's record, as an app does.
func send(t *testing.T, p *platformtest.Platform, m *loop.Member, app loop.ClientID, results ...biomarker.Incoming) {
	t.Helper()
	for i := range results {
		if results[i].Source == "" {
			results[i].Source = "quest"
		}
	}
	if _, err := p.Importer.Submit(t.Context(), m.ID, biomarker.Sender{Client: app}, results, nil); err != nil {
		t.Fatal(err)
	}
}

// says holds a page to what it says, and to what it does not.
func says(t *testing.T, page *platformtest.Response, wanted []string, not ...string) {
	t.Helper()
	text := strings.ReplaceAll(page.Text, "&nbsp;", " ")
	for _, want := range wanted {
		if page.StatusCode != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s (%d) does not say %q:\n%s", page.Request.URL, page.StatusCode, want, text)
		}
	}
	for _, unwanted := range not {
		if strings.Contains(text, unwanted) {
			t.Errorf("%s says %q", page.Request.URL, unwanted)
		}
	}
}

func TestResults_AreTheNewestOfEachTestByCategoryWithTheirRange(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app := p.AddApp(t, nil)
	send(
		t, p, ada, app.ID,
		biomarker.Incoming{Code: "tsh", Value: decimal(t, "2.40"), Unit: "m[IU]/L", Collected: "2025-03-02"},
		biomarker.Incoming{Code: "tsh", Value: decimal(t, "6.10"), Unit: "m[IU]/L", Collected: "2026-03-02"},
		biomarker.Incoming{Code: "glucose-fasting", Value: decimal(t, "5.50"), Unit: "mmol/L", Collected: "2026-02"},
		biomarker.Incoming{Code: "hs-crp", Comparator: biomarker.Below, Value: decimal(t, "0.2"), Unit: "mg/L", Collected: "2025"},
		biomarker.Incoming{Code: "hdl-c", Value: decimal(t, "45"), Unit: "mg/dL", Collected: "2026-03-02", Range: biomarker.Range{Low: decimal(t, "40"), High: decimal(t, "90")}},
		biomarker.Incoming{Code: "urine-nitrite", Text: "Negative", Collected: "2026-03-02"},
	)
	b := p.SignedIn(t, ada)
	page := b.Get(resultsPage)
	says(
		t, page,
		[]string{"Blood fats", "Thyroid", "6.10", "5.50", "mmol/L", "February 2026", "&lt; 0.2", "Negative", "Range: 40–90", "2 March 2026", `<span class="status high">High</span>`, `class="gauge"`},
		"2.40", "Heart",
	)
	if cache := page.Header.Get("Cache-Control"); !strings.Contains(cache, "no-store") {
		t.Errorf("the page may be kept: %q", cache)
	}
	if strings.Index(page.Text, "Blood fats") > strings.Index(page.Text, "Thyroid") {
		t.Error("the categories are not in the catalogue's order")
	}
	if other := p.SignedIn(t, p.AddMember(t, "Ben")).Get(resultsPage); strings.Contains(other.Text, "6.10") {
		t.Error("another member sees the results")
	}
	choose(b, page, "de")
	says(t, b.Get(resultsPage), []string{"Meine Laborwerte", "6,10", "Februar 2026", "Blutfette", "Hoch", "Bereich: 40–90", "Glukose, nüchtern"}, "6.10")
}

func TestResult_ShowsItsHistoryAndWhoSentIt(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	app := p.AddApp(t, func(c *loop.Client) { c.Name = "Morning Labs" })
	send(
		t, p, ada, app.ID,
		biomarker.Incoming{Code: "glucose-fasting", Value: decimal(t, "92"), Unit: "mg/dL", Collected: "2024-02"},
		biomarker.Incoming{Code: "glucose-fasting", Comparator: biomarker.Below, Value: decimal(t, "70"), Unit: "mg/dL", Collected: "2024-06-01"},
		biomarker.Incoming{Code: "glucose-fasting", Value: decimal(t, "130"), Unit: "mg/dL", Collected: "2025-01-05T09:30:00+01:00"},
		biomarker.Incoming{Code: "glucose-fasting", Text: "haemolysed", Collected: "2025-02-05"},
		biomarker.Incoming{Code: "glucose-fasting", Value: decimal(t, "5.50"), Unit: "mmol/L", Collected: "2025-08-09", Source: "charite"},
	)
	b := p.SignedIn(t, ada)
	page := b.Get(resultsPage + "/glucose-fasting")
	says(t, page, []string{
		"<svg", "<title id=\"history-title\">", "<desc id=\"history-desc\">", "4 results from February 2024 to 9 August 2025", "Lowest: &lt; 70 mg/dL. Highest: 130 mg/dL.",
		"3 results in other units are drawn in mmol/L", "1 result that is no number", "haemolysed", "▲ above the range", "an arrow",
		"<bdi>charite</bdi>, sent by <bdi>Morning Labs</bdi>", "received on 3 March 2036", "08:30", `class="band"`,
	}, "<script", "style=")
	choose(b, page, "de")
	says(t, b.Get(resultsPage+"/glucose-fasting"), []string{"im Verlauf, in mmol/L", "5,50 mmol/L", "gesendet von <bdi>Morning Labs</bdi>", "Februar 2024"})
	if unknown := b.Get(resultsPage + "/no-such-test"); unknown.StatusCode != http.StatusNotFound {
		t.Errorf("a test that is not there answers %d", unknown.StatusCode)
	}
	says(t, b.Get(resultsPage+"/tsh"), []string{"Von diesem Test haben Sie keinen Wert."})
	choose(b, page, "en")
	says(t, b.Get(resultsPage+"/tsh"), []string{"You have no result of this test."})
	if forged := b.Get(resultsPage + "/glucose-fasting?cursor=AAAA"); forged.StatusCode != http.StatusBadRequest {
		t.Errorf("a made-up cursor answers %d", forged.StatusCode)
	}
}

func TestResult_GoesOnToOlderOnes(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	var many []biomarker.Incoming
	for i := range 103 {
		many = append(many, biomarker.Incoming{Code: "tsh", Value: decimal(t, "2.4"), Unit: "m[IU]/L", Collected: p.World.Now().AddDate(0, 0, -i).Format("2006-01-02")})
	}
	send(t, p, ada, "", many...)
	b := p.SignedIn(t, ada)
	page := b.Get(resultsPage + "/tsh")
	says(t, page, []string{"100 results from"})
	_, older, found := strings.Cut(page.Text, `id="older" href="`)
	if !found {
		t.Fatal("nothing leads to older results")
	}
	older, _, _ = strings.Cut(older, `"`)
	says(t, b.Get(platformtest.Identity+older), []string{"3 results from"}, `id="older"`)
}

func TestResults_WithoutAnyLeadOnToAnImport(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	b := p.SignedIn(t, p.AddMember(t, "Ada"))
	says(t, b.Get(resultsPage), []string{"There are no lab results yet", `id="add-results" href="/account/results/import"`})
	says(t, b.Get(platformtest.Identity+"/account"), []string{`href="/account/results"`})
}

func TestSec420_ResultsAreForTheSignedInMemberAloneAndRecorded(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	send(t, p, ada, "", biomarker.Incoming{Code: "tsh", Value: decimal(t, "2.40"), Unit: "m[IU]/L", Collected: "2025-03-02"})
	stranger := p.NewBrowser(t)
	for _, address := range []string{resultsPage, resultsPage + "/tsh"} {
		r := stranger.Get(address)
		if to := r.Redirected(t); to.Path != "/signin" {
			t.Fatalf("%s leads a stranger to %s", address, to)
		}
		if back := stranger.SignIn(stranger.Follow(r), ada); back.StatusCode != http.StatusOK || !strings.Contains(back.Text, "2.40") || "https://identity.platform.test"+back.Request.URL.Path != address {
			t.Errorf("after sign-in the member is at %s: %d", back.Request.URL, back.StatusCode)
		}
		stranger = p.NewBrowser(t)
	}
	viewed := "audit_records WHERE event = 'biomarkers.viewed' AND actor_kind = 'member' AND member_id = '" + string(ada.ID) + "' AND detail LIKE '%1%'"
	if count := p.Count(t, "identity", viewed); count != 2 {
		t.Errorf("%d looks are in the record, not 2", count)
	}
	if page := p.SignedIn(t, ada).Get(platformtest.Identity + "/account/activity"); !strings.Contains(page.Text, "Nothing was read.") {
		t.Error("the member's own looks are among what apps read")
	}
	if logged := p.Log.String(); strings.Contains(logged, "2.40") || strings.Contains(logged, "results/tsh") {
		t.Errorf("the log names the test or its value")
	}
}

// SHBG has a range for women from 18 to 46, and none without an age.
func TestResults_ABirthDateDecidesWhichRangeHolds(t *testing.T) {
	t.Parallel()
	p := platformtest.New(t)
	ada := p.AddMember(t, "Ada")
	send(t, p, ada, "", biomarker.Incoming{Code: "shbg", Value: decimal(t, "60"), Unit: "nmol/L", Collected: "2035-03-02"})
	b := p.SignedIn(t, ada)
	page := b.Get(resultsPage)
	says(t, page, []string{"Your birth date", "Some ranges go by age."}, "Range:")
	say := func(date string) *platformtest.Response {
		return b.Post(resultsPage, url.Values{"csrf": {b.Get(resultsPage).Field("csrf")}, "birth_date": {date}})
	}
	if refused := say("2037-01-01"); refused.StatusCode != http.StatusBadRequest || !strings.Contains(refused.Text, "A birth date is a date between 1900 and today.") || !strings.Contains(refused.Text, `value="2037-01-01"`) {
		t.Errorf("a date in the future is answered %d %s", refused.StatusCode, refused.Text)
	}
	says(t, b.Follow(say("2005-02-28")), []string{"Range:", "Normal", "Your birth date is saved.", `value="2005-02-28"`})
	if updated := "audit_records WHERE event = 'member.updated' AND detail LIKE '%birth_date%'"; p.Count(t, "identity", updated) != 1 || p.Count(t, "identity", "audit_records WHERE detail LIKE '%2005%'") != 0 {
		t.Error("the record does not say that the birth date changed, or says the date")
	}
	if kept := unzip(t, b.Get(privacyPage+"/download"))["account.json"]; !strings.Contains(kept, "2005-02-28") {
		t.Errorf("the download lacks it: %s", kept)
	}
	says(t, b.Follow(say("")), []string{`value=""`}, "Range:")
	if foreign := p.NewBrowser(t).Post(resultsPage, url.Values{"birth_date": {"2005-02-28"}}); foreign.StatusCode != http.StatusForbidden {
		t.Errorf("a form without its token is answered %d", foreign.StatusCode)
	}
}

func TestResults_EveryTestAndCategoryHasANameInEveryLanguage(t *testing.T) {
	t.Parallel()
	texts, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := biomarker.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for b := range catalogue.All() {
		named["results.category."+string(b.Category)], named["biomarker."+string(b.Code)] = true, true
		if said := texts.Match(locale.English).Text("biomarker." + string(b.Code)); said != b.Name {
			t.Errorf("pages call %s %q, and the catalogue %q", b.Code, said, b.Name)
		}
	}
	for _, l := range texts.Languages() {
		for _, key := range append(l.Keys("results.category."), l.Keys("biomarker.")...) {
			if !named[key] {
				t.Errorf("%s names %s, which the catalogue lacks", l.Tag, key)
			}
		}
		for key := range named {
			if there, _ := l.Has(key); !there {
				t.Errorf("%s has no name %s", l.Tag, key)
			}
		}
	}
}
