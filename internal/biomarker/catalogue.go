package biomarker

import (
	_ "embed" // the catalogue itself
	"encoding/csv"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

//go:embed catalogue.csv
var catalogueCSV string

// columns of the catalogue, in order. A biomarker has one row for any sex, or
// one per sex where its interval differs.
const columns = "code,name,category,loinc,unit,alt_units,sex,ref_low,ref_high,critical_low,critical_high,decimals,source,note"

// The fields of a row.
const (
	colCode = iota
	colName
	colCategory
	colLOINC
	colUnit
	colAlternatives
	colSex
	colRefLow
	colRefHigh
	colCriticalLow
	colCriticalHigh
	colDecimals
	colSource
	colNote
	columnCount
)

// Catalogue is every biomarker that the platform knows. It does not change
// once it is made.
type Catalogue struct {
	byCode  map[Code]*Biomarker
	ordered []*Biomarker
}

// NewCatalogue reads the catalogue that is compiled in. An error means that
// this build is broken.
func NewCatalogue() (*Catalogue, error) { return parseCatalogue(catalogueCSV) }

// Find gives the biomarker with the code.
func (c *Catalogue) Find(code Code) (*Biomarker, bool) {
	b, ok := c.byCode[code]
	return b, ok
}

// All goes through the biomarkers in the catalogue's order.
func (c *Catalogue) All() iter.Seq[*Biomarker] { return slices.Values(c.ordered) }

// In lists the codes of a category, in the catalogue's order; none for a
// category that does not exist.
func (c *Catalogue) In(category Category) []Code {
	var codes []Code
	for _, b := range c.ordered {
		if b.Category == category {
			codes = append(codes, b.Code)
		}
	}
	return codes
}

func parseCatalogue(text string) (*Catalogue, error) {
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = columnCount
	rows, err := reader.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	if len(rows) == 0 || strings.Join(rows[0], ",") != columns {
		return nil, fmt.Errorf("reading the catalogue: its columns are not %s", columns)
	}
	c := &Catalogue{byCode: make(map[Code]*Biomarker)}
	for i, row := range rows[1:] {
		if err := c.add(row); err != nil {
			return nil, fmt.Errorf("reading the catalogue, row %d (%s): %w", i+2, row[colCode], err)
		}
	}
	return c, nil
}

// add takes in a row: a new biomarker, or one more interval of the last one.
func (c *Catalogue) add(row []string) error {
	b, err := parseBiomarker(row)
	if err != nil {
		return err
	}
	known, ok := c.byCode[b.Code]
	if !ok {
		c.byCode[b.Code] = b
		c.ordered = append(c.ordered, b)
		return nil
	}
	return known.addInterval(b, c.ordered[len(c.ordered)-1])
}

// addInterval joins the rows of one biomarker. They stand together, agree on
// everything but the interval, and are one per sex: never any beside them.
func (b *Biomarker) addInterval(row, last *Biomarker) error {
	interval := row.Intervals[0]
	switch {
	case b != last:
		return fmt.Errorf("the rows of one code do not stand together")
	case b.Name != row.Name || b.Category != row.Category || b.LOINC != row.LOINC || b.Unit != row.Unit ||
		b.Decimals != row.Decimals || !slices.Equal(b.Alternatives, row.Alternatives):
		return fmt.Errorf("the rows of one code differ in more than their interval")
	case interval.Sex == "" || b.Intervals[0].Sex == "":
		return fmt.Errorf("a row for any sex stands beside another")
	case slices.ContainsFunc(b.Intervals, func(other Interval) bool { return other.Sex == interval.Sex }):
		return fmt.Errorf("two rows for one sex")
	}
	b.Intervals = append(b.Intervals, interval)
	return nil
}

var (
	codeForm  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	loincForm = regexp.MustCompile(`^[0-9]{3,5}-[0-9]$`)
	unitForm  = regexp.MustCompile(`^[!-~]{1,30}$`)
	sexes     = map[string]loop.Sex{"any": "", "female": loop.Female, "male": loop.Male}
)

func parseBiomarker(row []string) (*Biomarker, error) {
	interval, err := parseInterval(row)
	if err != nil {
		return nil, err
	}
	alternatives, err := parseAlternatives(row[colAlternatives])
	if err != nil {
		return nil, err
	}
	decimals, err := strconv.Atoi(row[colDecimals])
	switch {
	case err != nil || decimals < 0 || decimals > 4:
		return nil, fmt.Errorf("decimals are not 0 to 4")
	case !codeForm.MatchString(row[colCode]):
		return nil, fmt.Errorf("the code is not in kebab-case")
	case row[colName] == "" || row[colSource] == "":
		return nil, fmt.Errorf("name or source is missing")
	case !slices.Contains(categories(), Category(row[colCategory])):
		return nil, fmt.Errorf("unknown category %q", row[colCategory])
	case row[colLOINC] != "" && !validLOINC(row[colLOINC]):
		return nil, fmt.Errorf("%q is not a LOINC code", row[colLOINC])
	case !unitForm.MatchString(row[colUnit]):
		return nil, fmt.Errorf("%q is not a unit", row[colUnit])
	}
	return &Biomarker{
		Code: Code(row[colCode]), Name: row[colName], Category: Category(row[colCategory]), LOINC: row[colLOINC],
		Unit: row[colUnit], Decimals: decimals, Alternatives: alternatives, Intervals: []Interval{interval},
	}, nil
}

// validLOINC checks the form and the check digit (mod 10, doubling every other
// digit from the right).
func validLOINC(code string) bool {
	if !loincForm.MatchString(code) {
		return false
	}
	digits, check, _ := strings.Cut(code, "-")
	sum := 0
	for i := range len(digits) {
		digit := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			digit = digit*2/10 + digit*2%10
		}
		sum += digit
	}
	return int(check[0]-'0') == (10-sum%10)%10
}

