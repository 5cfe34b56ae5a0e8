package biomarker

import (
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestValidateNamesTheField(t *testing.T) {
	c := catalogue(t)
	good := Result{
		ID: "bmk_01KAXYZ0000000000000000000", Code: "tsh", Value: dec(t, "2.41"), Unit: "m[IU]/L", Source: "quest",
		CollectedAt: until.Add(-time.Hour), ParsedAt: until,
	}
	if err := c.Validate(&good); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*Result)
		field  string
	}{
		"no id":                            {func(r *Result) { r.ID = "" }, "id"},
		"an id of another kind":            {func(r *Result) { r.ID = "user_01KAXYZ0000000000000000000" }, "id"},
		"an unknown code":                  {func(r *Result) { r.Code = "nothing" }, "biomarker_code"},
		"no value":                         {func(r *Result) { r.Value = Decimal{} }, "value"},
		"an unknown comparator":            {func(r *Result) { r.Comparator = "~" }, "value_comparator"},
		"Sec107 an unknown unit":           {func(r *Result) { r.Unit = "furlongs" }, "unit"},
		"a unit of another biomarker":      {func(r *Result) { r.Unit = "mg/dL" }, "unit"},
		"a unit in other letters":          {func(r *Result) { r.Unit = "M[IU]/L" }, "unit"},
		"a biomarker without numbers":      {func(r *Result) { r.Code, r.Unit = "urine-nitrite", "" }, "value"},
		"an interval upside down":          {func(r *Result) { r.Range = Range{Low: dec(t, "4"), High: dec(t, "3.9")} }, "reference_low"},
		"an unknown flag":                  {func(r *Result) { r.Flag = "odd" }, "status"},
		"no source":                        {func(r *Result) { r.Source = "" }, "source"},
		"a source that is no name":         {func(r *Result) { r.Source = "=cmd()" }, "source"},
		"a sample drawn after its result":  {func(r *Result) { r.CollectedAt = until.Add(time.Second) }, "collected_at"},
		"Sec107 a sample of the year 9999": {func(r *Result) { r.CollectedAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }, "collected_at"},
		"a sample without a date":          {func(r *Result) { r.CollectedAt = time.Time{} }, "collected_at"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			test.change(&bad)
			if fault := loop.AsError(c.Validate(&bad)); fault.Code != loop.ValidationError || fault.Field != test.field {
				t.Errorf("the fault is %v of %q, want one of %s", fault, fault.Field, test.field)
			}
		})
	}
}
