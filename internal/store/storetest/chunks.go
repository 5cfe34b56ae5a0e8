package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/loop"
)

// RunPlainResults runs the part of the contract for results that older versions kept;
// open gives an empty store that ends with the test, and what has it add results as
// those did, or no more.
func RunPlainResults(t *testing.T, open func(t *testing.T) (store ResultStore, move func() error, setPlain func(plain bool), world loop.World)) {
	t.Helper()
	store, move, setPlain, world := open(t)
	s := newResults(t, store, world)
	setPlain(true)
	history, err := s.catalogue.Synthetic(anna, loop.Female, world.Now())
	must(t, err)
	others, err := s.catalogue.Synthetic(ben, loop.Male, world.Now())
	must(t, err)
	s.add(t, anna, history...)
	s.add(t, ben, others...)
	ids, err := s.submit(t, anna, sender, "body")
	must(t, err)
	must(t, s.importer.Retract(t.Context(), anna, sender, ids[0]))
	number, err := s.reader.Find(t.Context(), anna, biomarker.Person{}, ids[1])
	must(t, err)
	want := append(slices.Clone(history), number.Result)
	slices.SortFunc(want, newestFirst)
	slices.SortFunc(others, newestFirst)
	same := func(when string, member loop.MemberID, want []biomarker.Result) {
		t.Helper()
		got := s.walk(t, member, biomarker.Query{Limit: 30}, func() {})
		if len(got) != len(want) {
			t.Fatalf("%s %d results are listed, want %d", when, len(got), len(want))
		}
		for i := range want {
			if got[i].Result != want[i] {
				t.Errorf("%s %+v is read as %+v", when, want[i], got[i].Result)
			}
		}
	}
	must(t, move())
	same("as plain rows", anna, want)
	setPlain(false)
	same("before they are moved", anna, want)
	must(t, s.importer.Retract(t.Context(), anna, sender, ids[1])) // an act moves a member's
	same("moved by an act", anna, slices.DeleteFunc(slices.Clone(want), func(r biomarker.Result) bool { return r.ID == ids[1] }))
	same("while another's are moved", ben, others)
	must(t, move())
	same("after all were moved", ben, others)
	if again, err := s.submit(t, anna, sender, "body"); err != nil || !slices.Equal(again, ids) {
		t.Errorf("a batch from before is stored again as %v, %v", again, err)
	}
	s.add(t, ben, s.random(t, 3)...)
	if got := s.walk(t, ben, biomarker.Query{Limit: 100}, func() {}); len(got) != len(others)+3 {
		t.Errorf("%d results are there after an addition, want %d", len(got), len(others)+3)
	}
}

// random makes results of any of few codes, collected at any time of a year.
func (s *results) random(t *testing.T, count int) []biomarker.Result {
	t.Helper()
	value, err := biomarker.ParseDecimal("1.2")
	must(t, err)
	units := map[biomarker.Code]string{"tsh": "m[IU]/L", "free-t4": "ng/dL", "ldl-c": "mg/dL"}
	codes := []biomarker.Code{"tsh", "free-t4", "ldl-c"}
	year := time.Date(2025, 1, 1, 8, 0, 0, 0, time.UTC)
	all := make([]biomarker.Result, count)
	for i := range all {
		code, day := codes[rand.IntN(len(codes))], year.AddDate(0, 0, rand.IntN(365)) //nolint:gosec // G404: results of a test
		all[i] = biomarker.Result{
			ID: loop.NewResultID(s.world), Code: code, Value: value, Unit: units[code], Source: biomarker.SyntheticSource, CollectedAt: day, ParsedAt: day.AddDate(0, 0, 2),
		}
	}
	return all
}

// manyChunks: a record of many chunks, of any times, reads as it does of one; so it
// does while more arrives.
func manyChunks(t *testing.T, s *results) {
	var known []biomarker.Result
	for _, count := range []int{1, 300, 2, 500, 127, 1, 128, 129, 400} {
		added := s.random(t, count)
		s.add(t, anna, added...)
		known = append(known, added...)
	}
	for name, q := range map[string]biomarker.Query{
		"all":              {Limit: 400},
		"one code":         {Limit: 100, Codes: []biomarker.Code{"tsh"}},
		"the newest":       {Limit: 1, Latest: true},
		"between two days": {Limit: 50, From: time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			want := s.expected(known, q)
			got := s.walk(t, anna, q, func() {
				added := s.random(t, 40) // into the last chunk, and beyond
				s.add(t, anna, added...)
				known = append(known, added...)
			})
			if len(got) != len(want) {
				t.Fatalf("%d results, want %d", len(got), len(want))
			}
			for i := range want {
				if got[i].Result != want[i] {
					t.Fatalf("result %d is %+v, want %+v", i, got[i].Result, want[i])
				}
			}
		})
	}
	for _, r := range known[:20] {
		if found, err := s.reader.Find(t.Context(), anna, biomarker.Person{}, r.ID); err != nil || found.Result != r {
			t.Errorf("%+v is found as %+v, %v", r, found, err)
		}
	}
	s.refusesSecond(t, known[len(known)/2])
}

func (s *results) refusesSecond(t *testing.T, there biomarker.Result) {
	t.Helper()
	before := s.count(t, anna)
	some := append(s.random(t, 2), there)
	if err := s.importer.Import(t.Context(), seeder, anna, some); err == nil {
		t.Error("an id that is in an earlier chunk is accepted again")
	}
	if after := s.count(t, anna); after != before {
		t.Error(fmt.Sprint("a refused batch changed the count from ", before, " to ", after))
	}
}
