package biomarker

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/loop-health/loop/internal/loop"
)

// Result is one measured value of one member, as the laboratory reported it.
type Result struct {
	ID         loop.ResultID
	Code       Code
	Comparator Comparator
	Value      Decimal // absent where the result is no number
	Text       string  // what the laboratory wrote where that is no plain number, such as Negative or 1:160
	Unit       string  // UCUM, as it came; one of the biomarker's own; empty where it has none
	Range      Range   // the laboratory's own, in Unit; empty: it brought none
	LOINC      string  // the code that its sender gave; empty: it gave none
	RangeText  string  // the laboratory's interval in its own words, where it wrote any; judges nothing
	Flag       Status  // the laboratory's own; Unset: it brought none
	Source     string  // which laboratory or import, such as quest

	CollectedAt time.Time // when the sample was drawn, in UTC, to the microsecond
	Precision   Precision // how exactly that is known
	ParsedAt    time.Time // when the platform took the result in

	SentBy      loop.ClientID // the app that sent it; empty: it came another way
	RetractedAt time.Time     // when its sender said that it was entered in error; zero: it was not
}

// Precision says how exactly a laboratory gave a time. What is less exact than a
// moment stands for its beginning in UTC.
type Precision string

// The precisions of a time.
const (
	ToTheMoment Precision = ""
	ToTheDay    Precision = "day"
	ToTheMonth  Precision = "month"
	ToTheYear   Precision = "year"
)

// layout is the form in which a time of the precision is written (package time).
func (p Precision) layout() string {
	switch p {
	case ToTheDay:
		return time.DateOnly
	case ToTheMonth:
		return "2006-01"
	case ToTheYear:
		return "2006"
	default:
		return time.RFC3339
	}
}

// Comparator marks a value that was beyond what the method can measure. Empty:
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

// CheckSource checks the name of a laboratory or an import: a ValidationError.
func CheckSource(source string) error {
	if len(source) > maxSourceLength || !sourceForm.MatchString(source) {
		return refuse("source", "A source is a short name in kebab-case, such as quest.")
	}
	return nil
}

// maxTextLength bounds the words of a laboratory, in bytes.
const maxTextLength = 1000

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
	case !r.Range.Ordered():
		return refuse("reference_low", "The lower limit of the range is above the upper one.")
	case r.Flag != Unset && !r.Flag.valid():
		return refuse("status", "A flag is one of %s, or absent.", join(statuses()))
	case CheckSource(r.Source) != nil:
		return CheckSource(r.Source)
	case !validText(r.RangeText):
		return refuse("reference_text", "A text has at most %d bytes of UTF-8, without control characters.", maxTextLength)
	case r.CollectedAt.Before(earliest) || r.CollectedAt.After(r.ParsedAt):
		return refuse("collected_at", "A sample is drawn after 1900 and before its result arrives.")
	}
	return b.validateValue(r)
}

// validateValue checks value and unit of a result.
func (b *Biomarker) validateValue(r *Result) error {
	switch {
	case !r.Value.Present() && r.Text == "":
		return refuse("value", "The result has no value.")
	case !r.Comparator.valid():
		return refuse("value_comparator", "A comparator is one of <, <=, > and >=, or absent.")
	case !r.Value.Present() && r.Comparator != Exactly:
		return refuse("value_comparator", "A comparator needs a number as value.")
	case !validText(r.Text):
		return refuse("value_text", "A text has at most %d bytes of UTF-8, without control characters.", maxTextLength)
	case !b.Kind.numeric() && r.Value.Present():
		return refuse("value", "Results of %s are no numbers. Send the laboratory's word as value_text.", b.Code)
	case b.Kind == Titre && r.Value.Present() && !dilutionForm.MatchString(r.Value.String()):
		return refuse("value", "A titre is a dilution of 1 to N: a whole number from 1 on.")
	case b.Kind == Quantity && r.Value.Present() && r.Text != "":
		return refuse("value_text", "A result of %s has either a number or a text.", b.Code)
	case b.Kind.numeric() && !b.measuredIn(r.Unit) && (r.Unit != "" || r.Value.Present()):
		return refuse("unit", "This is no unit of %s. Its units are %s.", b.Code, join(b.units()))
	case !b.Kind.numeric() && r.Unit != "":
		return refuse("unit", "Results of %s have no unit.", b.Code)
	}
	return nil
}

func validText(text string) bool {
	return len(text) <= maxTextLength && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}
