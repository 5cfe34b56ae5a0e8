package fhir

import (
	"regexp"
	"strings"
	"time"

	"github.com/loop-health/loop/internal/biomarker"
)

// span is the time that a date or moment of some precision stands for: from
// included, to excluded.
type span struct{ from, to time.Time }

// condition is one value of a search by date
// (https://hl7.org/fhir/R4/search.html#date).
type condition struct {
	prefix string
	span
}

var dateForm = regexp.MustCompile(`^(eq|ne|gt|lt|ge|le|sa|eb)?([0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?)$`)

// parseConditions reads values that are separated by commas, any of which matches.
func parseConditions(name, text string) ([]condition, error) {
	var conditions []condition
	for value := range strings.SplitSeq(text, ",") {
		parts := dateForm.FindStringSubmatch(value)
		if parts == nil {
			return nil, badDate(name, value)
		}
		span, ok := parseSpan(parts[2])
		if !ok {
			return nil, badDate(name, value)
		}
		prefix := parts[1]
		if prefix == "" {
			prefix = "eq"
		}
		conditions = append(conditions, condition{prefix, span})
	}
	return conditions, nil
}

func badDate(name, value string) error {
	if strings.Contains(value, " ") {
		return refuse(name, "%s holds a space. If it was a plus sign, write %%2B in the address, or give the time in UTC with a Z.", name)
	}
	return refuse(name, "%s is a date or time such as ge2026-03-02 or lt2026-03-02T08:15:00Z, behind one of eq, ne, gt, lt, ge, le, sa, eb or nothing.", name)
}

// parseSpan reads a date or time. A time without a zone is in UTC.
func parseSpan(text string) (span, bool) {
	if len(text) > len(time.DateOnly) && !zoneForm.MatchString(text) {
		text += "Z"
	}
	for _, form := range []struct {
		layout string
		end    func(time.Time) time.Time
	}{
		{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
		{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
		{time.DateOnly, func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
		{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
		{time.RFC3339, func(t time.Time) time.Time { return t.Add(widthOf(t)) }},
	} {
		if from, err := time.Parse(form.layout, text); err == nil {
			return span{from.UTC(), form.end(from).UTC()}, true
		}
	}
	return span{}, false
}

var zoneForm = regexp.MustCompile(`(?:Z|[+-][0-9]{2}:[0-9]{2})$`)

// widthOf is how long a moment lasts as it is written: a second, or a microsecond
// where it has a fraction.
func widthOf(t time.Time) time.Duration {
	if t.Nanosecond() == 0 {
		return time.Second
	}
	return time.Microsecond
}

// collectedSpan is the time that a result's collection stands for.
func collectedSpan(r *biomarker.Result) span {
	if r.Precision == biomarker.ToTheDay {
		return span{r.CollectedAt, r.CollectedAt.AddDate(0, 0, 1)}
	}
	return momentSpan(r.CollectedAt)
}

func momentSpan(t time.Time) span { return span{t, t.Add(widthOf(t))} }

// within reports whether the whole of a span is in another.
func (s span) within(other span) bool { return !s.from.Before(other.from) && !s.to.After(other.to) }

// holds reports whether a time meets the condition.
func (c condition) holds(s span) bool {
	switch c.prefix {
	case "eq":
		return s.within(c.span)
	case "ne":
		return !s.within(c.span)
	case "gt":
		return s.to.After(c.to)
	case "ge":
		return s.to.After(c.to) || s.within(c.span)
	case "lt":
		return s.from.Before(c.from)
	case "le":
		return s.from.Before(c.from) || s.within(c.span)
	case "sa":
		return !s.from.Before(c.to)
	default: // eb
		return !s.to.After(c.from)
	}
}

// longest is the longest time that a result's collection stands for.
const longest = 24 * time.Hour

// bounds are between which times a collection that meets the condition begins: from
// included, to excluded; zero: open. They may hold more than that.
func (c condition) bounds() (from, to time.Time) {
	switch c.prefix {
	case "eq":
		return c.from, c.to
	case "gt", "ge":
		return c.from.Add(-longest), time.Time{}
	case "lt", "eb":
		return time.Time{}, c.from
	case "le":
		return time.Time{}, c.to
	case "sa":
		return c.to, time.Time{}
	default: // ne
		return time.Time{}, time.Time{}
	}
}

// anyHolds reports whether a time meets one of the conditions.
func anyHolds(conditions []condition, s span) bool {
	for _, c := range conditions {
		if c.holds(s) {
			return true
		}
	}
	return false
}
