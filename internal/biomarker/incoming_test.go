package biomarker

import (
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestReadUnderstandsWhatSendersWrite(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		name string
		in   Incoming

		code  Code
		value string // with its comparator
		text  string
		unit  string
		kind  ValueKind
		stat  Status
	}{
		{"a number", Incoming{Code: "tsh", Value: dec(t, "2.40"), Unit: "mIU/L"}, "tsh", "2.40", "", "m[IU]/L", NumberValue, Normal},
		{"by its LOINC code", Incoming{LOINC: "3016-3", Value: dec(t, "9"), Unit: "uIU/mL"}, "tsh", "9", "", "u[IU]/mL", NumberValue, High},
		{"by the LOINC code of its SI unit", Incoming{LOINC: "14749-6", Value: dec(t, "5.3"), Unit: "mmol/L"}, "glucose", "5.3", "", "mmol/L", NumberValue, Normal},
		{"a mass code with a molar unit: the unit is what was measured", Incoming{LOINC: "2345-7", Value: dec(t, "5.3"), Unit: "mmol/L"}, "glucose", "5.3", "", "mmol/L", NumberValue, Normal},
		{"a step of a scale", Incoming{Code: "urine-protein-strip", Text: "Negative"}, "urine-protein-strip", "", "Negative", "", OrdinalValue, Normal},
		{"a step that is not normal has no status", Incoming{Code: "urine-protein-strip", Text: "2+"}, "urine-protein-strip", "", "2+", "", OrdinalValue, Unset},
		{"a word outside of the scale is a text", Incoming{Code: "urine-protein-strip", Text: "see note"}, "urine-protein-strip", "", "see note", "", TextValue, Unset},
		{"one of several", Incoming{Code: "abo-rh", Text: "A pos"}, "abo-rh", "", "A pos", "", NominalValue, Unset},
		{"a titre as laboratories write it", Incoming{Code: "ana-titre", Text: "1:160"}, "ana-titre", "160", "1:160", "{titer}", TitreValue, Unset},
		{"a titre that is below what is measured", Incoming{Code: "ana-titre", Text: "<1:40"}, "ana-titre", "<40", "<1:40", "{titer}", TitreValue, Unset},
		{"a titre as a number", Incoming{Code: "ana-titre", Value: dec(t, "80")}, "ana-titre", "80", "1:80", "{titer}", TitreValue, Unset},
		{"a range where a number is usual", Incoming{Code: "wbc", Text: "0-2"}, "wbc", "", "0-2", "", RangeValue, Unset},
		{"why there is no number", Incoming{Code: "potassium", Text: " haemolysed "}, "potassium", "", "haemolysed", "", TextValue, Unset},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.in.Source, test.in.Collected = "quest", "2026-03-02T08:15:00Z"
			r, err := c.Read(&test.in, until)
			if err != nil {
				t.Fatal(err)
			}
			r.ID = "bmk_01KAXYZ0000000000000000000"
			if err := c.Validate(&r); err != nil {
				t.Fatal(err)
			}
			b, _ := c.Find(r.Code)
			if r.Code != test.code || string(r.Comparator)+r.Value.String() != test.value || r.Text != test.text || r.Unit != test.unit {
				t.Errorf("it is read as %+v", r)
			}
			judged := Judged{Result: r, Biomarker: b, Judgement: b.Judge(&r, Person{})}
			if shown := judged.In(Conventional); shown.Kind != test.kind || judged.Status != test.stat || shown.Value.Present() == (shown.Text != "") {
				t.Errorf("it is given as %+v with the status %q", shown, judged.Status)
			}
		})
	}
}

