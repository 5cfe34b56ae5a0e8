package biomarker

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/loop-health/loop/internal/loop"
)

func TestInGivesTheSystemThatIsAskedFor(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		name             string
		code             Code
		value, unit      string
		own              Range
		system           System
		shown, shownUnit string
		low, high        string
		loinc            string
		converted        bool
	}{
		{name: "the laboratory's digits stay", code: "glucose-fasting", value: "99.087", unit: "mg/dL", system: Conventional, shown: "99.087", shownUnit: "mg/dL", low: "70", high: "100", loinc: "1558-6"},
		{name: "to SI: its places, its published limits, its code", code: "glucose-fasting", value: "99.087", unit: "mg/dL", system: SI, shown: "5.5", shownUnit: "mmol/L", low: "3.9", high: "5.6", loinc: "14771-0", converted: true},
		{name: "from SI, asked for SI: as it came", code: "glucose-fasting", value: "5.50", unit: "mmol/L", system: SI, shown: "5.50", shownUnit: "mmol/L", low: "3.9", high: "5.6", loinc: "14771-0"},
		{name: "from SI to conventional", code: "glucose-fasting", value: "5.5", unit: "mmol/L", system: Conventional, shown: "99", shownUnit: "mg/dL", low: "70", high: "100", loinc: "1558-6", converted: true},
		{name: "HbA1c has an offset", code: "hba1c", value: "5.6", unit: "%", system: SI, shown: "38", shownUnit: "mmol/mol", low: "20", high: "39", loinc: "59261-8", converted: true},
		{name: "from another unit", code: "crp", value: "0.50", unit: "mg/dL", system: Conventional, shown: "5.0", shownUnit: "mg/L", high: "8.0", loinc: "1988-5", converted: true},
		{name: "the same unit in both", code: "sodium", value: "140", unit: "mmol/L", system: SI, shown: "140", shownUnit: "mmol/L", low: "136", high: "145", loinc: "2951-2"},
		{
			name: "the laboratory's own limits are converted, an included one to the nearest", code: "glucose-fasting", value: "5.0", unit: "mmol/L",
			own: Range{Low: dec(t, "3.9"), High: dec(t, "5.6")}, system: Conventional, shown: "90", shownUnit: "mg/dL", low: "70", high: "101", loinc: "1558-6", converted: true,
		},
		{
			name: "and an excluded one away from what is normal", code: "cholesterol-total", value: "180", unit: "mg/dL",
			own: Range{High: dec(t, "200"), HighExcluded: true}, system: SI, shown: "4.66", shownUnit: "mmol/L", high: "5.18", loinc: "14647-2", converted: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, _ := c.Find(test.code)
			result := Result{Code: test.code, Value: dec(t, test.value), Unit: test.unit, Range: test.own}
			judged := Judged{Result: result, Biomarker: b, Judgement: b.Judge(&result, Person{Sex: loop.Female})}
			got := judged.In(test.system)
			if got.Value.String() != test.shown || got.Unit != test.shownUnit || got.LOINC != test.loinc || got.Converted != test.converted || got.System != test.system {
				t.Errorf("it is given as %+v", got)
			}
			if got.Reference.Low.String() != test.low || got.Reference.High.String() != test.high {
				t.Errorf("its interval is given as %+v", got.Reference)
			}
		})
	}
}

func TestJudgeInOtherUnits(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		name        string
		code        Code
		value, unit string
		status      Status
		side        Direction
	}{
		{"5.5 mmol/L of fasting glucose is below 5.6", "glucose-fasting", "5.5", "mmol/L", Normal, ""},
		{"5.6 mmol/L is not below 5.6", "glucose-fasting", "5.6", "mmol/L", High, ""},
		{"38 mmol/mol of HbA1c is normal", "hba1c", "38", "mmol/mol", Normal, ""},
		{"39 mmol/mol is not", "hba1c", "39", "mmol/mol", High, ""},
		{"another unit is converted exactly", "crp", "0.80", "mg/dL", Normal, ""},
		{"and not rounded", "crp", "0.8001", "mg/dL", High, ""},
		{"an alarm is judged in the conventional unit", "glucose", "27.8", "mmol/L", Critical, CriticallyHigh},
		{"just under it is high", "glucose", "27.7", "mmol/L", High, ""},
		{"a low alarm", "calcium", "1.6", "mmol/L", Critical, CriticallyLow},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, _ := c.Find(test.code)
			result := Result{Code: test.code, Value: dec(t, test.value), Unit: test.unit}
			if got := b.Judge(&result, Person{}); got.Status != test.status || got.Direction != test.side {
				t.Errorf("it is %q %q, want %q %q", got.Status, got.Direction, test.status, test.side)
			}
		})
	}
}

func TestConversionKeepsWhatAValueSays(t *testing.T) {
	c := catalogue(t)
	for _, test := range []struct {
		name        string
		code        Code
		comparator  Comparator
		value, unit string
		system      System
		shown       string
	}{
		{"a small value keeps its digits", "troponin-i", Exactly, "4", "ng/L", Conventional, "0.004"},
		{"and two of them where it has two", "troponin-i", Exactly, "14", "ng/L", Conventional, "0.014"},
		{"an upper bound is rounded up", "troponin-i", Below, "3", "ng/L", Conventional, "0.003"},
		{"so that it stays true", "bilirubin-direct", Below, "0.2", "mg/dL", SI, "4"},
		{"a lower bound is rounded down", "bilirubin-direct", Above, "0.2", "mg/dL", SI, "3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, _ := c.Find(test.code)
			judged := Judged{Result: Result{Comparator: test.comparator, Value: dec(t, test.value), Unit: test.unit}, Biomarker: b}
			if got := judged.In(test.system).Value.String(); got != test.shown {
				t.Errorf("%s%s %s is shown as %s, want %s", test.comparator, test.value, test.unit, got, test.shown)
			}
		})
	}
}

// Conversion there and back gives the very number, for every unit of the catalogue.
func TestConvertThereAndBackIsExact(t *testing.T) {
	var quantities []*Biomarker
	for b := range catalogue(t).All() {
		if b.Kind.numeric() {
			quantities = append(quantities, b)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SampledFrom(quantities).Draw(t, "biomarker")
		value := Decimal{rapid.StringMatching(`(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?`).Draw(t, "value")}
		si := b.inUnit(value, b.Unit, b.SI.Unit)
		si.Sub(si, b.ToSI.Offset)
		if back := si.Quo(si, b.ToSI.Factor); back.Cmp(value.rat()) != 0 {
			t.Errorf("%s: %s becomes %s", b.Code, value, back)
		}
		for _, unit := range b.units() {
			own := b.toOwn(value, unit)
			if own.Sign() < 0 && b.ToSI.Offset.Sign() == 0 || own.Cmp(new(big.Rat)) == 0 && value.rat().Sign() != 0 && b.ToSI.Offset.Sign() == 0 {
				t.Errorf("%s: %s %s becomes %s %s", b.Code, value, unit, own, b.Unit)
			}
		}
	})
}

func TestDecimalOfHasNoMinusZero(t *testing.T) {
	for text, want := range map[string]string{"-0.00": "0.00", "-0": "0", "-0.10": "-0.10", "1.0": "1.0"} {
		if got := decimalOf(text).String(); got != want {
			t.Errorf("%s became %s, want %s", text, got, want)
		}
	}
}
