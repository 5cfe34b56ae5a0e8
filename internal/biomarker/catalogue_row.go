package biomarker

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// columns of the catalogue, in order. A biomarker has one row, or several that
// stand together and differ in sex, ages and limits.
var columns = strings.Split("code,name,category,kind,unit_family,loinc,unit,unit_display,decimals,"+
	"si_loinc,si_unit,si_unit_display,si_decimals,si_factor,si_offset,alt_units,scale,normal_values,"+
	"sex,age_from,age_below,ref_low,ref_low_op,ref_high,ref_high_op,si_ref_low,si_ref_high,si_limits,"+
	"critical_low,critical_low_op,critical_high,critical_high_op,confirmed,source,note", ",")

var (
	codeForm  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	loincForm = regexp.MustCompile(`^[0-9]{3,5}-[0-9]$`)
	unitForm  = regexp.MustCompile(`^[!-~]{1,30}$`)
	sexes     = map[string]loop.Sex{"any": "", "female": loop.Female, "male": loop.Male}
	kinds     = []Kind{Quantity, Titre, Ordinal, Nominal, Text}
)

func (r row) biomarker(scales map[string]*Scale) (*Biomarker, error) {
	switch {
	case !codeForm.MatchString(r["code"]):
		return nil, fmt.Errorf("the code is not in kebab-case")
	case r["name"] == "" || r["source"] == "":
		return nil, fmt.Errorf("name or source is missing")
	case !slices.Contains(categories(), Category(r["category"])):
		return nil, fmt.Errorf("unknown category %q", r["category"])
	case !slices.Contains(kinds, Kind(r["kind"])):
		return nil, fmt.Errorf("unknown kind %q", r["kind"])
	}
	b := &Biomarker{
		Code: Code(r["code"]), Name: r["name"], Category: Category(r["category"]), Kind: Kind(r["kind"]),
		Family: r["unit_family"], Scale: scales[r["scale"]], Normal: r.list("normal_values"),
	}
	if err := r.checkScale(b); err != nil {
		return nil, err
	}
	if err := r.measures(b); err != nil {
		return nil, err
	}
	interval, err := r.interval()
	if err != nil {
		return nil, err
	}
	b.Intervals = []Interval{interval}
	return b, nil
}

// checkScale makes sure that a scale exists and has the values that count as normal.
func (r row) checkScale(b *Biomarker) error {
	if r["scale"] != "" && b.Scale == nil {
		return fmt.Errorf("there is no scale %s", r["scale"])
	}
	for _, value := range b.Normal {
		if b.Scale == nil || !slices.Contains(b.Scale.Values, value) {
			return fmt.Errorf("the scale has no value %q", value)
		}
	}
	return nil
}

// measures reads the units, their codes and how one converts into another.
func (r row) measures(b *Biomarker) (err error) {
	if b.LOINC, b.SI.LOINC = r["loinc"], r["si_loinc"]; b.LOINC != "" && !validLOINC(b.LOINC) || b.SI.LOINC != "" && !validLOINC(b.SI.LOINC) {
		return fmt.Errorf("%q or %q is not a LOINC code", b.LOINC, b.SI.LOINC)
	}
	if !b.Kind.numeric() {
		if r["unit"]+r["si_unit"]+r["si_factor"]+r["alt_units"] != "" {
			return fmt.Errorf("a result of the kind %s has no unit", b.Kind)
		}
		return nil
	}
	b.Unit, b.Display = r["unit"], r["unit_display"]
	b.SI.Unit, b.SI.Display = r["si_unit"], r["si_unit_display"]
	if !unitForm.MatchString(b.Unit) || !unitForm.MatchString(b.SI.Unit) {
		return fmt.Errorf("%q or %q is not a unit", b.Unit, b.SI.Unit)
	}
	if b.Decimals, err = parseDecimals(r["decimals"]); err != nil {
		return err
	}
	if b.SI.Decimals, err = parseDecimals(r["si_decimals"]); err != nil {
		return err
	}
	if b.ToSI, err = parseConversion(r["si_factor"], r["si_offset"]); err != nil {
		return err
	}
	b.Alternatives, err = parseAlternatives(r["alt_units"])
	return err
}

