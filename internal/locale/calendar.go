package locale

import (
	"math"
	"strconv"
	"time"
)

// Times are written in UTC: the server knows no other zone of a member's.

// Day writes a day, such as 2 January 2006; empty for none.
func (l *Language) Day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.UTC()
	return fill(l.Text("calendar.day"), []string{strconv.Itoa(t.Day()), l.month(t.Month()), strconv.Itoa(t.Year())})
}

// Month writes a month, such as January 2006.
func (l *Language) Month(t time.Time) string { return l.monthOf(t, l.month) }

// ShortDay writes a day where there is little room, such as 2 Jan 2006.
func (l *Language) ShortDay(t time.Time) string {
	return fill(l.Text("calendar.day"), []string{strconv.Itoa(t.UTC().Day()), l.shortMonth(t.UTC().Month()), strconv.Itoa(t.UTC().Year())})
}

// ShortMonth is Month, such as Jan 2006.
func (l *Language) ShortMonth(t time.Time) string { return l.monthOf(t, l.shortMonth) }

func (l *Language) monthOf(t time.Time, name func(time.Month) string) string {
	t = t.UTC()
	return fill(l.Text("calendar.month_of_year"), []string{name(t.Month()), strconv.Itoa(t.Year())})
}

func (l *Language) shortMonth(m time.Month) string {
	return l.Text("calendar.short_month." + strconv.Itoa(int(m)))
}

// Moment writes a moment to the minute, with the day of the week.
func (l *Language) Moment(t time.Time) string {
	t = t.UTC()
	return fill(l.Text("calendar.moment"), []string{l.weekday(t.Weekday()), l.Day(t), t.Format("15:04")})
}

func (l *Language) month(m time.Month) string {
	return l.Text("calendar.month." + strconv.Itoa(int(m)))
}

// weekday gives the day's name; Sunday is 0.
func (l *Language) weekday(d time.Weekday) string {
	return l.Text("calendar.weekday." + strconv.Itoa(int(d)))
}

// Wait writes how long something takes, rounded up: in seconds up to two minutes, in
// minutes up to two hours, then in hours, from two days on in days.
func (l *Language) Wait(d time.Duration) string {
	in := func(unit time.Duration) int { return max(1, int(math.Ceil(float64(d)/float64(unit)))) }
	switch {
	case d < 2*time.Minute:
		return l.Count("calendar.seconds", in(time.Second))
	case d < 2*time.Hour:
		return l.Count("calendar.minutes", in(time.Minute))
	case d < 48*time.Hour:
		return l.Count("calendar.hours", in(time.Hour))
	default:
		return l.Count("calendar.days", in(24*time.Hour))
	}
}
