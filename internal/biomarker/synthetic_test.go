package biomarker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
)

var (
	anna  = loop.MemberID("user_01KAXYZ0000000000000000000")
	until = time.Date(2026, 3, 10, 11, 0, 0, 0, time.UTC)
)

func TestSyntheticHistoryIsRich(t *testing.T) {
	c := catalogue(t)
	for _, sex := range []loop.Sex{loop.Female, loop.Male} {
		t.Run(string(sex), func(t *testing.T) {
			results, err := c.Synthetic(anna, sex, until)
			if err != nil {
				t.Fatal(err)
			}
			panels := make(map[time.Time]int)
			ids := make(map[loop.ResultID]bool)
			statuses := make(map[Status]int)
			var comparators, own, flags int
			for _, r := range results {
				if err := c.Validate(&r); err != nil {
					t.Errorf("%s: %v", r.Code, err)
				}
				b, _ := c.Find(r.Code)
				statuses[b.Judge(&r, Person{Sex: sex}).Status]++
				panels[r.CollectedAt]++
				ids[r.ID] = true
				comparators += count(r.Comparator != Exactly)
				own += count(!r.Range.Empty())
				flags += count(r.Flag != Unset)
				if r.Source != SyntheticSource || r.ParsedAt.After(until) {
					t.Errorf("%s comes from %s on %s", r.Code, r.Source, r.ParsedAt)
				}
			}
			if len(results) < 60 || len(ids) != len(results) || len(panels) != len(visits) {
				t.Errorf("%d results with %d ids in %d panels", len(results), len(ids), len(panels))
			}
			for at, n := range panels {
				if n < 20 || at.Before(until.AddDate(-2, -1, 0)) {
					t.Errorf("the panel of %s has %d results", at, n)
				}
			}
			for _, status := range []Status{Low, Normal, High, Critical, Unset} {
				if statuses[status] == 0 {
					t.Errorf("no result has the status %q", status)
				}
			}
			if comparators == 0 || own == 0 || own == len(results) || (flags > 0) != (sex == loop.Female) {
				t.Errorf("%d comparators, %d own intervals, %d flags", comparators, own, flags)
			}
		})
	}
}

func TestSyntheticHistoryIsTheSameEachTime(t *testing.T) {
	c := catalogue(t)
	make := func(member loop.MemberID, sex loop.Sex) []Result {
		results, err := c.Synthetic(member, sex, until)
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	equal := cmp.Comparer(func(a, b Decimal) bool { return a == b })
	if diff := cmp.Diff(make(anna, loop.Female), make(anna, loop.Female), equal); diff != "" {
		t.Error(diff)
	}
	other := make("user_01KAXYZ0000000000000000001", loop.Female)
	for i, r := range make(anna, loop.Female) {
		if other[i].ID == r.ID || other[i].Value != r.Value {
			t.Fatalf("another woman has %v for %v", other[i], r)
		}
	}
	if first := make(anna, loop.Male)[0]; first.Value == other[0].Value {
		t.Error("the man has the woman's values")
	}
	if diff := cmp.Diff(make(anna, ""), make(anna, loop.Female), equal); diff != "" {
		t.Error(diff)
	}
}

func TestSyntheticLipidsAddUp(t *testing.T) {
	results, err := catalogue(t).Synthetic(anna, loop.Male, until)
	if err != nil {
		t.Fatal(err)
	}
	panel := make(map[Code]Decimal)
	for _, r := range results[:len(tracks)] {
		panel[r.Code] = r.Value
	}
	amount := func(code Code) int64 {
		n, err := inDecimals(panel[code], 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if total := amount("hdl-c") + amount("ldl-c") + amount("triglycerides")/5; amount("cholesterol-total") != total || amount("non-hdl-c") != total-amount("hdl-c") {
		t.Errorf("the lipids are %v", panel)
	}
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}
