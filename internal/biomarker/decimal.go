package biomarker

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// Decimal is a number with the digits in which it was written: 2.40 stays 2.40.
// It never passes through a binary float. The zero Decimal is no number at all,
// an absent limit, and null in JSON.
//
// Two Decimals are == where their digits are; Compare asks whether the numbers
// are.
type Decimal struct{ text string }

// Bounds of a Decimal. No laboratory writes more, and nothing that a stranger
// sends can make comparing costly.
const (
	maxDecimalLength = 32
	maxMagnitude     = 15 // at most 15 digits before the point, or 15 zeros after it
)

// ParseDecimal reads a number in the form of JSON (RFC 8259 §6), at most 32
// characters long and, unless zero, from 1e-16 to below 1e15 in size. Anything
// else, minus zero included, is a ValidationError.
func ParseDecimal(text string) (Decimal, error) {
	mantissa, exponent, ok := splitDecimal(text)
	if !ok {
		return Decimal{}, loop.Errorf(loop.ValidationError, "A value is a plain decimal number such as 2.40, at most %d characters long.", maxDecimalLength)
	}
	magnitude, zero := measure(mantissa)
	switch {
	case zero && text[0] == '-':
		return Decimal{}, loop.Errorf(loop.ValidationError, "Minus zero is not a value. Write 0.")
	case !zero && (magnitude+exponent > maxMagnitude || magnitude+exponent < -maxMagnitude):
		return Decimal{}, loop.Errorf(loop.ValidationError, "The value is too large or too small to be a measurement.")
	}
	return Decimal{text}, nil
}

// Present reports whether there is a number.
func (d Decimal) Present() bool { return d.text != "" }

// String gives the digits as they were written; empty where there is no number.
func (d Decimal) String() string { return d.text }

// MarshalJSON gives a JSON number with the digits as they were written, or null.
func (d Decimal) MarshalJSON() ([]byte, error) {
	if !d.Present() {
		return []byte("null"), nil
	}
	return []byte(d.text), nil
}

// UnmarshalJSON reads a JSON number with its digits, or null. A text is refused:
// what it would be as a number is the sender's to say.
func (d *Decimal) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*d = Decimal{}
		return nil
	}
	var err error
	*d, err = ParseDecimal(string(text))
	return err
}

// Negative reports whether the number is below zero.
func (d Decimal) Negative() bool { return strings.HasPrefix(d.text, "-") }

// Compare is -1 where d is the smaller number, 0 where both are equal, whatever
// their digits, and +1 where d is the larger. Both must be present.
func (d Decimal) Compare(other Decimal) int {
	switch {
	case d.Negative() && !other.Negative():
		return -1
	case !d.Negative() && other.Negative():
		return +1
	case d.Negative():
		return compareSizes(other.text, d.text)
	default:
		return compareSizes(d.text, other.text)
	}
}

