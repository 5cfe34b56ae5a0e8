package biomarker

import "github.com/loop-health/loop/internal/loop"

// Code is the stable key of a biomarker, such as testosterone-total. It is
// never renamed and never reused.
type Code string

// Category groups biomarkers, such as lipids.
type Category string

// categories lists every category, in the catalogue's order.
func categories() []Category {
	return []Category{
		"lipids", "metabolic", "thyroid", "hormones", "liver", "kidney", "electrolytes", "haematology",
		"coagulation", "iron", "vitamins", "inflammation", "cardiac", "tumour-markers", "urine",
	}
}

// Biomarker is an entry of the catalogue: what is measured, and in which unit.
type Biomarker struct {
	Code     Code
	Name     string
	Category Category
	LOINC    string // of this analyte in this unit's property; empty where none was confirmed
	Unit     string // UCUM; every value is stored in it
	Decimals int    // places that a value is usually given with; rounding is for display only

	Alternatives []Alternative
	Intervals    []Interval
}

// Alternative is another unit in which a result may be told:
// value in the alternative = value in the biomarker's unit × factor.
type Alternative struct {
	Unit   string
	Factor Decimal
}

// Interval is what the catalogue holds a value against, for one sex or, where
// Sex is empty, for both.
type Interval struct {
	Sex       loop.Sex
	Reference Range // both ends inside it; empty: the status stays unset
	Critical  Range // alarm values, both ends inside the alarm: at most Low, at least High
}

// Range is two limits, either of which may be absent.
type Range struct {
	Low, High Decimal
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
