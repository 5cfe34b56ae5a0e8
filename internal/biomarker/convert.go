package biomarker

import (
	"math/big"
	"slices"
)

// System is a system of units.
type System string

// The systems of units.
const (
	Conventional System = "conventional" // as laboratories in the United States report
	SI           System = "si"
)

// systems lists every system of units.
func systems() []System { return []System{Conventional, SI} }

// In gives the biomarker's measure in a system of units.
func (b *Biomarker) In(system System) Measure {
	if system == SI {
		return b.SI
	}
	return b.Measure
}

func (c Conversion) equal(other Conversion) bool {
	return sameNumber(c.Factor, other.Factor) && sameNumber(c.Offset, other.Offset)
}

func (a Alternative) equal(other Alternative) bool {
	return a.Unit == other.Unit && sameNumber(a.Factor, other.Factor)
}

func sameNumber(a, b *big.Rat) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Cmp(b) == 0
}

// measuredIn reports whether results of the biomarker may be in a unit.
func (b *Biomarker) measuredIn(unit string) bool {
	return slices.Contains(b.units(), unit)
}

// units lists the units in which the biomarker's results may arrive.
func (b *Biomarker) units() []string {
	units := []string{b.Unit}
	if b.SI.Unit != b.Unit {
		units = append(units, b.SI.Unit)
	}
	for _, a := range b.Alternatives {
		units = append(units, a.Unit)
	}
	return units
}

// toOwn converts a value in one of the biomarker's units to its conventional
// one, exactly.
func (b *Biomarker) toOwn(value Decimal, unit string) *big.Rat {
	number := value.rat()
	switch unit {
	case b.Unit:
		return number
	case b.SI.Unit:
		number.Sub(number, b.ToSI.Offset)
		return number.Quo(number, b.ToSI.Factor)
	}
	for _, a := range b.Alternatives {
		if a.Unit == unit {
			return number.Quo(number, a.Factor)
		}
	}
	return number
}

// inUnit converts a value from one of the biomarker's units into another, exactly.
func (b *Biomarker) inUnit(value Decimal, from, to string) *big.Rat {
	number := b.toOwn(value, from)
	switch to {
	case b.Unit:
		return number
	case b.SI.Unit:
		number.Mul(number, b.ToSI.Factor)
		return number.Add(number, b.ToSI.Offset)
	}
	for _, a := range b.Alternatives {
		if a.Unit == to {
			return number.Mul(number, a.Factor)
		}
	}
	return number
}

// convertValue converts a value for display. A value that is in the unit already
// keeps the laboratory's digits; else it has the places of the system's unit, and
// more where a small value would lose its digits. It is rounded half away from zero,
// a bound so that it stays true: an upper one up, a lower one down.
func (b *Biomarker) convertValue(r *Result, system System) Decimal {
	measure := b.In(system)
	if !r.Value.Present() || r.Unit == measure.Unit {
		return r.Value
	}
	number := b.inUnit(r.Value, r.Unit, measure.Unit)
	places := placesFor(number, measure.Decimals, min(keptDigits, r.Value.significant()))
	switch r.Comparator {
	case Below, AtMost:
		return decimalOf(roundTowards(number, places, +1))
	case Above, AtLeast:
		return decimalOf(roundTowards(number, places, -1))
	default:
		return decimalOf(number.FloatString(places))
	}
}

const (
	keptDigits = 2 // of a converted value, at least, where the laboratory gave as many
	mostPlaces = 8
)

// placesFor gives how many places a number is shown with: as many as usual, and more
// where it would show fewer digits than are to be kept.
func placesFor(number *big.Rat, usual, kept int) int {
	places := usual
	for places < mostPlaces && decimalOf(number.FloatString(places)).significant() < kept {
		places++
	}
	return places
}

// convertRange converts limits for display: an included limit to the nearest
// shown number, an excluded one away from what is normal.
func (b *Biomarker) convertRange(r Range, unit string, system System) Range {
	measure := b.In(system)
	if r.Empty() || unit == measure.Unit {
		return r
	}
	convert := func(limit Decimal, excluded bool, away int) Decimal {
		if !limit.Present() {
			return limit
		}
		number := b.inUnit(limit, unit, measure.Unit)
		places := placesFor(number, measure.Decimals, min(1, limit.significant()))
		if excluded {
			return decimalOf(roundTowards(number, places, away))
		}
		return decimalOf(number.FloatString(places))
	}
	r.Low, r.High = convert(r.Low, r.LowExcluded, -1), convert(r.High, r.HighExcluded, +1)
	return r
}

// roundTowards writes a number with so many places, rounded down (-1) or up (+1).
func roundTowards(number *big.Rat, places, direction int) string {
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	scaled := new(big.Rat).Mul(number, scale)
	whole, rest := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int)) // rounded down
	if direction > 0 && rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), scale).FloatString(places)
}
