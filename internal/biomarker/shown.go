package biomarker

// Shown is how a result is given in a system of units.
type Shown struct {
	System    System // empty: the result has no unit
	LOINC     string // empty: none was confirmed for this unit
	Value     Decimal
	Unit      string // UCUM
	Reference Range
	Converted bool // the laboratory reported another unit; Result has its own digits
}

// In gives the result in a system of units. The laboratory's digits are never
// rounded or padded; a converted value has the places of its new unit.
func (j *Judged) In(system System) Shown {
	b := j.Biomarker
	measure := b.In(system)
	if measure.Unit == "" {
		return Shown{LOINC: measure.LOINC}
	}
	return Shown{
		System: system, LOINC: measure.LOINC, Unit: measure.Unit,
		Value:     b.convertValue(j.Value, j.Unit, system),
		Reference: j.reference(system),
		Converted: j.Unit != measure.Unit,
	}
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
