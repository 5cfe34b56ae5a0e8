package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/audit"
	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/intake"
	"github.com/loop-health/loop/internal/loop"
)

// imports are the parts of the contract for results from files.
var imports = map[string]func(*testing.T, *results){
	"an import that is repeated adds nothing":              importedOnce,
	"an import comes back as the file has it":              importComesBack,
	"a correction takes the place of what it corrects":     correctedInPlace,
	"another value that is no correction is refused":       otherValueRefused,
	"a result that was entered in error is listed no more": deletedInFile,
	"a dry run changes nothing":                            dryRun,
	"an unknown code waits until it is mapped":             waitsForItsCode,
	"the code of a source is not that of another":          codesAreOfTheirSource,
	"nothing is imported for nobody":                       nobodyIsNoMember,
	"a member's full record takes nothing in":              fullRecord,
}

// everybodyButBen is intake.Members.
type everybodyButBen struct{}

func (everybodyButBen) Exists(_ context.Context, id loop.MemberID) (bool, error) {
	return id != ben, nil
}

func (s *results) keeper() *intake.Keeper {
	return &intake.Keeper{Catalogue: s.catalogue, Archive: s.store, Asides: s.store, Members: everybodyButBen{}, World: s.world}
}

// reported is a result of a file: TSH, with a report's name.
func (s *results) reported(t *testing.T, value string, change func(*biomarker.Reported)) intake.Item {
	t.Helper()
	number, err := biomarker.ParseDecimal(value)
	must(t, err)
	one := biomarker.Reported{
		Place: "line 1", Report: "report 7", Names: []biomarker.Name{{System: biomarker.SystemLOINC, Code: "3016-3"}},
		Incoming: biomarker.Incoming{Value: number, Unit: "mIU/L", RangeText: "see note", Collected: s.world.Now().AddDate(0, 0, -2).Format(time.DateOnly)},
	}
	if change != nil {
		change(&one)
	}
	return intake.Item{Member: anna, Result: one}
}

var importing = intake.Sender{Actor: audit.Actor{Kind: audit.ByOperator, ID: "command line"}}

// take imports items and gives the kinds of their outcomes.
func (s *results) take(t *testing.T, items ...intake.Item) string {
	t.Helper()
	outcomes, err := s.keeper().Keep(t.Context(), importing, intake.Batch{Source: "quest", Items: items})
	must(t, err)
	kinds := ""
	for _, outcome := range outcomes {
		kinds += " " + string(outcome.Kind)
	}
	return kinds
}

func (s *results) expect(t *testing.T, want string, items ...intake.Item) {
	t.Helper()
	if got := s.take(t, items...); got != want {
		t.Errorf("the outcomes are%s, want%s", got, want)
	}
}

// values lists what the member has, newest first.
func (s *results) values(t *testing.T, member loop.MemberID) string {
	t.Helper()
	text := ""
	for _, r := range s.walk(t, member, biomarker.Query{Limit: 100}, func() {}) {
		text += " " + r.Value.String() + r.Text
	}
	return text
}

func (s *results) expectValues(t *testing.T, want string) {
	t.Helper()
	if got := s.values(t, anna); got != want {
		t.Errorf("the member has%s, want%s", got, want)
	}
}

func importedOnce(t *testing.T, s *results) {
	one := s.reported(t, "2.40", nil)
	later := s.reported(t, "2.40", func(r *biomarker.Reported) {
		r.Incoming.Collected = s.world.Now().AddDate(0, 0, -1).Format(time.DateOnly)
	})
	other := s.reported(t, "2.40", func(r *biomarker.Reported) { r.Report = "report 8" })
	s.expect(t, " kept duplicate kept", one, one, later)
	s.expect(t, " duplicate kept duplicate", one, other, later)
	s.expect(t, " duplicate duplicate duplicate", one, other, later)
	if n := s.count(t, anna); n != 3 {
		t.Errorf("%d results are kept, want 3", n)
	}
}

func importComesBack(t *testing.T, s *results) {
	s.take(t, s.reported(t, "2.40", func(r *biomarker.Reported) { r.Incoming.Collected = "2024-05" }))
	got := s.walk(t, anna, biomarker.Query{Limit: 10}, func() {})
	if len(got) != 1 {
		t.Fatalf("%d results", len(got))
	}
	r := got[0].Result
	if r.Value.String() != "2.40" || r.Unit != "m[IU]/L" || r.LOINC != "3016-3" || r.RangeText != "see note" || r.Collected() != "2024-05" || r.Source != "quest" || r.SentBy != "" {
		t.Errorf("it came back as %+v", r)
	}
}

func correctedInPlace(t *testing.T, s *results) {
	corrected := func(r *biomarker.Reported) { r.State = biomarker.Corrected }
	first, second, third := s.reported(t, "2.40", nil), s.reported(t, "2.60", corrected), s.reported(t, "2.70", corrected)
	s.expect(t, " kept", first)
	s.expect(t, " corrected", second)
	s.expectValues(t, " 2.60")
	s.expect(t, " duplicate duplicate", first, second)
	s.expect(t, " corrected duplicate", third, third)
	s.expectValues(t, " 2.70")
	other := func(r *biomarker.Reported) { r.Report = "report 9" }
	s.expect(t, " kept corrected", s.reported(t, "1", other), s.reported(t, "2", func(r *biomarker.Reported) { other(r); corrected(r) }))
	if n := s.count(t, anna); n != 2 {
		t.Errorf("%d results stand, want 2", n)
	}
}

