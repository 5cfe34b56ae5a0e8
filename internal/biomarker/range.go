package biomarker

import (
	"errors"
	"fmt"
)

// Range is two limits, either of which may be absent.
type Range struct {
	Low  Decimal `json:"low,omitzero"`
	High Decimal `json:"high,omitzero"`
	// A limit that is excluded is itself outside: a guideline's "below 100" is not
	// met by 100.
	LowExcluded  bool `json:"low_excluded,omitempty"`
	HighExcluded bool `json:"high_excluded,omitempty"`
}

// Empty reports whether the range has no limit at all.
func (r Range) Empty() bool { return !r.Low.Present() && !r.High.Present() }

// Ordered reports whether the limits, where both are there, are in order.
func (r Range) Ordered() bool {
	return !r.Low.Present() || !r.High.Present() || r.Low.Compare(r.High) <= 0
}

// reachesBelowZero reports whether a limit is negative, and so whether the
// quantity can be.
func (r Range) reachesBelowZero() bool { return r.Low.Negative() || r.High.Negative() }

// below reports whether a point is under the lower limit.
func (r Range) below(p point) bool {
	if !r.Low.Present() {
		return false
	}
	c := p.compare(r.Low)
	return c < 0 || c == 0 && r.LowExcluded
}

// above reports whether a point is over the upper limit.
func (r Range) above(p point) bool {
	if !r.High.Present() {
		return false
	}
	c := p.compare(r.High)
	return c > 0 || c == 0 && r.HighExcluded
}

// alarmsLow reports whether a point is at most the lower limit of critical
// values, or below one that is excluded.
func (r Range) alarmsLow(p point) bool {
	if !r.Low.Present() {
		return false
	}
	c := p.compare(r.Low)
	return c < 0 || c == 0 && !r.LowExcluded
}

// alarmsHigh reports whether a point is at least the upper limit of critical
// values, or above one that is excluded.
func (r Range) alarmsHigh(p point) bool {
	if !r.High.Present() {
		return false
	}
	c := p.compare(r.High)
	return c > 0 || c == 0 && !r.HighExcluded
}

// parseRange reads two limits, either of which may be empty.
func parseRange(low, high string) (Range, error) {
	var r Range
	var err error
	if r.Low, err = parseOptional(low); err != nil {
		return Range{}, err
	}
	r.High, err = parseOptional(high)
	return r, err
}

// parseLimits reads limits with their operators. lowOps and highOps name the
// operator of an included limit first, then that of an excluded one.
func parseLimits(low, lowOp, high, highOp string, lowOps, highOps [2]string) (Range, error) {
	r, err := parseRange(low, high)
	if err != nil {
		return Range{}, err
	}
	var lowErr, highErr error
	r.LowExcluded, lowErr = excluded(r.Low, lowOp, lowOps)
	r.HighExcluded, highErr = excluded(r.High, highOp, highOps)
	return r, errors.Join(lowErr, highErr)
}

func excluded(limit Decimal, op string, ops [2]string) (bool, error) {
	switch {
	case !limit.Present() && op != "":
		return false, fmt.Errorf("the operator %q has no limit", op)
	case !limit.Present() || op == ops[0]:
		return false, nil
	case op == ops[1]:
		return true, nil
	default:
		return false, fmt.Errorf("the operator of %s is %q, not %q", limit, op, ops)
	}
}

func parseOptional(text string) (Decimal, error) {
	if text == "" {
		return Decimal{}, nil
	}
	return ParseDecimal(text)
}
