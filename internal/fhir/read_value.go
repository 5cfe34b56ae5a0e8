package fhir

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/loop-health/loop/internal/biomarker"
)

// values lists the names of the values that are there.
func (p *readPart) values() []string {
	var names []string
	for _, value := range []struct {
		name  string
		there bool
	}{
		{"valueQuantity", p.ValueQuantity != nil},
		{"valueCodeableConcept", p.ValueCodeableConcept != nil},
		{"valueString", p.ValueString != nil},
		{"valueInteger", p.ValueInteger != nil},
		{"valueRange", p.ValueRange != nil},
		{"valueRatio", p.ValueRatio != nil},
		{"valueBoolean", p.ValueBoolean != nil},
		{"valueSampledData", p.ValueSampledData != nil},
		{"valueTime", p.ValueTime != nil},
		{"valueDateTime", p.ValueDateTime != nil},
		{"valuePeriod", p.ValuePeriod != nil},
	} {
		if value.there {
			names = append(names, value.name)
		}
	}
	return names
}

// value reads the one value.
func (p *readPart) value(in *biomarker.Incoming) error {
	values := p.values()
	switch {
	case len(values) > 1:
		return fmt.Errorf("it has more than one value: %s", strings.Join(values, ", "))
	case len(values) == 1 && p.DataAbsentReason != nil:
		return errors.New("it has a value and a dataAbsentReason")
	case len(values) == 0 && p.DataAbsentReason != nil:
		return errors.New("it has no value: dataAbsentReason says why")
	case len(values) == 0:
		return errors.New("it has no value")
	}
	switch {
	case p.ValueQuantity != nil:
		return p.ValueQuantity.read(in)
	case p.ValueInteger != nil:
		in.Value = *p.ValueInteger
	case p.ValueString != nil:
		return readText(in, *p.ValueString)
	case p.ValueCodeableConcept != nil:
		return readText(in, p.ValueCodeableConcept.words())
	case p.ValueBoolean != nil:
		in.Text = strconv.FormatBool(*p.ValueBoolean)
	case p.ValueRange != nil:
		return p.ValueRange.readValue(in)
	case p.ValueRatio != nil:
		return p.ValueRatio.read(in)
	default:
		return fmt.Errorf("%s is no value of a lab result that is read", values[0])
	}
	return nil
}

func readText(in *biomarker.Incoming, text string) error {
	if in.Text = strings.TrimSpace(text); in.Text == "" {
		return errors.New("its value is an empty text")
	}
	return nil
}

// read reads a quantity with its unit: the code, which must be UCUM's, or the words.
func (q *Quantity) read(in *biomarker.Incoming) error {
	if !q.Value.Present() {
		return errors.New("valueQuantity has no value")
	}
	in.Value, in.Comparator = q.Value, q.Comparator
	var err error
	in.Unit, err = q.readUnit()
	return err
}

func (q *Quantity) readUnit() (string, error) {
	if q.Code != "" && q.System != "" && q.System != SystemUCUM {
		return "", errors.New("the code of its unit is not UCUM's")
	}
	if q.Code != "" {
		return q.Code, nil
	}
	return q.Unit, nil
}

// readValue reads a value that lies between two.
func (r *readRange) readValue(in *biomarker.Incoming) error {
	if r.Low == nil || r.High == nil || !r.Low.Value.Present() || !r.High.Value.Present() {
		return errors.New("valueRange has not both ends")
	}
	low, lowErr := r.Low.readUnit()
	high, highErr := r.High.readUnit()
	if lowErr != nil || highErr != nil || low != high {
		return errors.New("the ends of valueRange have not the same unit")
	}
	in.Text, in.Unit = r.Low.Value.String()+"-"+r.High.Value.String(), low
	return nil
}

// read reads a titre, such as 1:160.
func (r *readRatio) read(in *biomarker.Incoming) error {
	numerator, denominator := r.Numerator, r.Denominator
	if !numerator.Value.Present() || !denominator.Value.Present() || numerator.Comparator != "" ||
		numerator.Code != "" && numerator.Code != "1" || denominator.Code != "" && denominator.Code != "1" {
		return errors.New("valueRatio is not two plain numbers")
	}
	in.Text = string(denominator.Comparator) + numerator.Value.String() + ":" + denominator.Value.String()
	return nil
}

// interval reads the interval that is given for the patient: the only one, or the one
// of several that is for everybody. An interval in other units than the value, or
// upside down, is kept as text.
func (p *readPart) interval(in *biomarker.Incoming) {
	r := p.ownInterval()
	if r == nil {
		return
	}
	in.RangeText = strings.TrimSpace(r.Text)
	read, ok := r.limits(in.Unit)
	if ok && read.Ordered() {
		in.Range = read
		return
	}
	if in.RangeText == "" {
		in.RangeText = r.words()
	}
}

func (p *readPart) ownInterval() *readRange {
	if len(p.ReferenceRange) == 1 {
		return &p.ReferenceRange[0]
	}
	var found *readRange
	for i := range p.ReferenceRange {
		if !p.ReferenceRange[i].general() {
			continue
		}
		if found != nil {
			return nil
		}
		found = &p.ReferenceRange[i]
	}
	return found
}

// general: the interval is what is normal, for everybody.
func (r *readRange) general() bool {
	for _, coding := range r.Type.Coding {
		if coding.Code != "normal" {
			return false
		}
	}
	return len(r.AppliesTo) == 0 && len(r.Age) == 0
}

func (r *readRange) limits(unit string) (limits biomarker.Range, ok bool) {
	if r.Low == nil && r.High == nil {
		written, rest, read := biomarker.ReadWrittenRange(r.Text)
		return written, read && (rest == "" || rest == unit)
	}
	for _, end := range []struct {
		from *Quantity
		to   *biomarker.Decimal
	}{{r.Low, &limits.Low}, {r.High, &limits.High}} {
		if end.from == nil {
			continue
		}
		endUnit, err := end.from.readUnit()
		if err != nil || endUnit != "" && endUnit != unit || end.from.Comparator != "" {
			return biomarker.Range{}, false
		}
		*end.to = end.from.Value
	}
	return limits, !limits.Empty()
}

// words writes limits as text.
func (r *readRange) words() string {
	end := func(q *Quantity) string {
		if q == nil {
			return ""
		}
		unit, _ := q.readUnit()
		return strings.TrimSpace(string(q.Comparator) + q.Value.String() + " " + unit)
	}
	return strings.TrimSpace(end(r.Low) + " - " + end(r.High))
}

// flag reads the laboratory's flag (HL7 v3 ObservationInterpretation).
func (p *readPart) flag(in *biomarker.Incoming) error {
	for _, interpretation := range p.Interpretation {
		for _, coding := range interpretation.Coding {
			flag, known := biomarker.ReadFlag(coding.Code)
			if !known {
				continue
			}
			if in.Flag != biomarker.Unset && in.Flag != flag {
				return errors.New("its interpretations contradict each other")
			}
			in.Flag = flag
		}
	}
	return nil
}
