package biomarker

import (
	"errors"
	"regexp"
	"strings"
	"time"
)

// timeForm is RFC 3339 §5.6, with T and Z in either case; package time accepts
// other forms too, and not these.
var timeForm = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// secondsAt is where the seconds of such a time begin.
const secondsAt = len("2006-01-02T15:04:")

// parseTime reads a time by RFC 3339, or a date, which stands for its first moment
// in UTC. A leap second, for which package time has no name, is the moment behind
// it.
func parseTime(text string) (time.Time, error) {
	if !timeForm.MatchString(text) {
		return time.Parse(time.DateOnly, text)
	}
	text = strings.ToUpper(text)
	if text[secondsAt:secondsAt+2] != "60" {
		return time.Parse(time.RFC3339, text)
	}
	before, err := time.Parse(time.RFC3339, text[:secondsAt]+"59"+text[secondsAt+2:])
	if err != nil {
		return time.Time{}, err
	}
	behind := before.UTC().Truncate(time.Second).Add(time.Second)
	if behind.Day() != 1 || behind.Hour() != 0 || behind.Minute() != 0 {
		return time.Time{}, errNoLeapSecond
	}
	return behind, nil
}

// errNoLeapSecond: one is put in at the end of a month by UTC, and nowhere else (RFC
// 3339 §5.7).
var errNoLeapSecond = errors.New("no leap second is there")

// Collected writes when the sample was drawn, as exactly as the laboratory gave it:
// RFC 3339, or a date, a month or a year.
func (r *Result) Collected() string { return string(r.AppendCollected(nil)) }

// AppendCollected is Collected for who writes it behind something.
func (r *Result) AppendCollected(to []byte) []byte {
	if r.Precision == ToTheMoment {
		return r.CollectedAt.AppendFormat(to, time.RFC3339Nano)
	}
	return r.CollectedAt.AppendFormat(to, r.Precision.layout())
}

// Span gives the time in which the sample was drawn, as exactly as the laboratory gave
// it: from is included, to excluded. A moment has no length.
func (r *Result) Span() (from, to time.Time) {
	from = r.CollectedAt
	switch r.Precision {
	case ToTheDay:
		return from, from.AddDate(0, 0, 1)
	case ToTheMonth:
		return from, from.AddDate(0, 1, 0)
	case ToTheYear:
		return from, from.AddDate(1, 0, 0)
	default:
		return from, from
	}
}