func parseInterval(row []string) (Interval, error) {
	sex, ok := sexes[row[colSex]]
	if !ok {
		return Interval{}, fmt.Errorf("the sex is not one of %v", slices.Sorted(maps.Keys(sexes)))
	}
	reference, err := parseRange(row[colRefLow], row[colRefHigh])
	if err != nil {
		return Interval{}, err
	}
	critical, err := parseRange(row[colCriticalLow], row[colCriticalHigh])
	if err != nil {
		return Interval{}, err
	}
	interval := Interval{Sex: sex, Reference: reference, Critical: critical}
	return interval, interval.check()
}

// check makes sure that from low to high a value passes the limits in this
// order: critical low, reference low, reference high, critical high.
func (i Interval) check() error {
	if i.Reference.Empty() && !i.Critical.Empty() {
		return fmt.Errorf("critical limits without a reference interval")
	}
	var ascending []Decimal
	for _, limit := range []Decimal{i.Critical.Low, i.Reference.Low, i.Reference.High, i.Critical.High} {
		if limit.Present() {
			ascending = append(ascending, limit)
		}
	}
	for k := 1; k < len(ascending); k++ {
		if ascending[k-1].Compare(ascending[k]) >= 0 {
			return fmt.Errorf("the limits are not in ascending order: %v", ascending)
		}
	}
	return nil
}

func parseRange(low, high string) (Range, error) {
	var r Range
	var err error
	if r.Low, err = parseOptional(low); err != nil {
		return Range{}, err
	}
	r.High, err = parseOptional(high)
	return r, err
}

func parseOptional(text string) (Decimal, error) {
	if text == "" {
		return Decimal{}, nil
	}
	return ParseDecimal(text)
}

// parseAlternatives reads UNIT=factor, separated by semicolons.
func parseAlternatives(text string) ([]Alternative, error) {
	if text == "" {
		return nil, nil
	}
	var list []Alternative
	for part := range strings.SplitSeq(text, ";") {
		unit, factor, _ := strings.Cut(part, "=")
		number, err := ParseDecimal(factor)
		if err != nil || !unitForm.MatchString(unit) || number.Compare(Decimal{"0"}) <= 0 {
			return nil, fmt.Errorf("%q is not UNIT=factor", part)
		}
		if slices.ContainsFunc(list, func(a Alternative) bool { return a.Unit == unit }) {
			return nil, fmt.Errorf("the unit %s is there twice", unit)
		}
		list = append(list, Alternative{unit, number})
	}
	return list, nil
}
