package biomarker

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
