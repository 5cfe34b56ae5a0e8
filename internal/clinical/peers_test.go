package clinical_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/fhir"
)

// theirs is what is compared of an Observation that others wrote.
type theirs struct {
	ResourceType      string
	Status            string
	Code              fhir.CodeableConcept
	EffectiveDateTime string
	ValueQuantity     *struct {
		Value            json.Number
		Comparator, Unit string
		Code             string
	}
	ReferenceRange []struct {
		Low, High *struct{ Value json.Number }
	}
	ValueString          string
	Component, HasMember []json.RawMessage
}

// loinc is the LOINC code of an Observation.
func (o *theirs) loinc() string {
	for _, coding := range o.Code.Coding {
		if coding.System == fhir.SystemLOINC {
			return coding.Code
		}
	}
	return ""
}

// comesBack imports resources, a line each, and holds every one that is of a biomarker
// and a quantity against what is given out again. It gives how many there were.
func (h *host) comesBack(t *testing.T, resources []string) int {
	t.Helper()
	w := h.sendFile(writers, "source=peer", "application/fhir+ndjson", strings.Join(resources, "\n"))
	if w.Code != http.StatusOK {
		t.Fatalf("the import is answered %d %s", w.Code, w.Body)
	}
	return h.compare(t, resources)
}

// compare holds resources that were imported against what is given out.
func (h *host) compare(t *testing.T, resources []string) int {
	t.Helper()
	given := h.everything(t)
	count := 0
	for _, text := range resources {
		var o theirs
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&o); err != nil {
			t.Fatal(err)
		}
		b, known := h.catalogue.FindLOINC(o.loinc())
		if o.ResourceType != "Observation" || o.Status != "final" || !known || o.ValueQuantity == nil {
			continue
		}
		count++
		unit := o.ValueQuantity.Code
		if unit == "" {
			unit = o.ValueQuantity.Unit
		}
		if unit, known = h.catalogue.ReadUnit(b, unit); !known || !hasLike(given[b.Code], &o, b, unit) {
			t.Errorf("%s of %s, %s %s, does not come back", b.Code, o.EffectiveDateTime, o.ValueQuantity.Value, o.ValueQuantity.Code)
		}
	}
	return count
}

// everything reads all that the member has, as Observations, by biomarker.
func (h *host) everything(t *testing.T) map[biomarker.Code][]theirs {
	t.Helper()
	resources := fhir.NewResources("https://clinical.platform.loop.health/fhir")
	given := make(map[biomarker.Code][]theirs)
	q := biomarker.Query{Limit: 500}
	for {
		page, err := h.reader.Read(t.Context(), anna, biomarker.Person{}, q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Results {
			encoded, err := json.Marshal(resources.Observation(anna, &page.Results[i]))
			if err != nil {
				t.Fatal(err)
			}
			var o theirs
			if err := json.Unmarshal(encoded, &o); err != nil {
				t.Fatal(err)
			}
			given[page.Results[i].Code] = append(given[page.Results[i].Code], o)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return given
		}
	}
}

// hasLike looks for an Observation with the same digits, unit, time and interval.
func hasLike(given []theirs, want *theirs, b *biomarker.Biomarker, unit string) bool {
	for i := range given {
		o := &given[i]
		if o.ValueQuantity == nil || o.ValueQuantity.Value != want.ValueQuantity.Value || o.ValueQuantity.Comparator != want.ValueQuantity.Comparator {
			continue
		}
		if o.ValueQuantity.Code != unit || !sameTime(o.EffectiveDateTime, want.EffectiveDateTime) || !sameInterval(o, want) {
			continue
		}
		if own := want.loinc(); (own == b.LOINC || own == b.SI.LOINC) && o.loinc() != own {
			continue
		}
		return true
	}
	return false
}

// sameTime: a date is the same date, a time the same moment.
func sameTime(a, b string) bool {
	at, err := time.Parse(time.RFC3339, a)
	other, otherErr := time.Parse(time.RFC3339, b)
	return err == nil && otherErr == nil && at.Equal(other) || a == b
}

// sameInterval: an interval that is in order comes back with its digits; one that is
// upside down does not come as one.
func sameInterval(given, sent *theirs) bool {
	if len(sent.ReferenceRange) == 0 {
		return true
	}
	low, high := sent.ReferenceRange[0].Low, sent.ReferenceRange[0].High
	if low != nil && high != nil {
		a, aErr := biomarker.ParseDecimal(low.Value.String())
		b, bErr := biomarker.ParseDecimal(high.Value.String())
		if aErr != nil || bErr != nil || a.Compare(b) > 0 {
			return true
		}
	}
	if len(given.ReferenceRange) != 1 {
		return false
	}
	same := func(a, b *struct{ Value json.Number }) bool {
		return a == nil && b == nil || a != nil && b != nil && a.Value == b.Value
	}
	return same(given.ReferenceRange[0].Low, low) && same(given.ReferenceRange[0].High, high)
}

// TestUSCore_ItsExamplesComeBackAsTheyCame: HL7's own laboratory examples, digit by
// digit.
func TestUSCore_ItsExamplesComeBackAsTheyCame(t *testing.T) {
	folder := os.Getenv("LOOP_TEST_FHIR")
	if folder == "" {
		t.Skip("LOOP_TEST_FHIR names no folder with the packages of US Core")
	}
	for _, name := range []string{"us_core_610.tgz", "us_core_800.tgz"} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			if count := h.comesBack(t, examples(t, filepath.Join(folder, name))); count < 10 {
				t.Errorf("only %d results were compared", count)
			}
		})
	}
}

