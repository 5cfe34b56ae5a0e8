package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/connection"
	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
)

const (
	anna = loop.MemberID("user_01KAXYZ0000000000000000000")
	ben  = loop.MemberID("user_01KAXYZ0000000000000000001")
)

var seeder = audit.Actor{Kind: audit.BySystem}

// ResultStore is everything that clinical's rules need kept of lab results.
type ResultStore interface {
	biomarker.Results
	biomarker.Inbox
	intake.Archive
	intake.Asides
	connection.Reads
	// CountReads counts by day what apps have read since it last did.
	CountReads(ctx context.Context) error
	// EraseMember deletes what is kept of a member.
	EraseMember(ctx context.Context, member loop.MemberID, at time.Time) error
	// Sweep deletes what has expired at a moment.
	Sweep(ctx context.Context, now time.Time) error
	// RecordRead writes the record of a read.
	RecordRead(ctx context.Context, rec audit.Record) error
}

// RunResults runs the suite of lab results; open gives an empty store that ends
// with the test.
func RunResults(t *testing.T, open func(t *testing.T) (ResultStore, loop.World)) {
	t.Helper()
	parts := map[string]func(*testing.T, *results){
		"results come back as they were":                  comeBack,
		"a result is found by its member alone":           foundByItsMember,
		"results are added all or none":                   allResultsOrNone,
		"pages show each result once while others arrive": pages,
		"a record of many chunks reads as one":            manyChunks,
	}
	maps.Copy(parts, submissions)
	maps.Copy(parts, imports)
	maps.Copy(parts, reads)
	for name, test := range parts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, world := open(t)
			test(t, newResults(t, store, world))
		})
	}
}

// results is a store with what reads from it and writes to it.
type results struct {
	world     loop.World
	reader    *biomarker.Reader
	importer  *biomarker.Importer
	store     ResultStore
	catalogue *biomarker.Catalogue
}

func newResults(t *testing.T, store ResultStore, world loop.World) *results {
	t.Helper()
	catalogue, err := biomarker.NewCatalogue()
	must(t, err)
	return &results{
		world:     world,
		store:     store,
		reader:    &biomarker.Reader{Catalogue: catalogue, Results: store, Cursors: credentialtest.NewTagger(t)},
		importer:  &biomarker.Importer{Catalogue: catalogue, Inbox: store, World: world},
		catalogue: catalogue,
	}
}

func (s *results) add(t fataler, member loop.MemberID, added ...biomarker.Result) {
	t.Helper()
	if err := s.importer.Import(context.Background(), audit.Actor{Kind: audit.BySystem}, member, added); err != nil {
		t.Fatal(err)
	}
}

// walk reads all pages of a query; between runs between two of them.
func (s *results) walk(t fataler, member loop.MemberID, q biomarker.Query, between func()) []biomarker.Judged {
	t.Helper()
	var all []biomarker.Judged
	for {
		page, err := s.reader.Read(context.Background(), member, biomarker.Person{Sex: loop.Female}, q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Results) > q.Limit || page.Next != "" && len(page.Results) != q.Limit {
			t.Fatalf("a page of %d with limit %d", len(page.Results), q.Limit)
		}
		all = append(all, page.Results...)
		if page.Next == "" {
			return all
		}
		q.Cursor = page.Next
		between()
	}
}

// fataler is what a test and a property check share.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func comeBack(t *testing.T, s *results) {
	history, err := s.catalogue.Synthetic(anna, loop.Female, s.world.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.add(t, anna, history...)

	want := slices.Clone(history)
	slices.SortFunc(want, newestFirst)
	got := s.walk(t, anna, biomarker.Query{Limit: 50}, func() {})
	if len(got) != len(want) {
		t.Fatalf("%d results came back of %d", len(got), len(want))
	}
	for i := range want {
		if got[i].Result != want[i] {
			t.Errorf("%+v came back as %+v", want[i], got[i].Result)
		}
	}
	if others := s.walk(t, ben, biomarker.Query{Limit: 50}, func() {}); len(others) != 0 {
		t.Errorf("another member sees %d of them", len(others))
	}
}

func foundByItsMember(t *testing.T, s *results) {
	history, err := s.catalogue.Synthetic(anna, loop.Female, s.world.Now())
	must(t, err)
	s.add(t, anna, history...)
	one := history[len(history)/2]
	found, err := s.reader.Find(t.Context(), anna, biomarker.Person{}, one.ID)
	must(t, err)
	if found.ID != one.ID || found.Value != one.Value || !found.CollectedAt.Equal(one.CollectedAt) {
		t.Errorf("found %+v, want %+v", found.Result, one)
	}
	for name, ask := range map[string]struct {
		member loop.MemberID
		id     loop.ResultID
	}{"another member's": {ben, one.ID}, "one that never was": {anna, "bmk_01KAXYZ0000000000000000009"}} {
		if _, err := s.reader.Find(t.Context(), ask.member, biomarker.Person{}, ask.id); !errors.Is(err, loop.ErrNotFound) {
			t.Errorf("%s is found, or fails with %v", name, err)
		}
	}
}