func otherValueRefused(t *testing.T, s *results) {
	s.expect(t, " kept refused", s.reported(t, "2.40", nil), s.reported(t, "2.4", nil))
	unnamed := func(r *biomarker.Reported) { r.Report = "" }
	s.expect(t, " kept kept duplicate", s.reported(t, "3", unnamed), s.reported(t, "4", unnamed), s.reported(t, "3", unnamed))
}

func deletedInFile(t *testing.T, s *results) {
	deleted := s.reported(t, "2.40", func(r *biomarker.Reported) { r.State = biomarker.Deleted })
	s.expect(t, " refused", deleted)
	s.expect(t, " kept", s.reported(t, "2.40", nil))
	s.expect(t, " deleted duplicate", deleted, deleted)
	s.expectValues(t, "")
	s.expect(t, " duplicate", s.reported(t, "2.40", nil))
	s.expectValues(t, "")
}

func dryRun(t *testing.T, s *results) {
	unknown := s.reported(t, "1", func(r *biomarker.Reported) { r.Names[0].Code = "99999-9" })
	batch := intake.Batch{Source: "quest", DryRun: true, Items: []intake.Item{s.reported(t, "2.40", nil), unknown}}
	outcomes, err := s.keeper().Keep(t.Context(), importing, batch)
	must(t, err)
	if outcomes[0].Kind != intake.Kept || outcomes[1].Kind != intake.Aside {
		t.Errorf("the outcomes are %v", outcomes)
	}
	codes, err := s.keeper().UnknownCodes(t.Context())
	must(t, err)
	if n := s.count(t, anna); n != 0 || len(codes) != 0 {
		t.Errorf("%d results are kept, %d codes wait", n, len(codes))
	}
}

func waitsForItsCode(t *testing.T, s *results) {
	name := biomarker.Name{System: "source:quest", Code: "TSH 3rd"}
	own := func(unit string, report int) intake.Item {
		return s.reported(t, "2.40", func(r *biomarker.Reported) {
			r.Names, r.Report, r.Incoming.Unit = []biomarker.Name{{Code: name.Code}}, fmt.Sprint(report), unit
		})
	}
	s.expect(t, " aside aside", own("mIU/L", 1), own("furlongs", 2))
	s.expect(t, " aside aside", own("mIU/L", 1), own("furlongs", 2))
	s.expectCodes(t, "source:quest TSH 3rd 2")
	mapped, err := s.keeper().Map(t.Context(), importing, name, "tsh")
	must(t, err)
	if mapped.Counts[intake.Kept] != 1 || mapped.Counts[intake.Refused] != 1 || len(mapped.Refused) != 1 {
		t.Errorf("mapped: %+v", mapped)
	}
	s.expectValues(t, " 2.40")
	s.expectCodes(t, "source:quest TSH 3rd 1")
	s.expect(t, " duplicate kept", own("mIU/L", 1), own("mIU/L", 3))
	for _, bad := range []struct {
		name biomarker.Name
		code biomarker.Code
	}{
		{name, "nothing"},
		{biomarker.Name{Code: "x"}, "tsh"},
		{biomarker.Name{System: biomarker.SystemLOINC, Code: "3016-3"}, "ft4"},
	} {
		if _, err := s.keeper().Map(t.Context(), importing, bad.name, bad.code); err == nil {
			t.Errorf("%v may mean %s", bad.name, bad.code)
		}
	}
}

func (s *results) expectCodes(t *testing.T, want string) {
	t.Helper()
	codes, err := s.keeper().UnknownCodes(t.Context())
	must(t, err)
	if len(codes) != 1 || fmt.Sprintf("%s %s %d", codes[0].System, codes[0].Code, codes[0].Count) != want {
		t.Errorf("the codes are %v, want %s", codes, want)
	}
}

func codesAreOfTheirSource(t *testing.T, s *results) {
	_, err := s.keeper().Map(t.Context(), importing, biomarker.Name{System: "source:other", Code: "T"}, "tsh")
	must(t, err)
	s.expect(t, " aside", s.reported(t, "2.40", func(r *biomarker.Reported) { r.Names = []biomarker.Name{{Code: "T"}} }))
}

func nobodyIsNoMember(t *testing.T, s *results) {
	item := s.reported(t, "2.40", nil)
	item.Member = ben
	s.expect(t, " refused kept", item, s.reported(t, "2.40", nil))
}

func fullRecord(t *testing.T, s *results) {
	err := s.store.Import(t.Context(), anna, func(intake.Existing) (intake.Change, error) {
		return intake.Change{Add: make([]biomarker.Result, biomarker.MaxResults+1)}, nil
	})
	if err != biomarker.ErrFull { //nolint:errorlint // a rule's error comes back as it is
		t.Errorf("the error is %v", err)
	}
}
