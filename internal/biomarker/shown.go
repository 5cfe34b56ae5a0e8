package biomarker

import (
	"math/big"
	"strings"
)

// Shown is how a result is given in a system of units.
type Shown struct {
	System    System // empty: the result has no unit
	LOINC     string // empty: none was confirmed for this unit
	Kind      ValueKind
	Value     Decimal // absent where the value is no plain number
	Text      string  // what the laboratory wrote, where it is none; empty: it is one
	Unit      string  // UCUM
	Reference Range
	Converted bool // the laboratory reported another unit; Result has its own digits
}

// In gives the result in a system of units. The laboratory's digits are never
// rounded or padded; a converted value has the places of its new unit.
func (j *Judged) In(system System) Shown {
	b := j.Biomarker
	measure := b.In(system)
	shown := Shown{LOINC: measure.LOINC, Kind: b.valueKind(&j.Result), Text: j.Text}
	if shown.Kind != NumberValue {
		shown.Unit = j.Unit // what is no number is not converted
		return shown
	}
	shown.System, shown.Unit = system, measure.Unit
	shown.Value = b.convertValue(&j.Result, system)
	shown.Reference = j.reference(system)
	shown.Converted = j.Unit != measure.Unit
	return shown
}

// Reported gives the result as the laboratory reported it, in whichever unit that
// was. LOINC names the property of a code, so a unit of another one has none: no
// code of mass concentration stands beside a number of mmol/L.
func (j *Judged) Reported() Shown {
	b := j.Biomarker
	switch j.Unit {
	case b.Unit:
		return j.In(Conventional)
	case b.SI.Unit:
		return j.In(SI)
	}
	shown := Shown{Kind: b.valueKind(&j.Result), Value: j.Value, Text: j.Text, Unit: j.Unit, Reference: j.Range}
	if b.sameProperty(j.Unit) {
		shown.LOINC = b.LOINC
	}
	return shown
}

// sameProperty reports whether a further unit measures the same property as the
// biomarker's own: it is a decimal multiple of it, or the katal of its enzyme unit.
func (b *Biomarker) sameProperty(unit string) bool {
	for _, a := range b.Alternatives {
		if a.Unit == unit {
			return isPowerOfTen(a.Factor) || unit == microkatalPerLitre
		}
	}
	return unit == "" // words alone
}

const microkatalPerLitre = "ukat/L"

// isPowerOfTen reports whether a factor only moves the decimal point.
func isPowerOfTen(factor *big.Rat) bool {
	digits := strings.Trim(factor.FloatString(mostPlaces), "0")
	return strings.Trim(digits, ".0") == "1"
}

// reference gives the interval that the result was held against.
func (j *Judged) reference(system System) Range {
	switch {
	case !j.Range.Empty():
		return j.Biomarker.convertRange(j.Range, j.Unit, system)
	case system == SI:
		return j.Interval.SIReference
	default:
		return j.Interval.Reference
	}
}