// compareSizes compares two numbers without regard to their signs: by the place
// of the first digit that is not zero, then digit by digit.
func compareSizes(a, b string) int {
	if aUnits, aPlaces, ok := short(a); ok {
		if bUnits, bPlaces, ok := short(b); ok {
			return cmp.Compare(aUnits*powersOfTen[bPlaces], bUnits*powersOfTen[aPlaces])
		}
	}
	aDigits, aExponent, _ := splitDecimal(a)
	bDigits, bExponent, _ := splitDecimal(b)
	aMagnitude, aZero := measure(aDigits)
	bMagnitude, bZero := measure(bDigits)
	switch {
	case aZero || bZero:
		return boolCompare(bZero, aZero)
	case aMagnitude+aExponent != bMagnitude+bExponent:
		return cmp.Compare(aMagnitude+aExponent, bMagnitude+bExponent)
	}
	aDigits, bDigits = strings.TrimLeft(aDigits, "0."), strings.TrimLeft(bDigits, "0.")
	for aDigits != "" || bDigits != "" {
		var x, y byte
		x, aDigits = nextDigit(aDigits)
		y, bDigits = nextDigit(bDigits)
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return 0
}

// shortLength is up to which a number times a power of ten of as many places fits
// into 64 bits.
const shortLength = 9

var powersOfTen = [shortLength]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// short reads the size of a short number without an exponent, as nearly all are,
// as units of its last place: 2.40 is 240 with 2 places.
func short(text string) (units uint64, places int, ok bool) {
	text = strings.TrimPrefix(text, "-")
	if len(text) > shortLength {
		return 0, 0, false
	}
	for i := range len(text) {
		switch digit := text[i] - '0'; {
		case digit <= 9:
			units = 10*units + uint64(digit)
		case text[i] == '.':
			places = len(text) - i - 1
		default:
			return 0, 0, false
		}
	}
	return units, places, true
}

// nextDigit takes the first digit off a mantissa; behind its end follow zeros.
func nextDigit(digits string) (digit byte, rest string) {
	digits = strings.TrimPrefix(digits, ".")
	if digits == "" {
		return '0', ""
	}
	return digits[0], digits[1:]
}

// boolCompare orders true behind false.
func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return +1
	}
}

// measure counts the digits before the point of a mantissa, without leading
// zeros; below one, the zeros behind the point count negative. It also reports
// whether all digits are zero.
func measure(mantissa string) (magnitude int, zero bool) {
	point := strings.IndexByte(mantissa, '.')
	if point < 0 {
		point = len(mantissa)
	}
	first := strings.IndexAny(mantissa, "123456789")
	switch {
	case first < 0:
		return 0, true
	case first < point:
		return point - first, false
	default:
		return point - first + 1, false
	}
}

// splitDecimal cuts a number into its digits, without sign, and its exponent,
// and reports whether it has the form of a JSON number of sensible length.
func splitDecimal(text string) (mantissa string, exponent int, ok bool) {
	if len(text) > maxDecimalLength {
		return "", 0, false
	}
	mantissa = strings.TrimPrefix(text, "-")
	if e := max(strings.IndexByte(mantissa, 'e'), strings.IndexByte(mantissa, 'E')); e >= 0 {
		if exponent, ok = parseExponent(mantissa[e+1:]); !ok {
			return "", 0, false
		}
		mantissa = mantissa[:e]
	}
	whole, fraction, pointed := strings.Cut(mantissa, ".")
	ok = allDigits(whole) && (whole[0] != '0' || len(whole) == 1) && (!pointed || allDigits(fraction))
	return mantissa, exponent, ok
}

// parseExponent accepts one or two digits with or without a sign, as in 1e-05.
func parseExponent(text string) (exponent int, ok bool) {
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || len(digits) > 2 || !allDigits(digits) {
		return 0, false
	}
	exponent, err := strconv.Atoi(text)
	return exponent, err == nil
}

func allDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// rat gives the number exactly; it must be present.
func (d Decimal) rat() *big.Rat {
	number, _ := new(big.Rat).SetString(d.text) // ParseDecimal has read it
	return number
}

// decimalOf takes a number that was written by this package, which can be a
// rounded minus zero.
func decimalOf(text string) Decimal {
	if digits, negative := strings.CutPrefix(text, "-"); negative && strings.Trim(digits, "0.") == "" {
		text = digits
	}
	return Decimal{text}
}

// places counts the digits behind the point; with an exponent, as many as writing
// the number without one takes.
func (d Decimal) places() int {
	mantissa, exponent, _ := splitDecimal(d.text)
	_, fraction, _ := strings.Cut(mantissa, ".")
	return max(0, len(fraction)-exponent)
}

// significant counts the digits from the first that is not zero on; 0 for zero.
func (d Decimal) significant() int {
	mantissa, _, _ := splitDecimal(d.text)
	return len(strings.TrimLeft(strings.Replace(mantissa, ".", "", 1), "0"))
}
