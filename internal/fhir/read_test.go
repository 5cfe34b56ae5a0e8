package fhir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/biomarker"
)

// observation is a synthetic Observation; changes are elements in place of its own, an
// empty one takes the element away.
func observation(changes map[string]string) string {
	elements := map[string]string{
		"resourceType":      `"Observation"`,
		"id":                `"one"`,
		"status":            `"final"`,
		"code":              `{"coding":[{"system":"http://loinc.org","code":"2345-7"}]}`,
		"subject":           `{"reference":"Patient/p1"}`,
		"effectiveDateTime": `"2026-03-02"`,
		"valueQuantity":     `{"value":5.50,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}`,
	}
	for name, value := range changes {
		elements[name] = value
	}
	var parts []string
	for name, value := range elements {
		if value != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, value))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// readAll reads a document; rows are the places without a result.
func readAll(text string) (results []biomarker.Reported, rows []*biomarker.Row, err error) {
	r := NewReader(strings.NewReader(text), nil)
	for {
		result, err := r.Next()
		if errors.Is(err, io.EOF) {
			return results, rows, nil
		}
		if row, ok := errors.AsType[*biomarker.Row](err); ok {
			rows = append(rows, row)
			continue
		}
		if err != nil {
			return results, rows, err
		}
		results = append(results, result)
	}
}

