package labcsv

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// read makes a result of a line.
func (r *Reader) read(record []string) (biomarker.Reported, error) {
	if len(record) != len(r.columns) {
		return biomarker.Reported{}, biomarker.RefuseRow(r.place(), "it has %d fields, and the header %d", len(record), len(r.columns))
	}
	cell := func(column string) string {
		if column == "" {
			return ""
		}
		return strings.Clone(strings.TrimSpace(record[r.columns[column]])) // the record is used again
	}
	c := &r.layout.Columns
	result := biomarker.Reported{Place: r.place(), Patient: cell(c.Patient), Report: cell(c.Report)}
	if result.Patient != "" {
		r.seen(result.Patient)
	}
	if loinc := cell(c.LOINC); loinc != "" {
		result.Names = append(result.Names, biomarker.Name{System: biomarker.SystemLOINC, Code: loinc})
	}
	for _, own := range []string{cell(c.Code), cell(c.Name)} {
		if own != "" {
			result.Names = append(result.Names, biomarker.Name{Code: own})
			break
		}
	}
	if len(result.Names) == 0 {
		return result, biomarker.RefuseRow(result.Place, "it says not what was measured")
	}
	if err := r.when(cell(c.Collected), &result); err != nil {
		return result, biomarker.RefuseRow(result.Place, "%v", err)
	}
	if err := r.value(cell, &result.Incoming); err != nil {
		return result, biomarker.RefuseRow(result.Place, "%v", err)
	}
	return result, nil
}

func (r *Reader) value(cell func(string) string, in *biomarker.Incoming) error {
	c := &r.layout.Columns
	in.Unit, in.Text = cell(c.Unit), r.number(cell(c.Value))
	if in.Text == "" {
		return errors.New("it has no value")
	}
	in.ReadText()
	in.ReadRangeText(r.number(cell(c.Range)))
	low, high := cell(c.Low), cell(c.High)
	if low != "" || high != "" {
		in.ReadLimits(r.number(low), r.number(high))
	}
	if flag := cell(c.Flag); flag != "" {
		in.Flag, _ = biomarker.ReadFlag(flag) // another flag says nothing of a side
	}
	return nil
}

// groups is a number with separators of thousands.
var groups = regexp.MustCompile(`[0-9]{1,3}(?:[.,][0-9]{3})+(?:[.,][0-9]+)?|[0-9]+[.,][0-9]+`)

// number writes the numbers of a text with a decimal point, where the layout says what
// their points and commas are.
func (r *Reader) number(text string) string {
	if r.layout.Decimal == "" {
		return text
	}
	thousands := map[string]string{",": ".", ".": ","}[r.layout.Decimal]
	return groups.ReplaceAllStringFunc(text, func(number string) string {
		return strings.Replace(strings.ReplaceAll(number, thousands, ""), r.layout.Decimal, ".", 1)
	})
}

// isoTime is a date with or without a time, as ISO 8601 and its users write it.
var isoTime = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$`)

// when reads when the sample was taken.
func (r *Reader) when(text string, result *biomarker.Reported) error {
	if text == "" {
		return errors.New("it says not when the sample was taken")
	}
	if r.date != "" {
		return r.whenByLayout(text, result)
	}
	parts := isoTime.FindStringSubmatch(text)
	if parts == nil {
		return errors.New("the time of its sample is no ISO 8601 date: say which form dates have (date) in the file of columns")
	}
	if parts[2] == "" {
		_, err := time.Parse(time.DateOnly, parts[1])
		result.Incoming.Collected = parts[1]
		return noTime(err)
	}
	clock, offset := parts[2]+parts[3], parts[4]
	if parts[3] == "" {
		clock += ":00"
	}
	if offset == "" {
		at, err := time.Parse(time.DateTime, parts[1]+" "+clock)
		r.local(at, result)
		return noTime(err)
	}
	if len(offset) == len("+0100") {
		offset = offset[:3] + ":" + offset[3:]
	}
	result.Incoming.Collected = parts[1] + "T" + clock + offset
	_, err := time.Parse(time.RFC3339, result.Incoming.Collected)
	return noTime(err)
}

func (r *Reader) whenByLayout(text string, result *biomarker.Reported) error {
	at, err := time.Parse(r.date, text)
	switch {
	case err != nil:
		return errors.New("the time of its sample has not the form that the file of columns says")
	case !strings.Contains(r.date, "15"):
		result.Incoming.Collected = at.Format(time.DateOnly)
	case strings.Contains(r.date, "Z07:00"):
		result.Incoming.Collected = at.Format(time.RFC3339Nano)
	default:
		r.local(at, result)
	}
	return nil
}

// local takes in a time without a zone: in the one that is named, else its date alone.
func (r *Reader) local(at time.Time, result *biomarker.Reported) {
	if r.zone == nil {
		result.Incoming.Collected = at.Format(time.DateOnly)
		result.Report += "@" + at.Format(time.TimeOnly) // two times of a day are two
		return
	}
	in := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), r.zone)
	result.Incoming.Collected = in.Format(time.RFC3339Nano)
}

func noTime(err error) error {
	if err != nil {
		return errors.New("the time of its sample is none")
	}
	return nil
}
