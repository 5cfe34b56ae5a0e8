package biomarker

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPersonas_TellTheirStoriesTheSameEachTime(t *testing.T) {
	t.Parallel()
	c := catalogue(t)
	// What the last result of a biomarker is, at the end of the story.
	last := map[string]map[Code]Status{
		"thyroid":     {"tsh": Normal, "tpo-antibodies": High},
		"anaemia":     {"haemoglobin": Low, "mcv": Low, "ferritin": Low},
		"athlete":     {"ast": High, "glucose-fasting": Normal, "hba1c": Normal},
		"prediabetes": {"glucose-fasting": High, "hba1c": High},
		"pregnancy":   {"haemoglobin": Low, "triglycerides": High},
	}
	counts := map[string]int{"empty": 0, "many": 10_000}
	personas := Personas()
	if len(personas) != 8 {
		t.Errorf("there are %d personas", len(personas))
	}
	for _, p := range personas {
		results, err := p.Results(c, anna, until)
		if err != nil {
			t.Fatalf("%s: %v", p.Key, err)
		}
		again, _ := p.Results(c, anna, until)
		if diff := cmp.Diff(results, again, cmp.AllowUnexported(Decimal{})); diff != "" {
			t.Errorf("%s has other results the second time: %s", p.Key, diff)
		}
		if want, counted := counts[p.Key]; counted && len(results) != want || !counted && len(results) < 100 {
			t.Errorf("%s has %d results", p.Key, len(results))
		}
		newest := map[Code]Result{}
		for _, r := range results {
			if r.CollectedAt.After(until) {
				t.Errorf("%s has a result of the future", p.Key)
			}
			newest[r.Code] = r
		}
		for code, want := range last[p.Key] {
			result := newest[code]
			if judged, err := c.Judge(&result, Person{Sex: p.Sex}); err != nil || judged.Status != want {
				t.Errorf("%s: the last %s is %v, %s: %v", p.Key, code, judged.Status, result.Value, err)
			}
		}
	}
}