func TestReader_KeepsWhatAnObservationSays(t *testing.T) {
	for name, test := range map[string]struct {
		changes map[string]string
		want    func(*biomarker.Reported) string // what it read
		text    string
	}{
		"the digits":         {nil, func(r *biomarker.Reported) string { return r.Incoming.Value.String() }, "5.50"},
		"an exponent":        {map[string]string{"valueQuantity": `{"value":1.50e1,"unit":"mg/dL"}`}, func(r *biomarker.Reported) string { return r.Incoming.Value.String() }, "1.50e1"},
		"the unit's code":    {nil, func(r *biomarker.Reported) string { return r.Incoming.Unit }, "mg/dL"},
		"the unit's words":   {map[string]string{"valueQuantity": `{"value":5.5,"unit":"mg/dl","system":"http://unitsofmeasure.org"}`}, func(r *biomarker.Reported) string { return r.Incoming.Unit }, "mg/dl"},
		"a comparator":       {map[string]string{"valueQuantity": `{"value":5,"comparator":"<","unit":"mg/dL"}`}, func(r *biomarker.Reported) string { return string(r.Incoming.Comparator) }, "<"},
		"a date":             {nil, func(r *biomarker.Reported) string { return r.Incoming.Collected }, "2026-03-02"},
		"a month":            {map[string]string{"effectiveDateTime": `"2026-03"`}, func(r *biomarker.Reported) string { return r.Incoming.Collected }, "2026-03"},
		"a period's start":   {map[string]string{"effectiveDateTime": "", "effectivePeriod": `{"start":"2026-03-01","end":"2026-03-02"}`}, func(r *biomarker.Reported) string { return r.Incoming.Collected }, "2026-03-01"},
		"words":              {map[string]string{"valueQuantity": "", "valueString": `" Haemolysed "`}, func(r *biomarker.Reported) string { return r.Incoming.Text }, "Haemolysed"},
		"a concept":          {map[string]string{"valueQuantity": "", "valueCodeableConcept": `{"coding":[{"system":"http://snomed.info/sct","code":"260373001","display":"Detected"}]}`}, func(r *biomarker.Reported) string { return r.Incoming.Text }, "Detected"},
		"a titre":            {map[string]string{"valueQuantity": "", "valueRatio": `{"numerator":{"value":1},"denominator":{"value":160}}`}, func(r *biomarker.Reported) string { return r.Incoming.Text }, "1:160"},
		"a range":            {map[string]string{"valueQuantity": "", "valueRange": `{"low":{"value":0},"high":{"value":2}}`}, func(r *biomarker.Reported) string { return r.Incoming.Text }, "0-2"},
		"the patient":        {nil, func(r *biomarker.Reported) string { return r.Patient }, "Patient/p1"},
		"an identifier":      {map[string]string{"identifier": `[{"system":"urn:lab","value":"7"}]`}, func(r *biomarker.Reported) string { return r.Report }, "urn:lab|7"},
		"an id":              {nil, func(r *biomarker.Reported) string { return r.Report }, "Observation/one"},
		"a correction":       {map[string]string{"status": `"corrected"`}, func(r *biomarker.Reported) string { return string(r.State) }, "corrected"},
		"an error":           {map[string]string{"status": `"entered-in-error"`, "valueQuantity": ""}, func(r *biomarker.Reported) string { return string(r.State) }, "deleted"},
		"LOINC's code first": {map[string]string{"code": `{"coding":[{"system":"urn:x","code":"GLU"},{"system":"http://loinc.org","code":"2345-7"}]}`}, func(r *biomarker.Reported) string { return r.Names[0].Code }, "2345-7"},
		"a flag":             {map[string]string{"interpretation": `[{"coding":[{"code":"H"}]}]`}, func(r *biomarker.Reported) string { return string(r.Incoming.Flag) }, "high"},
		"an interval": {map[string]string{"referenceRange": `[{"low":{"value":70,"unit":"mg/dL"},"high":{"value":99.0,"code":"mg/dL","system":"http://unitsofmeasure.org"}}]`}, func(r *biomarker.Reported) string {
			return fmt.Sprint(r.Incoming.Range.Low, " ", r.Incoming.Range.High)
		}, "70 99.0"},
		"an interval's words": {map[string]string{"referenceRange": `[{"text":"<5.7"}]`}, func(r *biomarker.Reported) string {
			return fmt.Sprint(r.Incoming.Range.High, r.Incoming.Range.HighExcluded, r.Incoming.RangeText)
		}, "5.7 true<5.7"},
		"an interval upside down, as text": {
			map[string]string{"referenceRange": `[{"low":{"value":46,"unit":"mg/dL"},"high":{"value":38,"unit":"mg/dL"}}]`},
			func(r *biomarker.Reported) string { return fmt.Sprint(r.Incoming.Range.Empty(), r.Incoming.RangeText) }, "true46 mg/dL - 38 mg/dL",
		},
		"an interval of another unit, as text": {
			map[string]string{"referenceRange": `[{"high":{"value":5.5,"unit":"mmol/L"}}]`},
			func(r *biomarker.Reported) string { return fmt.Sprint(r.Incoming.Range.Empty(), r.Incoming.RangeText) }, "true- 5.5 mmol/L",
		},
		"the interval for everybody": {
			map[string]string{"referenceRange": `[{"low":{"value":1},"appliesTo":[{"text":"child"}]},{"low":{"value":70}}]`},
			func(r *biomarker.Reported) string { return r.Incoming.Range.Low.String() }, "70",
		},
	} {
		t.Run(name, func(t *testing.T) {
			results, rows, err := readAll(observation(test.changes))
			if err != nil || len(rows) > 0 || len(results) != 1 {
				t.Fatalf("%v, %v, %v", results, rows, err)
			}
			if got := test.want(&results[0]); got != test.text {
				t.Errorf("read %q, want %q", got, test.text)
			}
		})
	}
}

