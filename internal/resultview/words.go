package resultview

import (
	"time"

	"github.com/loop-health/loop/internal/biomarker"
	"github.com/loop-health/loop/internal/locale"
)

// Words says in a language what results are.
type Words struct{ *locale.Language }

// Name is what a biomarker is called.
func (w Words) Name(b *biomarker.Biomarker) string { return w.Text("biomarker." + string(b.Code)) }

// Value writes a result as the laboratory reported it: its digits or its words, and its
// unit as people write it; empty where none is shown.
func (w Words) Value(r *biomarker.Judged) (value, unit string) {
	if r.Text != "" {
		return r.Text, ""
	}
	return w.comparator(r.Comparator) + w.Decimal(r.Value.String()), r.Biomarker.DisplayOf(r.Unit)
}

// OneLine is Value with the unit behind it.
func (w Words) OneLine(r *biomarker.Judged) string {
	value, unit := w.Value(r)
	return withUnit(value, unit)
}

func withUnit(value, unit string) string {
	if unit == "" {
		return value
	}
	return value + " " + unit
}

func (w Words) comparator(c biomarker.Comparator) string {
	switch c {
	case biomarker.Exactly:
		return ""
	case biomarker.AtMost:
		return "≤ "
	case biomarker.AtLeast:
		return "≥ "
	default:
		return string(c) + " "
	}
}

// Range writes the interval that a result was held against, with its unit where that is
// not the result's; else the laboratory's own words for it. Empty: there is none.
func (w Words) Range(r *biomarker.Judged) string {
	if !r.Value.Present() {
		return r.RangeText
	}
	shown := r.Reported()
	limits, unit := shown.Reference, shown.Unit
	if limits.Empty() && r.RangeText == "" {
		limits, unit = r.Interval.Reference, r.Biomarker.Unit
	}
	if limits.Empty() {
		return r.RangeText
	}
	if unit == r.Unit {
		return w.limits(limits)
	}
	return withUnit(w.limits(limits), r.Biomarker.DisplayOf(unit))
}

func (w Words) limits(r biomarker.Range) string {
	low, high := w.Decimal(r.Low.String()), w.Decimal(r.High.String())
	switch {
	case !r.Low.Present() && r.HighExcluded:
		return w.Text("results.range.below", high)
	case !r.Low.Present():
		return w.Text("results.range.up_to", high)
	case !r.High.Present() && r.LowExcluded:
		return w.Text("results.range.above", low)
	case !r.High.Present():
		return w.Text("results.range.from", low)
	case r.LowExcluded && r.HighExcluded:
		return w.Text("results.range.between", low, high)
	case r.LowExcluded:
		return w.Text("results.range.above_up_to", low, high)
	case r.HighExcluded:
		return w.Text("results.range.from_below", low, high)
	default:
		return low + "–" + high
	}
}

// When writes when the sample was drawn, as exactly as the laboratory said it, and at
// most to the day.
func (w Words) When(r *biomarker.Judged) string { return date(r, w.Day, w.Month) }

// shortWhen is When where there is little room.
func (w Words) shortWhen(r *biomarker.Judged) string { return date(r, w.ShortDay, w.ShortMonth) }

func date(r *biomarker.Judged, day, month func(time.Time) string) string {
	switch r.Precision {
	case biomarker.ToTheMonth:
		return month(r.CollectedAt)
	case biomarker.ToTheYear:
		return r.CollectedAt.Format("2006")
	default:
		return day(r.CollectedAt)
	}
}

// Status writes where the value lies; empty where that is not known.
func (w Words) Status(r *biomarker.Judged) string {
	switch {
	case r.Status == biomarker.Low:
		return w.Text("results.status.low")
	case r.Status == biomarker.Normal:
		return w.Text("results.status.normal")
	case r.Status == biomarker.High:
		return w.Text("results.status.high")
	case r.Status == biomarker.Critical && r.Direction == biomarker.CriticallyLow:
		return w.Text("results.status.critically_low")
	case r.Status == biomarker.Critical && r.Direction == biomarker.CriticallyHigh:
		return w.Text("results.status.critically_high")
	case r.Status == biomarker.Critical:
		return w.Text("results.status.critical")
	default:
		return ""
	}
}
