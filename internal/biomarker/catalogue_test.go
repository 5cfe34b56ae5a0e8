package biomarker

import (
	"encoding/csv"
	"maps"
	"slices"
	"strings"
	"testing"
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
	if lines := strings.Count(biomarkersCSV, "\n") - 1; rows != lines {
		t.Errorf("%d rows were read of %d", rows, lines)
	}
	if len(seen) != len(categories()) {
		t.Errorf("%d of %d categories are used", len(seen), len(categories()))
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
	good := row{
		"code": "tsh", "name": "TSH", "category": "thyroid", "kind": "quantity", "unit_family": "iu-volume",
		"loinc": "3016-3", "unit": "m[IU]/L", "unit_display": "mIU/L", "decimals": "2",
		"si_loinc": "3016-3", "si_unit": "m[IU]/L", "si_decimals": "2", "si_factor": "1", "alt_units": "u[IU]/mL=1", "sex": "any",
		"ref_low": "0.4", "ref_low_op": ">=", "ref_high": "4.0", "ref_high_op": "<=", "si_ref_low": "0.4", "si_ref_high": "4.0",
		"critical_low": "0.1", "critical_low_op": "<=", "critical_high": "50", "critical_high_op": ">=", "source": "ABIM",
	}
	with := func(r row, changes ...string) row {
		r = maps.Clone(r)
		for i := 0; i < len(changes); i += 2 {
			r[changes[i]] = changes[i+1]
		}
		return r
	}
	female, male := with(good, "sex", "female"), with(good, "sex", "male")
	young, old := with(good, "age_below", "40"), with(good, "age_from", "40")
	scale := with(row{}, "code", "ana", "name", "ANA", "category", "immunology", "kind", "ordinal", "sex", "any", "source", "none")
	for name, rows := range map[string][]row{
		"any beside female":                 {good, female},
		"female beside any":                 {female, good},
		"any twice":                         {good, good},
		"female twice":                      {female, female},
		"bands of ages that overlap":        {young, with(old, "age_from", "39")},
		"every age beside a band":           {female, with(young, "sex", "female")},
		"the rows of a code apart":          {female, with(good, "code", "ft4"), male},
		"rows that disagree on the unit":    {female, with(male, "unit", "[IU]/L")},
		"rows that disagree on a factor":    {female, with(male, "alt_units", "u[IU]/mL=2")},
		"rows that disagree on the SI unit": {female, with(male, "si_factor", "2")},
		"a code with a capital":             {with(good, "code", "Tsh")},
		"no code":                           {with(good, "code", "")},
		"no name":                           {with(good, "name", "")},
		"an unknown category":               {with(good, "category", "blood")},
		"an unknown kind":                   {with(good, "kind", "number")},
		"a wrong LOINC check digit":         {with(good, "loinc", "3016-4")},
		"a LOINC code with a letter":        {with(good, "si_loinc", "3O16-3")},
		"no unit":                           {with(good, "unit", "")},
		"no SI unit":                        {with(good, "si_unit", "")},
		"a unit with a space":               {with(good, "unit", "m[IU] / L")},
		"an unknown scale":                  {with(scale, "scale", "mood")},
		"a normal value that is none":       {with(scale, "scale", "strip", "normal_values", "5+")},
		"a normal value without a scale":    {with(scale, "normal_values", "negative")},
		"a scale with a unit":               {with(scale, "unit", "mg/dL")},
		"an alternative without factor":     {with(good, "alt_units", "u[IU]/mL")},
		"a factor of zero":                  {with(good, "alt_units", "u[IU]/mL=0")},
		"a negative factor":                 {with(good, "si_factor", "-1")},
		"a factor that divides by zero":     {with(good, "si_factor", "1/0")},
		"a factor in floating point":        {with(good, "si_factor", "1e3")},
		"an offset that is no number":       {with(good, "si_offset", "x")},
		"an alternative twice":              {with(good, "alt_units", "u[IU]/mL=1;u[IU]/mL=2")},
		"an unknown sex":                    {with(good, "sex", "other")},
		"an age that is no number":          {with(good, "age_from", "old")},
		"an empty band of ages":             {with(good, "age_from", "40", "age_below", "40")},
		"a limit that is no number":         {with(good, "ref_low", "low")},
		"a limit without operator":          {with(good, "ref_low_op", "")},
		"an operator without limit":         {with(good, "ref_low", "", "critical_low", "", "critical_low_op", "", "si_ref_low", "")},
		"an operator the wrong way round":   {with(good, "ref_high_op", ">=")},
		"limits upside down":                {with(good, "ref_low", "4.0", "ref_high", "0.4")},
		"a critical limit inside":           {with(good, "critical_low", "0.5")},
		"a critical limit at the edge":      {with(good, "critical_low", "0.4")},
		"critical limits alone":             {with(good, "ref_low", "", "ref_low_op", "", "ref_high", "", "ref_high_op", "")},
		"decimals that are no number":       {with(good, "decimals", "x")},
		"too many decimals":                 {with(good, "si_decimals", "9")},
		"no source":                         {with(good, "source", "")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseCatalogue(csvOf(t, rows...), scalesCSV); err == nil {
				t.Errorf("%v is accepted", rows)
			}
		})
	}
	for _, rows := range [][]row{{good}, {female, male}, {male}, {young, old}, {good, with(female, "code", "ft4")}, {scale}} {
		if _, err := parseCatalogue(csvOf(t, rows...), scalesCSV); err != nil {
			t.Errorf("%v: %v", rows, err)
		}
	}
	for name, text := range map[string]string{
		"other columns": "code,name\n", "nothing": "", "a field too few": csvOf(t) + "tsh,TSH\n", "a field too many": csvOf(t) + strings.Repeat(",", len(columns)) + "\n",
	} {
		if _, err := parseCatalogue(text, scalesCSV); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// csvOf writes rows as the file has them.
func csvOf(t *testing.T, rows ...row) string {
	t.Helper()
	var text strings.Builder
	w := csv.NewWriter(&text)
	for _, fields := range append([][]string{columns}, lines(rows)...) {
		if err := w.Write(fields); err != nil {
			t.Fatal(err)
		}
	}
	w.Flush()
	return text.String()
}

func lines(rows []row) [][]string {
	list := make([][]string, len(rows))
	for i, r := range rows {
		for _, name := range columns {
			list[i] = append(list[i], r[name])
		}
	}
	return list
}
