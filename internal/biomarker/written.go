package biomarker

import (
	"regexp"
	"strings"
)

// comparatorSigns are the ways in which comparators are written, the longest first.
var comparatorSigns = []struct {
	sign string
	is   Comparator
}{
	{"<=", AtMost}, {"=<", AtMost}, {"≤", AtMost}, {">=", AtLeast}, {"=>", AtLeast}, {"≥", AtLeast}, {"<", Below}, {">", Above},
}

// ReadWritten reads what a laboratory wrote as a value: a number, with a comparator
// where it has one, such as <0.1. It is not read where it is anything else, such as
// Negative, 1:160 or 1,500, which is 1.5 to some and 1500 to others.
func ReadWritten(text string) (comparator Comparator, value Decimal, read bool) {
	text = strings.TrimSpace(text)
	for _, c := range comparatorSigns {
		if rest, found := strings.CutPrefix(text, c.sign); found {
			comparator, text = c.is, strings.TrimSpace(rest)
			break
		}
	}
	value, read = readNumber(text)
	if !read {
		return Exactly, Decimal{}, false
	}
	return comparator, value, true
}

var (
	decimalComma = regexp.MustCompile(`^(-?)([0-9]+),([0-9]+)$`)
	bareFraction = regexp.MustCompile(`^(-?)(\.[0-9]+)$`)
)

// readNumber reads a number as laboratories write it: 5.50, 5,5 and .5 too.
func readNumber(text string) (Decimal, bool) {
	if parts := decimalComma.FindStringSubmatch(text); parts != nil {
		if len(parts[3]) == 3 && parts[2] != "0" {
			return Decimal{}, false // thousands or thousandths
		}
		text = parts[1] + parts[2] + "." + parts[3]
	}
	if parts := bareFraction.FindStringSubmatch(text); parts != nil {
		text = parts[1] + "0" + parts[2]
	}
	value, err := ParseDecimal(text)
	return value, err == nil
}

const writtenNumber = `-?[0-9]*[.,]?[0-9]+`

var (
	writtenInterval = regexp.MustCompile(`^(` + writtenNumber + `)\s*(?:-|–|—|to)\s*(` + writtenNumber + `)(?:\s+(.*))?$`)
	writtenLimit    = regexp.MustCompile(`^(<=|=<|≤|>=|=>|≥|<|>)\s*(` + writtenNumber + `)(?:\s+(.*))?$`)
)

// ReadWrittenRange reads a reference range as laboratories write it, such as 70 - 99,
// <5.7 or 3.5-5.1 mmol/L, and gives what stands behind the numbers. It is not read
// where it is anything else, or upside down.
func ReadWrittenRange(text string) (r Range, unit string, read bool) {
	text = strings.TrimSpace(text)
	if parts := writtenInterval.FindStringSubmatch(text); parts != nil {
		var low, high bool
		r.Low, low = readNumber(parts[1])
		r.High, high = readNumber(parts[2])
		if !low || !high || !r.Ordered() {
			return Range{}, "", false
		}
		return r, strings.TrimSpace(parts[3]), true
	}
	parts := writtenLimit.FindStringSubmatch(text)
	if parts == nil {
		return Range{}, "", false
	}
	comparator, limit, read := ReadWritten(parts[1] + parts[2])
	if !read {
		return Range{}, "", false
	}
	switch comparator {
	case Below, AtMost:
		r.High, r.HighExcluded = limit, comparator == Below
	default:
		r.Low, r.LowExcluded = limit, comparator == Above
	}
	return r, strings.TrimSpace(parts[3]), true
}

// ReadText makes a number of the text, where it is one.
func (in *Incoming) ReadText() {
	if comparator, value, read := ReadWritten(in.Text); read {
		in.Comparator, in.Value, in.Text = comparator, value, ""
	}
}

// ReadRangeText takes in an interval as it is written. What is no interval in the
// result's own unit stays text.
func (in *Incoming) ReadRangeText(text string) {
	in.RangeText = strings.Join(strings.Fields(text), " ")
	if read, unit, ok := ReadWrittenRange(text); ok && (unit == "" || foldUnit(unit) == foldUnit(in.Unit)) {
		in.Range = read
	}
}

// ReadLimits takes in an interval whose ends are written apart. What is none stays text.
func (in *Incoming) ReadLimits(low, high string) {
	var r Range
	lowRead, highRead := true, true
	if low != "" {
		r.Low, lowRead = readNumber(low)
	}
	if high != "" {
		r.High, highRead = readNumber(high)
	}
	if lowRead && highRead && r.Ordered() {
		in.Range = r
		return
	}
	in.RangeText = strings.TrimSpace(low + " - " + high)
}