// madeBundle is a bundle of PyPI carebundle, and what was done to it.
type madeBundle struct {
	Clean, Dirty json.RawMessage
	Defects      []madeDefect
}

type madeDefect struct {
	Kind  string
	Entry int
}

// resources gives the resources of a bundle, a line each.
func resources(t *testing.T, bundle json.RawMessage) (lines []string) {
	t.Helper()
	var b fhir.Bundle
	if err := json.Unmarshal(bundle, &b); err != nil {
		t.Fatal(err)
	}
	for i := range b.Entry {
		lines = append(lines, string(b.Entry[i].Resource))
	}
	return lines
}

// madeBundles has carebundle make bundles: 500 of them in a long run.
func madeBundles(t *testing.T) (bundles []madeBundle) {
	t.Helper()
	python := os.Getenv("LOOP_TEST_PYTHON")
	if _, err := os.Stat(python); err != nil {
		t.Skip("LOOP_TEST_PYTHON names no Python with carebundle")
	}
	count := "20"
	if os.Getenv("LOOP_TEST_LONG") != "" {
		count = "500"
	}
	var faults bytes.Buffer
	command := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "bundles.py"), count)
	command.Stderr = &faults
	made, err := command.Output()
	if err != nil {
		t.Fatalf("carebundle: %v: %s", err, &faults)
	}
	decoder := json.NewDecoder(bytes.NewReader(made))
	for decoder.More() {
		var one madeBundle
		if err := decoder.Decode(&one); err != nil {
			t.Fatal(err)
		}
		bundles = append(bundles, one)
	}
	return bundles
}

