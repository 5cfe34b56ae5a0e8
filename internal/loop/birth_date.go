package loop

import (
	"strings"
	"time"
)

// earliestBirth is before the birth of anybody who lives.
var earliestBirth = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// ParseBirthDate reads a date such as 1980-02-29, at midnight UTC; nothing is no date.
// What is no date, or none on which somebody who lives at a moment can have been born, is
// a ValidationError.
func ParseBirthDate(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	date, err := time.Parse(time.DateOnly, text)
	if err != nil || date.Before(earliestBirth) || date.After(now) {
		return time.Time{}, Errorf(ValidationError, "A birth date is a date such as 1980-02-29, not before 1900 and not in the future.").About("birth_date").Worded("fault.birth_date")
	}
	return date, nil
}

// BirthDate writes the date on which a member was born; empty where it is not known.
func (m *Member) BirthDate() string {
	if m.BornOn.IsZero() {
		return ""
	}
	return m.BornOn.Format(time.DateOnly)
}
