package biomarker

import (
	"encoding/csv"
	"strings"
	"testing"
)

func TestReadUnit(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		code           Code
		spelling, unit string // empty: not known
	}{
		{"tsh", "m[IU]/L", "m[IU]/L"},
		{"tsh", "mIU/L", "m[IU]/L"},
		{"tsh", "uIU/mL", "u[IU]/mL"},
		{"tsh", "µIU/mL", "u[IU]/mL"},
		{"tsh", "μIU/mL", "u[IU]/mL"},
		{"wbc", "K/uL", "10*3/uL"},
		{"wbc", "Thousand/uL", "10*3/uL"},
		{"wbc", "x10E3/uL", "10*3/uL"},
		{"wbc", " 10^3/uL ", "10*3/uL"},
		{"glucose", "MG/DL", "mg/dL"},
		{"glucose", "mmol/l", "mmol/L"},
		{"inr", "", "{INR}"},
		{"glucose", "", ""},
		{"glucose", "K/uL", ""},
		{"glucose", "mEq/L", ""},
		{"calcium", "mEq/L", ""},
		{"d-dimer", "ng/mL", ""},
		{"glucose", "furlongs", ""},
		{"hba1c", "mmol/mol", "mmol/mol"},
	} {
		t.Run(string(test.code)+" in "+test.spelling, func(t *testing.T) {
			b, _ := c.Find(test.code)
			unit, known := c.ReadUnit(b, test.spelling)
			if unit != test.unit || known != (test.unit != "") {
				t.Errorf("it is read as %q, %v; want %q", unit, known, test.unit)
			}
		})
	}
}

func TestEverySpellingIsReadForSomeBiomarker(t *testing.T) {
	c := catalogue(t)
	rows, err := csv.NewReader(strings.NewReader(unitAliasesCSV)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, fields := range rows[1:] {
		spelling, used := fields[0], false
		for b := range c.All() {
			if unit, known := c.ReadUnit(b, spelling); known && unit == fields[1] {
				used = true
			}
		}
		if !used {
			t.Errorf("%q is read for no biomarker as %s", spelling, fields[1])
		}
	}
}

func TestSpellingsRefuseTwoMeaningsOfOne(t *testing.T) {
	const header = "spelling,ucum,families,note\n"
	for name, rows := range map[string]string{
		"two units":  "x,mg/dL,any,\nx,g/dL,any,\n",
		"no unit":    "x,,any,\n",
		"a field":    "x,mg/dL,any\n",
		"other rows": "spelling\n",
	} {
		if _, err := parseSpellings(header + rows); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestFindLOINC(t *testing.T) {
	c := catalogue(t)
	for loinc, want := range map[string]Code{
		"2345-7": "glucose", "14749-6": "glucose", "1558-6": "glucose-fasting", "33037-3": "anion-gap", "3016-3": "tsh",
		"53962-7": "afp", "14578-9": "", "99999-9": "", "": "",
	} {
		b, known := c.FindLOINC(loinc)
		if known != (want != "") || known && b.Code != want {
			t.Errorf("%s is %v, want %s", loinc, b, want)
		}
	}
}

func TestScaleFindsWordsOfLaboratories(t *testing.T) {
	b, _ := catalogue(t).Find("urine-protein-strip")
	for word, want := range map[string]string{"Negative": "negative", " NEG ": "negative", "trace": "trace", "Tr": "trace", "+": "1+", "2 Plus": "2+", "4+": "4+"} {
		if got, ok := b.Scale.Find(word); !ok || got != want {
			t.Errorf("%q is %q, want %q", word, got, want)
		}
	}
	for _, word := range []string{"", "maybe", "5+", "negatİve"} {
		if got, ok := b.Scale.Find(word); ok {
			t.Errorf("%q is %q", word, got)
		}
	}
}
