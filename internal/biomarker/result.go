package biomarker

import (
	"regexp"
	"slices"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Result is one measured value of one member, as the laboratory reported it.
type Result struct {
	ID         loop.ResultID
	Code       Code
	Comparator Comparator
	Value      Decimal
	Unit       string // UCUM, as it came; one of the biomarker's own
	Range      Range  // the laboratory's own, in Unit; empty: it brought none
	Flag       Status // the laboratory's own; Unset: it brought none
	Source     string // which laboratory or import, such as quest

	CollectedAt time.Time // when the sample was drawn, in UTC, to the microsecond
	ParsedAt    time.Time // when the platform took the result in
}

// Comparator tells a value that was beyond what the method can measure. Empty:
// the value is exact.
type Comparator string

// The comparators of a result.
const (
	Exactly Comparator = ""
	Below   Comparator = "<"
	AtMost  Comparator = "<="
	Above   Comparator = ">"
	AtLeast Comparator = ">="
)

func (c Comparator) valid() bool {
	return slices.Contains([]Comparator{Exactly, Below, AtMost, Above, AtLeast}, c)
}

// earliest is the beginning of what can be a laboratory's date.
var earliest = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

var sourceForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

const maxSourceLength = 40

// Validate checks a result before it is stored: a ValidationError that names
// the field. A unit that is none of the biomarker's own is refused, never passed
// through.
func (c *Catalogue) Validate(r *Result) error {
	b, known := c.Find(r.Code)
	switch {
	case !r.ID.Valid():
		return refuse("id", "The result has no valid id.")
	case !known:
		return refuse("biomarker_code", "There is no biomarker with this code.")
	case !r.Value.Present():
		return refuse("value", "The result has no value.")
	case !r.Comparator.valid():
		return refuse("value_comparator", "A comparator is one of <, <=, > and >=, or absent.")
	case !b.Kind.numeric():
		return refuse("value", "Results of %s are not numbers, and such results are not taken in yet.", b.Code)
	case !b.measuredIn(r.Unit):
		return refuse("unit", "This is no unit of %s. Its units are %s.", b.Code, join(b.units()))
	case !r.Range.Ordered():
		return refuse("reference_low", "The lower limit of the range is above the upper one.")
	case r.Flag != Unset && !r.Flag.valid():
		return refuse("status", "A flag is one of %s, or absent.", join(statuses()))
	case len(r.Source) > maxSourceLength || !sourceForm.MatchString(r.Source):
		return refuse("source", "A source is a short name in kebab-case, such as quest.")
	case r.CollectedAt.Before(earliest) || r.CollectedAt.After(r.ParsedAt):
		return refuse("collected_at", "A sample is drawn after 1900 and before its result arrives.")
	}
	return nil
}