func TestReadRefusesWhatItWouldHaveToGuess(t *testing.T) {
	c := catalogue(t)
	number := dec(t, "5")
	for name, test := range map[string]struct {
		in    Incoming
		field string
	}{
		"nothing that names a biomarker":           {Incoming{Value: number, Unit: "mg/dL"}, "biomarker_code"},
		"an unknown code":                          {Incoming{Code: "sugar", Value: number, Unit: "mg/dL"}, "biomarker_code"},
		"an unknown LOINC code":                    {Incoming{LOINC: "99999-9", Value: number, Unit: "mg/dL"}, "loinc_code"},
		"a LOINC code that only looks alike":       {Incoming{LOINC: "14578-9", Text: "A"}, "loinc_code"},
		"a code and a LOINC code that disagree":    {Incoming{Code: "tsh", LOINC: "2345-7", Value: number, Unit: "mIU/L"}, "loinc_code"},
		"no unit":                                  {Incoming{Code: "glucose", Value: number}, "unit"},
		"a unit of another quantity":               {Incoming{Code: "glucose", Value: number, Unit: "K/uL"}, "unit"},
		"FEU taken for DDU":                        {Incoming{Code: "d-dimer", Value: number, Unit: "ng/mL"}, "unit"},
		"no time":                                  {Incoming{Code: "tsh", Value: number, Unit: "mIU/L", Collected: "-"}, "collected_at"},
		"a time without a zone":                    {Incoming{Code: "tsh", Value: number, Unit: "mIU/L", Collected: "2026-03-02T08:15:00"}, "collected_at"},
		"31 February":                              {Incoming{Code: "tsh", Value: number, Unit: "mIU/L", Collected: "2026-02-31"}, "collected_at"},
		"a sample of tomorrow":                     {Incoming{Code: "tsh", Value: number, Unit: "mIU/L", Collected: "2026-03-11"}, "collected_at"},
		"no value":                                 {Incoming{Code: "tsh", Unit: "mIU/L"}, "value"},
		"a number for a scale":                     {Incoming{Code: "urine-nitrite", Value: number}, "value"},
		"a number and a text":                      {Incoming{Code: "tsh", Value: number, Text: "5", Unit: "mIU/L"}, "value_text"},
		"a comparator without a number":            {Incoming{Code: "tsh", Comparator: Below, Text: "few", Unit: "mIU/L"}, "value_comparator"},
		"an unknown comparator":                    {Incoming{Code: "tsh", Comparator: "~", Value: number, Unit: "mIU/L"}, "value_comparator"},
		"a titre in both forms":                    {Incoming{Code: "rpr-titre", Value: number, Text: "1:1280"}, "value_text"},
		"a titre with two comparators":             {Incoming{Code: "rpr-titre", Comparator: Above, Text: "1:1280"}, "value_comparator"},
		"a titre that is no dilution":              {Incoming{Code: "rpr-titre", Value: dec(t, "1.5")}, "value"},
		"a titre of 1 to zero":                     {Incoming{Code: "rpr-titre", Value: dec(t, "0")}, "value"},
		"a unit for a scale":                       {Incoming{Code: "urine-nitrite", Text: "neg", Unit: "mg/dL"}, "unit"},
		"a text with a control character":          {Incoming{Code: "urine-nitrite", Text: "neg\x00"}, "value_text"},
		"limits upside down":                       {Incoming{Code: "tsh", Value: number, Unit: "mIU/L", Range: Range{Low: dec(t, "4"), High: dec(t, "1")}}, "reference_low"},
		"a flag that is none":                      {Incoming{Code: "tsh", Value: number, Unit: "mIU/L", Flag: "odd"}, "status"},
		"a source that a spreadsheet would act on": {Incoming{Code: "tsh", Value: number, Unit: "mIU/L", Source: "=cmd"}, "source"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.in.Collected == "" {
				test.in.Collected = "2026-03-02"
			}
			if test.in.Source == "" {
				test.in.Source = "quest"
			}
			r, err := c.Read(&test.in, until)
			if err == nil {
				r.ID = "bmk_01KAXYZ0000000000000000000"
				err = c.Validate(&r)
			}
			if fault := loop.AsError(err); err == nil || fault.Code != loop.ValidationError || fault.Field != test.field || fault.Description == "" {
				t.Errorf("the fault is %+v, want one of %s", fault, test.field)
			}
		})
	}
}

func TestReadKeepsThePrecisionOfADate(t *testing.T) {
	c := catalogue(t)
	for text, want := range map[string]Precision{"2026-03-02": ToTheDay, "2026-03-02T08:15:00+02:00": ToTheMoment} {
		r, err := c.Read(&Incoming{Code: "tsh", Value: dec(t, "2"), Unit: "mIU/L", Collected: text}, until)
		if err != nil || r.Precision != want || r.CollectedAt.Location() != time.UTC {
			t.Errorf("%s is read as %v %q, %v", text, r.CollectedAt, r.Precision, err)
		}
	}
}
