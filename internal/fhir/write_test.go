package fhir

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

const (
	base = "https://clinical.platform.loop.health/fhir"
	anna = loop.MemberID("user_01KAXYZ0000000000000000000")
)

func decimal(t *testing.T, text string) biomarker.Decimal {
	t.Helper()
	d, err := biomarker.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// full is an Observation with every element.
func full(t *testing.T) *Observation {
	t.Helper()
	q := &Quantity{Value: decimal(t, "1.10"), Comparator: biomarker.Below, Unit: "mg/dL", System: SystemUCUM, Code: "mg/dL"}
	concept := CodeableConcept{Coding: []Coding{{"http://loinc.org", "3016-3", `"<TSH>" & more`}, {"", "tsh", ""}}, Text: "μ"}
	number, yes := int64(-5), true
	ranges := []ReferenceRange{{Low: q, High: q, Text: "< 5"}, {Text: "x"}}
	return &Observation{
		ResourceType: TypeObservation, ID: "bmk-1", Meta: &Meta{"1", "2026-03-02T08:15:00Z", []string{"a", "b"}},
		Identifier: []Identifier{{"s", "v"}, {"s", ""}}, Status: "final", Category: []CodeableConcept{concept, {Text: "x"}}, Code: concept,
		Subject: &Reference{"Patient/1", "Ada"}, EffectiveDateTime: "2026", EffectivePeriod: &Period{"2026", "2027"}, EffectiveInstant: "i", Issued: "j",
		Performer: []Reference{{Display: "quest"}}, ValueQuantity: q, ValueCodeableConcept: &concept, ValueString: "x\ny",
		ValueRange: &Range{q, q}, ValueRatio: &Ratio{q, q}, ValueInteger: &number, ValueBoolean: &yes, ValueDateTime: "2026",
		DataAbsentReason: &concept, Interpretation: []CodeableConcept{concept}, ReferenceRange: ranges,
		Component: []Component{{Code: concept, ValueQuantity: q, ValueCodeableConcept: &concept, ValueString: "x", DataAbsentReason: &concept, Interpretation: []CodeableConcept{concept}, ReferenceRange: ranges}, {Code: concept}},
	}
}

func TestAppendJSONWritesWhatTheStandardLibraryWrites(t *testing.T) {
	observations := []*Observation{full(t), {ResourceType: TypeObservation}, {ResourceType: TypeObservation, Component: []Component{{}}, ReferenceRange: []ReferenceRange{{}}, ValueRange: &Range{}}}
	catalogue, err := biomarker.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	until := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	for _, sex := range []loop.Sex{loop.Female, loop.Male} {
		results, err := catalogue.Synthetic(anna, sex, until)
		if err != nil {
			t.Fatal(err)
		}
		for i := range results {
			judged, err := catalogue.Judge(&results[i], biomarker.Person{Sex: sex})
			if err != nil {
				t.Fatal(err)
			}
			observations = append(observations, NewResources(base).Observation(anna, &judged))
		}
	}
	for _, o := range observations {
		want, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(o.AppendJSON(nil))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestAnObservationComesBackDigitByDigit(t *testing.T) {
	o := full(t)
	var back Observation
	if err := json.Unmarshal(o.AppendJSON(nil), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, &back, cmp.Comparer(func(a, b biomarker.Decimal) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}
