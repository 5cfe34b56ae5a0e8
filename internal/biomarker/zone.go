package biomarker

import "math/big"

// limits is what a result is held against. The reference may be in another unit
// than the alarms: a laboratory's own digits are compared in its unit, alarms in
// the catalogue's.
type limits struct {
	reference Range
	critical  Range
	// toReference and toCritical give a value as the reference and the alarms
	// measure it; nil: as it is.
	toReference, toCritical func(Decimal) *big.Rat
}

// limitsFor chooses the limits for a result: the laboratory's own interval in the
// result's unit; without one, the catalogue's in its conventional or its SI unit,
// whichever the result is in, else in the conventional one after conversion.
func (b *Biomarker) limitsFor(r *Result, interval Interval) limits {
	l := limits{reference: interval.Reference, critical: interval.Critical}
	if r.Unit == b.Unit {
		if !r.Range.Empty() {
			l.reference = r.Range
		}
		return l
	}
	convert := func(value Decimal) *big.Rat { return b.toOwn(value, r.Unit) }
	l.toCritical = convert
	switch {
	case !r.Range.Empty():
		l.reference = r.Range
	case r.Unit == b.SI.Unit:
		l.reference = interval.SIReference
	default:
		l.toReference = convert
	}
	return l
}

// zoneOf finds the one zone of every value that the result can stand for; not
// sure where they differ or there is no interval.
func (l limits) zoneOf(r *Result) (zone, bool) {
	if l.reference.Empty() || !r.Value.Present() {
		return 0, false
	}
	smallest, largest := r.span(l.reference.reachesBelowZero() || l.critical.reachesBelowZero())
	// From the smallest to the largest value the zones follow each other in
	// order, so where the ends lie in one, everything between does.
	zone := l.zone(smallest)
	return zone, zone == l.zone(largest)
}

// zone numbers the stretches that the limits cut the numbers into.
type zone int

const (
	alarmLow zone = iota
	below
	within
	above
	alarmHigh
)

func (z zone) status() (Status, Direction) {
	switch z {
	case alarmLow:
		return Critical, CriticallyLow
	case below:
		return Low, ""
	case above:
		return High, ""
	case alarmHigh:
		return Critical, CriticallyHigh
	default:
		return Normal, ""
	}
}

// zone finds where a point lies. A value inside the laboratory's own interval is
// never an alarm: the catalogue's critical limits count outside of it, and on a
// side where it has no limit.
func (l limits) zone(p point) zone {
	measured, alarmed := p.as(l.toReference), p.as(l.toCritical)
	tooLow, tooHigh := l.reference.below(measured), l.reference.above(measured)
	alarmingLow, alarmingHigh := l.critical.alarmsLow(alarmed), l.critical.alarmsHigh(alarmed)
	switch {
	case tooLow && alarmingLow:
		return alarmLow
	case tooLow:
		return below
	case tooHigh && alarmingHigh:
		return alarmHigh
	case tooHigh:
		return above
	case alarmingLow && !l.reference.Low.Present():
		return alarmLow
	case alarmingHigh && !l.reference.High.Present():
		return alarmHigh
	default:
		return within
	}
}

// point is an end of what a result can stand for: a number, or what lies just
// beside it, or endlessly far.
type point struct {
	value   Decimal
	exact   *big.Rat // the value after conversion; nil: it is as it was reported
	beside  int      // -1: just below the value, +1: just above it
	endless int      // -1 or +1: beyond every number on that side
}

// as gives the point in the unit that convert leads to. No conversion turns the
// order around.
func (p point) as(convert func(Decimal) *big.Rat) point {
	if convert != nil && p.endless == 0 {
		p.exact = convert(p.value)
	}
	return p
}

func (p point) compare(limit Decimal) int {
	if p.endless != 0 {
		return p.endless
	}
	if c := p.compareValue(limit); c != 0 {
		return c
	}
	return p.beside
}

func (p point) compareValue(limit Decimal) int {
	if p.exact != nil {
		return p.exact.Cmp(limit.rat())
	}
	return p.value.Compare(limit)
}

// span gives the ends of what a result can stand for. <5 reaches down to zero,
// not below it, unless a limit shows that the quantity can be negative.
func (r *Result) span(canBeNegative bool) (smallest, largest point) {
	floor := point{value: Decimal{"0"}}
	if canBeNegative || r.Value.Negative() {
		floor = point{endless: -1}
	}
	at, endlessly := point{value: r.Value}, point{endless: +1}
	switch r.Comparator {
	case Below:
		return floor, point{value: r.Value, beside: -1}
	case AtMost:
		return floor, at
	case Above:
		return point{value: r.Value, beside: +1}, endlessly
	case AtLeast:
		return at, endlessly
	default:
		return at, at
	}
}
