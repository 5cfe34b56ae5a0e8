package biomarker

import (
	"slices"

	"github.com/loop-health/loop/internal/loop"
)

// Status says where a value lies. It is decided when a result is read, never
// stored: it depends on the member's recorded sex and on the catalogue, both of
// which can be corrected after the result has come in.
type Status string

// The statuses of a result.
const (
	Unset    Status = "" // no interval, or none that is sure
	Low      Status = "low"
	Normal   Status = "normal"
	High     Status = "high"
	Critical Status = "critical"
)

// statuses lists what a filter or a laboratory's flag can name.
func statuses() []Status { return []Status{Low, Normal, High, Critical} }

func (s Status) valid() bool { return slices.Contains(statuses(), s) }

// Judgement is a result's status and the interval that it follows from.
type Judgement struct {
	Reference Range // empty: none
	Status    Status
}

// Judge holds a result against the laboratory's own interval, or, where it
// brought none, against the catalogue's for the member's sex. The laboratory's
// flag, where it brought one, is the status: it stands for the laboratory's
// method and population, and the catalogue only fills gaps.
//
// Where the sex is not known and the interval depends on it, nothing is
// guessed: the status is set only where both sexes have the same.
func (b *Biomarker) Judge(r *Result, sex loop.Sex) Judgement {
	var judged Judgement
	for i, interval := range b.intervalsFor(sex) {
		if !r.Range.Empty() {
			interval.Reference = r.Range
		}
		one := Judgement{Reference: interval.Reference, Status: interval.status(r)}
		if i == 0 {
			judged = one
			continue
		}
		if one.Reference != judged.Reference {
			judged.Reference = Range{}
		}
		if one.Status != judged.Status {
			judged.Status = Unset
		}
	}
	if r.Flag != Unset {
		judged.Status = r.Flag
	}
	return judged
}

// intervalsFor lists what may hold for the sex: its own row, else the row for
// any; without either, no interval; and both rows where the sex is not known.
func (b *Biomarker) intervalsFor(sex loop.Sex) []Interval {
	if b.Intervals[0].Sex == "" {
		return b.Intervals
	}
	if sex != loop.Female && sex != loop.Male {
		return []Interval{b.intervalFor(loop.Female), b.intervalFor(loop.Male)}
	}
	return []Interval{b.intervalFor(sex)}
}

func (b *Biomarker) intervalFor(sex loop.Sex) Interval {
	for _, interval := range b.Intervals {
		if interval.Sex == sex {
			return interval
		}
	}
	return Interval{Sex: sex}
}

// status is the one status of every value that the result can stand for; Unset
// where they differ or there is no interval.
func (i Interval) status(r *Result) Status {
	if i.Reference.Empty() {
		return Unset
	}
	smallest, largest := r.span(i.Reference.reachesBelowZero() || i.Critical.reachesBelowZero())
	zone := i.zone(smallest)
	// From the smallest to the largest value the zones follow each other in
	// order, so where the ends lie in one, everything between does.
	if zone != i.zone(largest) {
		return Unset
	}
	return zone.status()
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

func (z zone) status() Status {
	return [...]Status{alarmLow: Critical, below: Low, within: Normal, above: High, alarmHigh: Critical}[z]
}

// zone finds where a point lies. A value inside the laboratory's own interval is
// never an alarm: the catalogue's critical limits count outside of it, and on a
// side where it has no limit.
func (i Interval) zone(p point) zone {
	tooLow := i.Reference.Low.Present() && p.compare(i.Reference.Low) < 0
	tooHigh := i.Reference.High.Present() && p.compare(i.Reference.High) > 0
	alarmingLow := i.Critical.Low.Present() && p.compare(i.Critical.Low) <= 0
	alarmingHigh := i.Critical.High.Present() && p.compare(i.Critical.High) >= 0
	switch {
	case tooLow && alarmingLow:
		return alarmLow
	case tooLow:
		return below
	case tooHigh && alarmingHigh:
		return alarmHigh
	case tooHigh:
		return above
	case alarmingLow && !i.Reference.Low.Present():
		return alarmLow
	case alarmingHigh && !i.Reference.High.Present():
		return alarmHigh
	default:
		return within
	}
}

// point is an end of what a result can stand for: a number, or what lies just
// beside it, or endlessly far.
type point struct {
	value   Decimal
	beside  int // -1: just below the value, +1: just above it
	endless int // -1 or +1: beyond every number on that side
}

func (p point) compare(limit Decimal) int {
	if p.endless != 0 {
		return p.endless
	}
	if c := p.value.Compare(limit); c != 0 {
		return c
	}
	return p.beside
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
