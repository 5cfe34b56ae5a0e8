package locale

import (
	"strings"
	"testing"
	"time"
)

func TestCalendar_EveryMonthHasALongAndAShortName(t *testing.T) {
	t.Parallel()
	for _, l := range loadTexts(t).Languages() {
		for m := time.January; m <= time.December; m++ {
			first := time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC)
			for _, written := range []string{l.Month(first), l.ShortMonth(first), l.ShortDay(first), l.Day(first)} {
				if strings.Contains(written, "calendar.") || strings.ContainsAny(written, "{}") {
					t.Errorf("%s writes %q", l.Name, written)
				}
			}
			if short, long := l.ShortMonth(first), l.Month(first); len(short) > len("Sept. 2026") || len(short) > len(long)+1 {
				t.Errorf("%s writes %q for short, and %q", l.Name, short, long)
			}
		}
	}
}

func TestDecimal_KeepsTheDigits(t *testing.T) {
	t.Parallel()
	texts := loadTexts(t)
	for digits, want := range map[string]string{"2.40": "2,40", "1500": "1500", "0.000010": "0,000010", "-1.5": "-1,5", "1.5e-05": "1,5e-05", "": ""} {
		if got := texts.Match("de").Decimal(digits); got != want {
			t.Errorf("%s is written %s, want %s", digits, got, want)
		}
		if got := texts.Match("en").Decimal(digits); got != digits {
			t.Errorf("in English %s is written %s", digits, got)
		}
	}
}
