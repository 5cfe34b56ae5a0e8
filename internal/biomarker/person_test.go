package biomarker

import (
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

func TestJudgeGoesByAge(t *testing.T) {
	c := catalogue(t)
	drawn := time.Date(2026, 3, 10, 8, 0, 0, 0, time.UTC)
	born := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	for _, test := range []struct {
		name   string
		code   Code
		value  string
		person Person
		status Status
	}{
		{"inside the band", "cystatin-c", "5.0", Person{BornOn: born(1980, 1, 1)}, High},
		{"on the birthday that leaves it: no row holds", "cystatin-c", "5.0", Person{BornOn: born(1976, 3, 10)}, Unset},
		{"the day before it", "cystatin-c", "5.0", Person{BornOn: born(1976, 3, 11)}, High},
		{"below it", "cystatin-c", "5.0", Person{BornOn: born(2010, 1, 1)}, Unset},
		{"without a birth date: not guessed", "cystatin-c", "5.0", Person{}, Unset},
		{"a band of one sex", "shbg", "500", Person{Sex: loop.Female, BornOn: born(1996, 1, 1)}, High},
		{"sex known, age not: not guessed", "shbg", "500", Person{Sex: loop.Female}, Unset},
		{"a biomarker without bands needs no birth date", "tsh", "2", Person{}, Normal},
		{"nor minds one", "tsh", "2", Person{BornOn: born(2026, 3, 1)}, Normal},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, _ := c.Find(test.code)
			result := Result{Code: test.code, Value: dec(t, test.value), Unit: b.Unit, CollectedAt: drawn}
			if got := b.Judge(&result, test.person).Status; got != test.status {
				t.Errorf("it is %q, want %q", got, test.status)
			}
		})
	}
}