func (r row) interval() (i Interval, err error) {
	i.Source = r["source"]
	var ok bool
	if i.Sex, ok = sexes[r["sex"]]; !ok {
		return Interval{}, fmt.Errorf("the sex is not one of %v", slices.Sorted(maps.Keys(sexes)))
	}
	if i.Ages, err = parseAges(r["age_from"], r["age_below"]); err != nil {
		return Interval{}, err
	}
	lowOps, highOps := [2]string{">=", ">"}, [2]string{"<=", "<"}
	if i.Reference, err = parseLimits(r["ref_low"], r["ref_low_op"], r["ref_high"], r["ref_high_op"], lowOps, highOps); err != nil {
		return Interval{}, err
	}
	if i.SIReference, err = parseLimits(r["si_ref_low"], r["ref_low_op"], r["si_ref_high"], r["ref_high_op"], lowOps, highOps); err != nil {
		return Interval{}, err
	}
	// An alarm is the other way round: while the value is at most the low limit.
	i.Critical, err = parseLimits(r["critical_low"], r["critical_low_op"], r["critical_high"], r["critical_high_op"], highOps, lowOps)
	if err != nil {
		return Interval{}, err
	}
	return i, i.check()
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

func parseAges(from, below string) (a Ages, err error) {
	for _, part := range []struct {
		text string
		into *int
	}{{from, &a.From}, {below, &a.Below}} {
		if part.text == "" {
			continue
		}
		if *part.into, err = strconv.Atoi(part.text); err != nil || *part.into < 1 || *part.into > 120 {
			return Ages{}, fmt.Errorf("an age is 1 to 120 years, not %q", part.text)
		}
	}
	if a.Below != 0 && a.Below <= a.From {
		return Ages{}, fmt.Errorf("the band of ages %s to %s is empty", from, below)
	}
	return a, nil
}

func parseDecimals(text string) (int, error) {
	decimals, err := strconv.Atoi(text)
	if err != nil || decimals < 0 || decimals > 4 {
		return 0, fmt.Errorf("decimals are 0 to 4, not %q", text)
	}
	return decimals, nil
}

// factorForm is a plain decimal or a fraction of integers.
var factorForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+|/[1-9][0-9]*)?$`)

func parseFactor(text string) (*big.Rat, error) {
	if factorForm.MatchString(text) {
		if number, ok := new(big.Rat).SetString(text); ok {
			return number, nil
		}
	}
	return nil, fmt.Errorf("%q is not a factor", text)
}

func parsePositive(text string) (*big.Rat, error) {
	number, err := parseFactor(text)
	if err == nil && number.Sign() <= 0 {
		err = fmt.Errorf("the factor %s is not above zero", text)
	}
	return number, err
}

func parseConversion(factor, offset string) (c Conversion, err error) {
	if c.Factor, err = parsePositive(factor); err != nil {
		return Conversion{}, err
	}
	if c.Offset = new(big.Rat); offset != "" {
		c.Offset, err = parseFactor(offset)
	}
	return c, err
}

// parseAlternatives reads UNIT=factor, separated by semicolons.
func parseAlternatives(text string) ([]Alternative, error) {
	if text == "" {
		return nil, nil
	}
	var list []Alternative
	for part := range strings.SplitSeq(text, ";") {
		unit, factor, _ := strings.Cut(part, "=")
		number, err := parsePositive(factor)
		if err != nil || !unitForm.MatchString(unit) {
			return nil, fmt.Errorf("%q is not UNIT=factor", part)
		}
		if slices.ContainsFunc(list, func(a Alternative) bool { return a.Unit == unit }) {
			return nil, fmt.Errorf("the unit %s is there twice", unit)
		}
		list = append(list, Alternative{unit, number})
	}
	return list, nil
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