// TestCarebundle_ItsBundlesComeBackAndItsDefectsAreNamed: what is sound comes back digit
// by digit; of what is not, each entry is named, kept as text or without harm, and no
// number comes back that the sound bundle does not have.
func TestCarebundle_ItsBundlesComeBackAndItsDefectsAreNamed(t *testing.T) {
	bundles := madeBundles(t)
	sound, damaged := newHost(t), newHost(t)
	var all []string
	defects := 0
	numbers, words := make(map[string]bool), []string{"not detected", "<0.1", "QNS", "see comment"}
	for i := range bundles {
		lines := resources(t, bundles[i].Clean)
		if w := sound.sendFile(writers, "source=peer", "application/fhir+json", string(bundles[i].Clean)); w.Code != http.StatusOK {
			t.Fatalf("the import is answered %d %s", w.Code, w.Body)
		}
		all = append(all, lines...)
		for _, line := range lines {
			for _, number := range numbersOf(t, line) {
				numbers[number] = true
			}
		}
		defects += damaged.namesDefects(t, &bundles[i])
	}
	for code, given := range damaged.everything(t) {
		for _, o := range given {
			switch {
			case o.ValueQuantity != nil && !numbers[o.ValueQuantity.Value.String()+" "+strings.TrimSuffix(o.ValueQuantity.Code, "{creat}")]:
				t.Errorf("%s: %s %s comes back, which no bundle has", code, o.ValueQuantity.Value, o.ValueQuantity.Code)
			case o.ValueString != "" && !slices.Contains(words, o.ValueString):
				t.Errorf("%s: %q comes back, which no bundle has", code, o.ValueString)
			}
		}
	}
	if compared := sound.compare(t, all); compared < 10*len(bundles) || defects < len(bundles) {
		t.Errorf("only %d results and %d defects were looked at", compared, defects)
	}
}

// numbersOf lists the numbers of an Observation with their units.
func numbersOf(t *testing.T, line string) []string {
	t.Helper()
	var o theirs
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		t.Fatal(err)
	}
	if o.ValueQuantity == nil {
		return nil
	}
	return []string{o.ValueQuantity.Value.String() + " " + o.ValueQuantity.Code}
}

// namesDefects imports a bundle with defects, and looks whether the entries of those
// that change a result are named. It gives how many there were.
func (h *host) namesDefects(t *testing.T, made *madeBundle) (count int) {
	t.Helper()
	w := h.sendFile(writers, "source=peer", "application/fhir+json", string(made.Dirty))
	if w.Code == http.StatusBadRequest && strings.Contains(w.Body.String(), "several patients") && made.twoPatients(t) {
		return len(made.Defects) // nothing of it was kept
	}
	var answer importAnswer
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("the import is answered %d %s", w.Code, w.Body)
	}
	named := make(map[string]bool)
	for _, place := range answer.Places {
		named[place.Place] = true
	}
	dirty := resources(t, made.Dirty)
	for _, defect := range made.Defects {
		var o theirs
		if err := json.Unmarshal([]byte(dirty[defect.Entry]), &o); err != nil {
			t.Fatal(err)
		}
		if o.ResourceType != "Observation" || len(o.Component) > 0 || len(o.HasMember) > 0 {
			continue
		}
		count++
		changes := o.Status == "" || defect.Kind == "out_of_order_timestamp" || defect.Kind == "unknown_code_system"
		if place := fmt.Sprintf("entry[%d]", defect.Entry); changes && !named["line 1 "+place] && !named[place] {
			t.Errorf("%s at %s is not named: %s", defect.Kind, place, w.Body)
		}
	}
	return count
}

// twoPatients reports whether the patient is there twice, with another id.
func (m *madeBundle) twoPatients(t *testing.T) bool {
	t.Helper()
	dirty := resources(t, m.Dirty)
	return slices.ContainsFunc(m.Defects, func(d madeDefect) bool {
		return d.Kind == "duplicate_entry" && strings.Contains(dirty[d.Entry], `"Patient"`)
	})
}

// examples gives the example Observations of a package that are of one patient, a line
// each.
func examples(t *testing.T, path string) (lines []string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(unzipped)
	for {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(entry.Name, "example/Observation-") {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), `"Patient/example"`) {
			lines = append(lines, oneLine(t, content))
		}
	}
}

// oneLine writes JSON in a line, with the digits of its numbers.
func oneLine(t *testing.T, content []byte) string {
	t.Helper()
	var line bytes.Buffer
	if err := json.Compact(&line, content); err != nil {
		t.Fatal(err)
	}
	return line.String()
}
