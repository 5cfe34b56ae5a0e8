package biomarker

import "math/big"

// ExactIn gives the value in one of the biomarker's own units, before it is rounded for
// display. The value must be present.
func (j *Judged) ExactIn(unit string) *big.Rat {
	return j.Biomarker.inUnit(j.Value, j.Unit, unit)
}

// LimitsIn gives the limits that the result was held against, in one of the biomarker's
// own units, before they are rounded for display. A limit that is not there is nil.
func (j *Judged) LimitsIn(unit string) (low, high *big.Rat) {
	limits, from := j.Range, j.Unit
	if limits.Empty() {
		limits, from = j.Interval.Reference, j.Biomarker.Unit
		if unit == j.Biomarker.SI.Unit {
			limits, from = j.Interval.SIReference, unit // as it is published there
		}
	}
	return j.limitIn(limits.Low, from, unit), j.limitIn(limits.High, from, unit)
}

func (j *Judged) limitIn(limit Decimal, from, to string) *big.Rat {
	if !limit.Present() {
		return nil
	}
	return j.Biomarker.inUnit(limit, from, to)
}
