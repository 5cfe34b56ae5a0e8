package biomarker

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// listed are results in memory, newest first.
type listed []Result

func (l listed) ListResults(_ context.Context, _ loop.MemberID, _ Selection, each func(*Result) bool) (int64, error) {
	for i := range l {
		if !each(&l[i]) {
			break
		}
	}
	return int64(len(l)), nil
}

func (l listed) FindResult(_ context.Context, _ loop.MemberID, id loop.ResultID) (*Result, error) {
	i := slices.IndexFunc(l, func(r Result) bool { return r.ID == id })
	if i < 0 {
		return nil, loop.ErrNotFound
	}
	return &l[i], nil
}

func TestSummarizeGivesNewestAndPreviousOfEach(t *testing.T) {
	on := func(day int) time.Time { return time.Date(2026, 3, day, 8, 0, 0, 0, time.UTC) }
	reader := Reader{Catalogue: catalogue(t), Results: listed{
		{ID: "bmk_3", Code: "tsh", Value: dec(t, "2.4"), Unit: "m[IU]/L", CollectedAt: on(9)},
		{ID: "bmk_2", Code: "crp", Value: dec(t, "5"), Comparator: Below, Unit: "mg/L", CollectedAt: on(8)},
		{ID: "bmk_1", Code: "tsh", Value: dec(t, "3.05"), Unit: "m[IU]/L", CollectedAt: on(7)},
		{ID: "bmk_5", Code: "crp", Value: dec(t, "7"), Unit: "mg/L", CollectedAt: on(6)},
		{ID: "bmk_0", Code: "tsh", Value: dec(t, "9"), Unit: "m[IU]/L", CollectedAt: on(1)},
		{ID: "bmk_4", Code: "ldl-c", Value: dec(t, "90"), Unit: "mg/dL", CollectedAt: on(1)},
	}}
	trends, err := reader.Summarize(t.Context(), anna, Person{})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		newest, previous loop.ResultID
		change           string
	}
	var got []row
	for _, trend := range trends {
		r := row{newest: trend.Newest.ID, change: trend.Change(Conventional).String()}
		if trend.Previous != nil {
			r.previous = trend.Previous.ID
		}
		got = append(got, r)
	}
	want := []row{{"bmk_4", "", ""}, {"bmk_3", "bmk_1", "-0.65"}, {"bmk_2", "bmk_5", ""}}
	if !slices.Equal(got, want) {
		t.Errorf("the summary is %v, want %v", got, want)
	}
}

func TestChangeIsOfTheExactValues(t *testing.T) {
	b, _ := catalogue(t).Find("glucose-fasting")
	judged := func(value, unit string) Judged {
		return Judged{Result: Result{Value: dec(t, value), Unit: unit}, Biomarker: b}
	}
	previous := judged("5.5", "mmol/L")
	trend := Trend{Newest: judged("99.087", "mg/dL"), Previous: &previous}
	for system, want := range map[System]string{Conventional: "0.000", SI: "0.0"} {
		if got := trend.Change(system).String(); got != want {
			t.Errorf("in %s units the change is %s, want %s", system, got, want)
		}
	}
}
