package biomarker

import (
	"slices"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
)

func catalogue(t testing.TB) *Catalogue {
	t.Helper()
	c, err := NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCatalogueHoldsEveryRow(t *testing.T) {
	c := catalogue(t)
	rows := 0
	seen := make(map[Category]bool)
	for b := range c.All() {
		rows += len(b.Intervals)
		seen[b.Category] = true
		if found, ok := c.Find(b.Code); !ok || found != b {
			t.Errorf("%s is not found by its code", b.Code)
		}
		if !slices.Contains(c.In(b.Category), b.Code) {
			t.Errorf("%s is not in its category", b.Code)
		}
	}
	if lines := strings.Count(catalogueCSV, "\n") - 1; rows != lines {
		t.Errorf("%d rows were read of %d", rows, lines)
	}
	if len(seen) != len(categories()) {
		t.Errorf("%d of %d categories are used", len(seen), len(categories()))
	}
}

func TestCatalogueRowsKeepItsRules(t *testing.T) {
	for b := range catalogue(t).All() {
		t.Run(string(b.Code), func(t *testing.T) {
			var sexes []loop.Sex
			for _, interval := range b.Intervals {
				sexes = append(sexes, interval.Sex)
				for _, limit := range []Decimal{interval.Reference.Low, interval.Reference.High, interval.Critical.Low, interval.Critical.High} {
					if limit.Negative() {
						t.Errorf("the limit %s is below zero", limit)
					}
				}
				if interval.Critical.Low.Present() && !interval.Reference.Low.Present() || interval.Critical.High.Present() && !interval.Reference.High.Present() {
					t.Error("a critical limit stands on a side without a reference limit")
				}
			}
			slices.Sort(sexes)
			if len(slices.Compact(slices.Clone(sexes))) != len(sexes) || slices.Contains(sexes, "") && len(sexes) > 1 {
				t.Errorf("the rows are for %q: one for any, or one per sex", sexes)
			}
			for _, alternative := range b.Alternatives {
				if alternative.Unit == b.Unit {
					t.Errorf("%s is given as an alternative to itself", b.Unit)
				}
			}
		})
	}
}

func TestCatalogueKnowsWhatTheDocumentationShows(t *testing.T) {
	tsh, ok := catalogue(t).Find("tsh")
	if !ok || tsh.Name != "Thyroid stimulating hormone" || tsh.Category != "thyroid" || tsh.LOINC != "3016-3" || tsh.Unit != "m[IU]/L" ||
		tsh.Intervals[0].Reference.Low.String() != "0.4" || tsh.Intervals[0].Reference.High.String() != "4.0" {
		t.Errorf("tsh is %+v", tsh)
	}
}

func TestCatalogueRefusesABrokenRow(t *testing.T) {
	good := "tsh,TSH,thyroid,3016-3,m[IU]/L,u[IU]/mL=1,any,0.4,4.0,0.1,50,2,ABIM,"
	female := strings.Replace(good, ",any,", ",female,", 1)
	male := strings.Replace(good, ",any,", ",male,", 1)
	other := strings.Replace(good, "tsh,", "ft4,", 1)
	change := func(old, now string) []string { return []string{strings.Replace(good, old, now, 1)} }
	for name, rows := range map[string][]string{
		"any beside female":              {good, female},
		"female beside any":              {female, good},
		"any twice":                      {good, good},
		"female twice":                   {female, female},
		"the rows of a code apart":       {female, other, male},
		"rows that disagree on the unit": {female, strings.Replace(male, "m[IU]/L", "[IU]/L", 1)},
		"rows that disagree on a factor": {female, strings.Replace(male, "mL=1", "mL=2", 1)},
		"a code with a capital":          change("tsh", "Tsh"),
		"no code":                        change("tsh", ""),
		"no name":                        change("TSH", ""),
		"an unknown category":            change("thyroid", "blood"),
		"a wrong LOINC check digit":      change("3016-3", "3016-4"),
		"a LOINC code with a letter":     change("3016-3", "3O16-3"),
		"no unit":                        change("m[IU]/L", ""),
		"a unit with a space":            change("m[IU]/L", "m[IU] / L"),
		"an alternative without factor":  change("u[IU]/mL=1", "u[IU]/mL"),
		"a factor of zero":               change("u[IU]/mL=1", "u[IU]/mL=0"),
		"a negative factor":              change("u[IU]/mL=1", "u[IU]/mL=-1"),
		"an alternative twice":           change("u[IU]/mL=1", "u[IU]/mL=1;u[IU]/mL=2"),
		"an unknown sex":                 change("any", "other"),
		"a limit that is no number":      change("0.4", "low"),
		"limits upside down":             change("0.4,4.0", "4.0,0.4"),
		"a critical limit inside":        change("0.1,50", "0.5,50"),
		"a critical limit at the edge":   change("0.1,50", "0.4,50"),
		"critical limits alone":          change("0.4,4.0", ","),
		"decimals that are no number":    change(",2,ABIM", ",x,ABIM"),
		"too many decimals":              change(",2,ABIM", ",9,ABIM"),
		"no source":                      change("ABIM", ""),
		"a field too few":                {strings.TrimSuffix(good, ",")},
		"a field too many":               {good + ","},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseCatalogue(columns + "\n" + strings.Join(rows, "\n") + "\n"); err == nil {
				t.Errorf("%q is accepted", rows)
			}
		})
	}
	for _, rows := range [][]string{{good}, {female, male}, {male}, {good, strings.Replace(female, "tsh", "ft4", 1)}} {
		if _, err := parseCatalogue(columns + "\n" + strings.Join(rows, "\n") + "\n"); err != nil {
			t.Errorf("%q: %v", rows, err)
		}
	}
	if _, err := parseCatalogue("code,name\n"); err == nil {
		t.Error("other columns are accepted")
	}
	if _, err := parseCatalogue(""); err == nil {
		t.Error("an empty catalogue is accepted")
	}
}
