package biomarker

import "slices"

// Status says where a value lies. It is decided when a result is read, never
// stored: it depends on the member's recorded sex and birth date and on the
// catalogue, all of which can be corrected after the result has come in.
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

// Rule says what a status follows from.
type Rule string

// The rules, the strongest first.
const (
	NoRule             Rule = "" // the status is unset
	LaboratoryFlag     Rule = "laboratory_flag"
	LaboratoryInterval Rule = "laboratory_interval"
	CatalogueInterval  Rule = "catalogue_interval"
	CatalogueCritical  Rule = "catalogue_critical"
	CatalogueValues    Rule = "catalogue_values" // the values of a scale that count as normal
)

// Direction is the side of a critical value.
type Direction string

// The sides of a critical value; empty: the laboratory's flag does not say.
const (
	CriticallyLow  Direction = "low"
	CriticallyHigh Direction = "high"
)

// Judgement is a result's status and what it follows from.
type Judgement struct {
	Status    Status
	Direction Direction // of a critical value
	Rule      Rule
	// Interval is the catalogue's row that was used. Where the laboratory brought an
	// interval of its own, that stands in its place and this is empty.
	Interval Interval
}

// Judge holds a result against the laboratory's own interval, or, where it
// brought none, against the catalogue's for the person. The laboratory's flag,
// where it brought one, is the status: it stands for the laboratory's method and
// population, and the catalogue only fills gaps.
//
// Where sex or age are not known and the interval depends on them, nothing is
// guessed: the status is set only where all rows that could hold agree.
func (b *Biomarker) Judge(r *Result, person Person) Judgement {
	var judged Judgement
	for i, interval := range b.intervalsFor(person, r.CollectedAt) {
		one := b.judge(r, interval)
		if i == 0 {
			judged = one
			continue
		}
		if one.Interval.Reference != judged.Interval.Reference {
			judged.Interval = Interval{}
		}
		if one.Status != judged.Status || one.Direction != judged.Direction {
			judged.Status, judged.Direction, judged.Rule = Unset, "", NoRule
		}
	}
	if r.Flag != Unset {
		judged.Direction = judged.sideOf(r.Flag)
		judged.Status, judged.Rule = r.Flag, LaboratoryFlag
	}
	return judged
}

// sideOf gives the side of a value that the laboratory flagged as critical, as far
// as the limits show it.
func (j Judgement) sideOf(flag Status) Direction {
	switch {
	case flag != Critical:
		return ""
	case j.Status == Low:
		return CriticallyLow
	case j.Status == High:
		return CriticallyHigh
	default:
		return j.Direction
	}
}

// judge holds a result against one row of the catalogue, or against the
// laboratory's interval with the row's critical limits.
func (b *Biomarker) judge(r *Result, interval Interval) Judgement {
	limits := b.limitsFor(r, interval)
	own := !r.Range.Empty()
	if own {
		interval = Interval{}
	}
	judged := Judgement{Interval: interval}
	if slices.Contains(b.Normal, b.scaleValue(r)) {
		return Judgement{Status: Normal, Rule: CatalogueValues}
	}
	zone, sure := limits.zoneOf(r)
	if !sure {
		return judged
	}
	judged.Status, judged.Direction = zone.status()
	switch {
	case judged.Status == Critical:
		judged.Rule = CatalogueCritical
	case own:
		judged.Rule = LaboratoryInterval
	default:
		judged.Rule = CatalogueInterval
	}
	return judged
}