func allResultsOrNone(t *testing.T, s *results) {
	history, err := s.catalogue.Synthetic(anna, loop.Female, s.world.Now())
	if err != nil {
		t.Fatal(err)
	}
	twice := append(slices.Clone(history[:5]), history[2])
	by := audit.Actor{Kind: audit.BySystem}
	if err := s.importer.Import(t.Context(), by, anna, twice); err == nil {
		t.Error("an id is accepted twice")
	}
	wrong := slices.Clone(history[:5])
	wrong[3].Unit = "mg/L"
	fault := loop.AsError(s.importer.Import(t.Context(), by, anna, wrong))
	if fault.Code != loop.ValidationError || fault.Field != "biomarkers[3].unit" {
		t.Errorf("a unit that is not the catalogue's: %v", fault)
	}
	if stored := s.walk(t, anna, biomarker.Query{Limit: 50}, func() {}); len(stored) != 0 {
		t.Errorf("%d results were stored", len(stored))
	}
}

// pages: whatever is asked for, the
// pages together are the list as it was when the first was read.
func pages(t *testing.T, s *results) {
	members := 0
	rapid.Check(t, func(t *rapid.T) {
		members++
		member := loop.MemberID(fmt.Sprintf("user_01KAXYZ00000000000000%05d", members))
		var known []biomarker.Result
		arrive := func() {
			added := rapid.SliceOfN(someResult(s.world), 0, 12).Draw(t, "arriving")
			if len(added) > 0 {
				s.add(t, member, added...)
				known = append(known, added...)
			}
		}
		arrive()
		arrive()
		q := someQuery().Draw(t, "query")
		want := s.expected(known, q)
		got := s.walk(t, member, q, arrive)
		if len(got) != len(want) {
			t.Fatalf("%d results on all pages, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i].Result != want[i] {
				t.Fatalf("result %d is %+v, want %+v", i, got[i].Result, want[i])
			}
		}
	})
}

// expected is the model: what a query finds among the known results.
func (s *results) expected(known []biomarker.Result, q biomarker.Query) []biomarker.Result {
	sorted := slices.Clone(known)
	slices.SortFunc(sorted, newestFirst)
	seen := make(map[biomarker.Code]bool)
	var found []biomarker.Result
	for _, r := range sorted {
		b, _ := s.catalogue.Find(r.Code)
		outside := len(q.Codes) > 0 && !slices.Contains(q.Codes, r.Code) ||
			q.Category != "" && b.Category != q.Category ||
			!q.From.IsZero() && r.CollectedAt.Before(q.From) ||
			!q.To.IsZero() && !r.CollectedAt.Before(q.To)
		if outside || q.Latest && seen[r.Code] {
			continue
		}
		seen[r.Code] = true
		if len(q.Statuses) == 0 || slices.Contains(q.Statuses, b.Judge(&r, biomarker.Person{Sex: loop.Female}).Status) {
			found = append(found, r)
		}
	}
	return found
}

func newestFirst(a, b biomarker.Result) int {
	return cmp.Or(b.CollectedAt.Compare(a.CollectedAt), cmp.Compare(b.ID, a.ID))
}

// Few codes, days and values, so that they meet often.
var (
	someCodes = rapid.SampledFrom([]biomarker.Code{"tsh", "free-t4", "ldl-c"})
	someDay   = rapid.Custom(func(t *rapid.T) time.Time {
		return time.Date(2026, 3, rapid.IntRange(1, 6).Draw(t, "day"), 8, 0, 0, 0, time.UTC)
	})
)

func someResult(w loop.World) *rapid.Generator[biomarker.Result] {
	units := map[biomarker.Code]string{"tsh": "m[IU]/L", "free-t4": "ng/dL", "ldl-c": "mg/dL"}
	return rapid.Custom(func(t *rapid.T) biomarker.Result {
		code := someCodes.Draw(t, "code")
		value, err := biomarker.ParseDecimal(rapid.SampledFrom([]string{"0.10", "1.2", "5.0", "120"}).Draw(t, "value"))
		if err != nil {
			t.Fatal(err)
		}
		day := someDay.Draw(t, "collected")
		return biomarker.Result{
			ID: loop.NewResultID(w), Code: code, Value: value, Unit: units[code], Source: biomarker.SyntheticSource,
			CollectedAt: day, ParsedAt: day.Add(48 * time.Hour),
		}
	})
}

func someQuery() *rapid.Generator[biomarker.Query] {
	return rapid.Custom(func(t *rapid.T) biomarker.Query {
		q := biomarker.Query{
			Codes:    rapid.SliceOfNDistinct(someCodes, 0, 2, rapid.ID).Draw(t, "codes"),
			Category: rapid.SampledFrom([]biomarker.Category{"", "", "thyroid", "lipids"}).Draw(t, "category"),
			Statuses: rapid.SliceOfNDistinct(rapid.SampledFrom([]biomarker.Status{biomarker.Low, biomarker.Normal, biomarker.High}), 0, 2, rapid.ID).Draw(t, "statuses"),
			Latest:   rapid.Bool().Draw(t, "latest"),
			Limit:    rapid.IntRange(1, 5).Draw(t, "limit"),
		}
		if rapid.Bool().Draw(t, "bounded below") {
			q.From = someDay.Draw(t, "from")
		}
		if rapid.Bool().Draw(t, "bounded above") {
			q.To = someDay.Draw(t, "to")
		}
		return q
	})
}
