package clinical_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth"
)

// expectedWarnings are what HAPI's validator says of resources that are right, and why
// it does: it has no terminology server here.
var expectedWarnings = []struct{ message, reason string }{
	{`http://loinc\.org|LOINC`, "LOINC's codes are not in the validator: the catalogue's own test checks them"},
	{`CodeSystem/biomarker`, "the catalogue's code system is ours, and not in the validator"},
	{`unitsofmeasure|UCUM`, "UCUM's codes are not in the validator: the catalogue's own test checks them"},
	{`dom-6|narrative`, "a narrative is for people without an app; each app has its own"},
	{`None of the codings provided are in the value set|us-core-laboratory-test-codes|was not found in the value set`, "the value set is of all LOINC codes, which are not in the validator"},
	{`us-core-4|SNOMED`, "the words of a scale are the laboratory's: no code of SNOMED was confirmed for them"},
	{`NamingSystem/member`, "the system of members' ids is ours"},
	{`All observations should have a performer|should have a subject|effectiveDateTime`, "best practice, met wherever the laboratory said it"},
}

// everyKind makes a result of each biomarker of the catalogue, in the forms that
// results of its kind have.
func everyKind(t *testing.T, c *biomarker.Catalogue) (results []biomarker.Result) {
	t.Helper()
	add := func(r biomarker.Result) {
		r.ID, r.Source, r.ParsedAt = loop.NewResultID(loop.Machine{}), "synthetic-lab", now
		r.CollectedAt = now.AddDate(0, 0, -1-len(results)%200)
		if len(results)%3 == 0 {
			r.CollectedAt, r.Precision = r.CollectedAt.Truncate(24*time.Hour), biomarker.ToTheDay
		}
		if err := c.Validate(&r); err != nil {
			t.Fatalf("%s: %v", r.Code, err)
		}
		results = append(results, r)
	}
	for b := range c.All() {
		switch b.Kind {
		case biomarker.Quantity:
			units := []string{b.Unit, b.SI.Unit}
			for _, a := range b.Alternatives {
				units = append(units, a.Unit)
			}
			for i, unit := range units {
				add(biomarker.Result{Code: b.Code, Value: decimal(t, "1.10"), Unit: unit, Comparator: []biomarker.Comparator{"", "<", ">="}[i%3]})
			}
			add(biomarker.Result{Code: b.Code, Value: decimal(t, "7"), Unit: b.Unit, Flag: biomarker.Critical})
			add(biomarker.Result{Code: b.Code, Text: "hemolysed"})
			add(biomarker.Result{Code: b.Code, Text: "0-2", Unit: b.Unit})
		case biomarker.Titre:
			add(biomarker.Result{Code: b.Code, Value: decimal(t, "160"), Text: "1:160", Unit: b.Unit})
		default:
			word := "as the laboratory wrote it"
			if b.Scale != nil {
				word = b.Scale.Values[0]
			}
			add(biomarker.Result{Code: b.Code, Text: word})
			add(biomarker.Result{Code: b.Code, Text: "0-2"})
		}
	}
	return results
}

// Promise: HAPI's validator finds no error in anything that we emit, by US Core 6.1.0
// and 8.0.0, and warns of nothing but what is expected.
func TestFHIR_EverythingHoldsByHAPIsValidator(t *testing.T) {
	jars := os.Getenv("LOOP_TEST_HAPI")
	if jars == "" {
		t.Skip("left out: LOOP_TEST_HAPI names no folder with HAPI's validator; ./scripts/test fetches it")
	}
	folder := emitted(t)
	for _, profiles := range []string{"us_core_610.tgz", "us_core_800.tgz"} {
		t.Run(profiles, func(t *testing.T) {
			t.Parallel()
			archive, err := filepath.Abs(filepath.Join("../../../shared/fhir", profiles))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(archive); err != nil {
				t.Skipf("left out: the profiles are not beside the clone: %v", err)
			}
			validated(t, jars, archive, folder)
		})
	}
}

func validated(t *testing.T, jars, archive, folder string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "java", "-Xmx1g", "-cp", filepath.Join(jars, "*")+":"+filepath.Dir(archive), "testdata/Validate.java", filepath.Base(archive), folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	warnings, done := map[string]int{}, false
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		severity, rest, _ := strings.Cut(lines.Text(), "\t")
		switch severity {
		case "ERROR", "FATAL":
			t.Errorf("%s", rest)
		case "WARNING":
			warnings[reasonOf(t, rest)]++
		case "DONE":
			done = true
		}
	}
	if err := cmd.Wait(); err != nil || !done {
		t.Fatalf("the validator ended before it was done: %v", err)
	}
	for reason, count := range warnings {
		t.Logf("%d warnings: %s", count, reason)
	}
}

func reasonOf(t *testing.T, warning string) string {
	t.Helper()
	for _, expected := range expectedWarnings {
		if regexp.MustCompile(expected.message).MatchString(warning) {
			return expected.reason
		}
	}
	t.Errorf("an unexpected warning: %s", warning)
	return "unexpected"
}

// emitted writes all that eight invented members' apps can read into a folder.
func emitted(t *testing.T) string {
	t.Helper()
	h := newHost(t)
	folder := t.TempDir()
	write := func(name, path, token string) string {
		w := h.send(http.MethodGet, path, token)
		if err := os.WriteFile(filepath.Join(folder, name+".json"), w.Body.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return w.Body.String()
	}
	write("metadata", "/fhir/metadata", "")
	for n := range 8 {
		member := loop.MemberID(fmt.Sprintf("user_01KAXYZ000000000000000010%d", n))
		if n%2 == 0 {
			h.identity.born[member] = time.Date(1980, 2, 29, 0, 0, 0, 0, time.UTC)
		}
		token := "lph_at_" + string(member)
		h.identity.sexes[member] = []loop.Sex{loop.Female, loop.Male, ""}[n%3]
		h.identity.tokens[token] = oauth.AccessToken{Member: member, Client: "client_A", Grant: "grant_A", Scopes: loop.NewScopes(loop.ScopeReadDemographics, loop.ScopeReadBiomarkers)}
		history, err := h.catalogue.Synthetic(member, h.identity.sexes[member], now.AddDate(0, -n, 0))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			history = append(history, everyKind(t, h.catalogue)...)
		}
		h.add(t, member, history...)
		patient := strings.Replace(string(member), "_", "-", 1)
		write(fmt.Sprint(n, "-patient"), "/fhir/Patient/"+patient, token)
		write(fmt.Sprint(n, "-patients"), "/fhir/Patient", token)
		if n == 1 || n == 2 { // the same Observations once more, which takes its time
			write(fmt.Sprint(n, "-everything"), "/fhir/Patient/"+patient+"/$everything", token)
			write(fmt.Sprint(n, "-reports"), "/fhir/DiagnosticReport?patient="+patient, token)
		}
		write(fmt.Sprint(n, "-refused"), observation+"?patient=nobody", token)
		write(fmt.Sprint(n, "-nothing"), observation+"?code=nothing", token)
		write(fmt.Sprint(n, "-count"), observation+"?_count=0", token)
		path := observation + "?_count=1000&patient=" + patient
		for page := 0; path != ""; page++ {
			text := write(fmt.Sprint(n, "-page-", page), path, token)
			next := regexp.MustCompile(`"relation":"next","url":"https://[^/]+([^"]+)"`).FindStringSubmatch(text)
			path = ""
			if next != nil {
				path = strings.ReplaceAll(next[1], `\u0026`, "&")
			}
		}
	}
	return folder
}
