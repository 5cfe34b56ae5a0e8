package biomarker

import (
	"math/big"

	"github.com/loop-health/loop/internal/loop"
)

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
		"immunology", "infections", "blood-group",
	}
}

// Kind says what a biomarker's results are.
type Kind string

// The kinds of a biomarker. Only quantities and titres have a unit.
const (
	Quantity Kind = "quantity" // a number with a unit
	Titre    Kind = "titre"    // a dilution of 1:N; the value is N
	Ordinal  Kind = "ordinal"  // a step of an ordered scale, such as 2+
	Nominal  Kind = "nominal"  // one of several without an order, such as a blood group
	Text     Kind = "text"     // the laboratory's own words
)

// numeric reports whether results of the kind are numbers with a unit.
func (k Kind) numeric() bool { return k == Quantity || k == Titre }

// Biomarker is an entry of the catalogue: what is measured, and in which units.
type Biomarker struct {
	Code     Code
	Name     string
	Category Category
	Kind     Kind
	Family   string // which spellings of units may be used for it

	Measure              // in conventional units, which limits and conversions start from
	SI           Measure // in SI units; the same unit where countries with SI units use it too
	ToSI         Conversion
	Alternatives []Alternative

	Scale  *Scale   // of an ordinal or nominal one; nil: none
	Normal []string // the values of the scale that count as normal

	Intervals []Interval
	ofAnyAge  map[loop.Sex][]Interval // those that may hold where the age is not known
}

// Measure is one of a biomarker's two main units. Everything is empty where the
// biomarker has no unit.
type Measure struct {
	LOINC    string // of this analyte with this unit's property; empty where none was confirmed
	Unit     string // UCUM
	Display  string // the unit as people write it; empty: none is shown
	Decimals int    // places that a value is shown with once it was converted
}

// Conversion is exact: to = from × Factor + Offset.
type Conversion struct{ Factor, Offset *big.Rat }

// Alternative is another unit in which a result may arrive:
// value in it = value in the biomarker's unit × Factor.
type Alternative struct {
	Unit   string
	Factor *big.Rat
}

// Interval is what the catalogue holds a value against, for one sex and one band
// of ages.
type Interval struct {
	Sex         loop.Sex // empty: both
	Ages        Ages
	Reference   Range // in the biomarker's unit; empty: the status stays unset
	SIReference Range // the same in its SI unit, as it is published there
	Critical    Range // alarm values in the biomarker's unit: at most Low, at least High
	Source      string
}

// Ages is a band of ages in whole years.
type Ages struct {
	From  int // included
	Below int // excluded; 0: no limit
}

// unlimited reports whether every age is in the band.
func (a Ages) unlimited() bool { return a == Ages{} }

func (a Ages) holds(age int) bool { return age >= a.From && (a.Below == 0 || age < a.Below) }

func (a Ages) overlap(other Ages) bool {
	return (a.Below == 0 || other.From < a.Below) && (other.Below == 0 || a.From < other.Below)
}