func TestReader_NamesWhatIsNoResult(t *testing.T) {
	for name, test := range map[string]struct {
		changes map[string]string
		reason  string
	}{
		"no status":                     {map[string]string{"status": ""}, "status is none of"},
		"preliminary":                   {map[string]string{"status": `"preliminary"`}, "preliminary"},
		"cancelled":                     {map[string]string{"status": `"cancelled"`}, "cancelled"},
		"two values":                    {map[string]string{"valueString": `"x"`}, "more than one value"},
		"no value":                      {map[string]string{"valueQuantity": ""}, "no value"},
		"absent":                        {map[string]string{"valueQuantity": "", "dataAbsentReason": `{"text":"lost"}`}, "dataAbsentReason says why"},
		"absent and there":              {map[string]string{"dataAbsentReason": `{"text":"lost"}`}, "a value and a dataAbsentReason"},
		"a modifier":                    {map[string]string{"modifierExtension": `[{"url":"urn:not"}]`}, "modifierExtension"},
		"no time":                       {map[string]string{"effectiveDateTime": ""}, "when the sample was taken"},
		"no code":                       {map[string]string{"code": `{}`}, "neither a code nor a text"},
		"a device":                      {map[string]string{"subject": `{"reference":"Device/d"}`}, "no patient"},
		"a patient inside":              {map[string]string{"subject": `{"reference":"#p"}`}, "inside the resource"},
		"a unit of another system":      {map[string]string{"valueQuantity": `{"value":5,"system":"urn:units","code":"x"}`}, "not UCUM's"},
		"a value twice":                 {map[string]string{"valueQuantity": `{"value":5,"value":6,"unit":"mg/dL"}`}, "twice"},
		"a value in other letters":      {map[string]string{"valueQuantity": `{"value":5,"vAlue":6,"unit":"mg/dL"}`}, "other letters"},
		"a number as text":              {map[string]string{"valueQuantity": `{"value":"5","unit":"mg/dL"}`}, "no decimal number"},
		"a number beyond all":           {map[string]string{"valueQuantity": `{"value":1e99,"unit":"mg/dL"}`}, "no decimal number"},
		"a status that is no text":      {map[string]string{"status": `5`}, "status has the wrong type"},
		"flags that contradict":         {map[string]string{"interpretation": `[{"coding":[{"code":"H"},{"code":"L"}]}]`}, "contradict"},
		"sampled data":                  {map[string]string{"valueQuantity": "", "valueSampledData": `{"dimensions":1}`}, "no value of a lab result"},
		"a range of two units":          {map[string]string{"valueQuantity": "", "valueRange": `{"low":{"value":1,"unit":"g"},"high":{"value":2,"unit":"mg"}}`}, "same unit"},
		"a quantity without its number": {map[string]string{"valueQuantity": `{"unit":"mg/dL"}`}, "has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			results, rows, err := readAll(observation(test.changes))
			if err != nil || len(results) > 0 || len(rows) != 1 || !strings.Contains(rows[0].Reason, test.reason) {
				t.Errorf("%v, %v, %v; want a refusal with %q", results, rows, err, test.reason)
			}
		})
	}
}

func TestReader_ReadsEveryFormOfADocument(t *testing.T) {
	one := observation(nil)
	pretty := strings.ReplaceAll(one, ",", ",\n")
	for name, test := range map[string]struct {
		text   string
		count  int
		places string
	}{
		"a resource":                       {pretty, 1, "resource"},
		"a resource in one line":           {one, 1, "line 1"},
		"NDJSON":                           {one + "\r\n\n" + one, 2, "line 1, line 3"},
		"a Bundle":                         {"{\"resourceType\":\"Bundle\",\n\"entry\":[{\"resource\":" + one + "},{\"resource\":" + one + "}]}", 2, "entry[0], entry[1]"},
		"a Bundle whose type comes last":   {"{\"entry\":\n[{\"resource\":" + one + "}],\"resourceType\":\"Bundle\"}", 1, "entry[0]"},
		"a Bundle in one line":             {`{"resourceType":"Bundle","entry":[{"resource":` + one + `}]}`, 1, "line 1 entry[0]"},
		"a Bundle without entries":         {"{\"resourceType\":\n\"Bundle\"}", 0, ""},
		"a report with its results inside": {`{"resourceType":"DiagnosticReport","status":"final","contained":[` + one + `]}`, 1, "line 1 contained[0]"},
		"components":                       {observation(map[string]string{"valueQuantity": "", "component": `[{"code":{"text":"a"},"valueString":"x"},{"code":{"text":"b"},"valueString":"y"}]`}), 2, "line 1 component[0], line 1 component[1]"},
		"a panel":                          {observation(map[string]string{"valueQuantity": "", "hasMember": `[{"reference":"Observation/2"}]`}), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			results, rows, err := readAll(test.text)
			var places []string
			for _, r := range results {
				places = append(places, r.Place)
			}
			if err != nil || len(rows) > 0 || len(results) != test.count || strings.Join(places, ", ") != test.places {
				t.Errorf("%v at %v, %v, %v", len(results), places, rows, err)
			}
		})
	}
}

func TestReader_RefusesADocumentThatIsDamaged(t *testing.T) {
	one := observation(nil)
	for name, test := range map[string]struct{ text, reason string }{
		"nothing":                   {" \n", "empty"},
		"a list":                    {"[\n1]", "a JSON object"},
		"no resource":               {"{\"a\":\n1}", "no resourceType"},
		"no JSON":                   {"{\"resourceType\":\n\"Observation\",,}", "not JSON"},
		"an end too early":          {"{\"resourceType\":\"Bundle\",\n\"entry\":[{\"resource\":" + one, "too early"},
		"a line that is cut off":    {one + "\n" + one[:len(one)-9], "not JSON"},
		"two resources":             {"{\"resourceType\":\n\"Bundle\"} " + one, "follows"},
		"a member twice":            {"{\"resourceType\":\n\"Bundle\",\"type\":1,\"type\":2}", "twice"},
		"entries that are no list":  {"{\"resourceType\":\n\"Bundle\",\"entry\":{}}", "no list"},
		"an entry that is no entry": {"{\"resourceType\":\n\"Bundle\",\"entry\":[5]}", "no entry"},
		"a history":                 {"{\"resourceType\":\n\"Bundle\",\"type\":\"history\",\"entry\":[]}", "history"},
		"entries of another type":   {"{\"resourceType\":\n\"List\",\"entry\":[]}", "only a Bundle"},
		"a resource without end":    {"{\"resourceType\":\n\"Observation\",\"note\":\"" + strings.Repeat("x", 6<<20), "at most"},
		"a line without end":        {one + "\n{\"a\":\"" + strings.Repeat("x", 6<<20), "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readAll(test.text)
			if fault, ok := errors.AsType[*biomarker.Malformed](err); !ok || !strings.Contains(fault.Reason, test.reason) {
				t.Errorf("%v, want a refusal with %q", err, test.reason)
			}
		})
	}
}

func TestReader_KnowsOnePatientByEachOfItsNames(t *testing.T) {
	var seen []string
	text := `{"resourceType":"Bundle",` + "\n" + `"entry":[
		{"fullUrl":"urn:uuid:a","resource":{"resourceType":"Patient","id":"p1"}},
		{"resource":` + observation(map[string]string{"subject": `{"reference":"urn:uuid:a"}`}) + `},
		{"resource":` + observation(nil) + `}]}`
	r := NewReader(strings.NewReader(text), func(patient string) { seen = append(seen, patient) })
	for {
		if _, err := r.Next(); err != nil {
			break
		}
	}
	for _, patient := range seen {
		if patient != "Patient/p1" {
			t.Errorf("the patient is %q", patient)
		}
	}
	if len(seen) != 3 || r.Skipped() != 1 {
		t.Errorf("seen %v, %d skipped", seen, r.Skipped())
	}
}

// FuzzReader: whatever arrives, reading ends, and no result is without a code, a place
// and a value.
func FuzzReader(f *testing.F) {
	f.Add(observation(nil))
	f.Add(observation(nil) + "\n" + observation(map[string]string{"status": `"amended"`}))
	f.Add("{\"resourceType\":\"Bundle\",\n\"entry\":[{\"resource\":" + observation(nil) + "}]}")
	f.Add(`{"resourceType":"DiagnosticReport","contained":[` + observation(nil) + `]}`)
	f.Fuzz(func(t *testing.T, text string) {
		results, _, err := readAll(text)
		if _, malformed := errors.AsType[*biomarker.Malformed](err); err != nil && !malformed {
			t.Fatalf("the error is no refusal: %v", err)
		}
		for _, r := range results {
			if len(r.Names) == 0 || r.Place == "" {
				t.Errorf("%+v", r)
			}
			if r.State != biomarker.Deleted && r.Incoming.Text == "" && !r.Incoming.Value.Present() {
				t.Errorf("no value: %+v", r)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		}
	})
}
