package biomarker

import (
	"testing"
	"time"
)

func TestParseTime_RFC3339_5_6(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-01-01T00:00:00Z":        "2026-01-01T00:00:00Z",
		"2026-01-01t00:00:00z":        "2026-01-01T00:00:00Z",
		"2026-01-01T00:00:00.250z":    "2026-01-01T00:00:00.25Z",
		"2026-01-01t02:00:00+02:00":   "2026-01-01T00:00:00Z",
		"2026-01-01":                  "2026-01-01T00:00:00Z",
		"2016-12-31T23:59:60Z":        "2017-01-01T00:00:00Z", // §5.7: a leap second
		"2016-12-31T18:59:60.5-05:00": "2017-01-01T00:00:00Z",
		"2015-06-30T23:59:60z":        "2015-07-01T00:00:00Z",
		"2016-12-31T23:58:60Z":        "",
		"2016-12-30T23:59:60Z":        "",
		"2016-12-31T23:59:60+01:00":   "",
		"2016-12-31T23:59:61Z":        "",
		"2026-02-30T00:00:60Z":        "",
		"2026-01-01 00:00:00Z":        "",
		"2026-01-01T00:00:00,5Z":      "",
		"2026-01-01T00:00Z":           "",
		"2026-1-1":                    "",
	} {
		got, err := parseTime(text)
		if want == "" {
			if err == nil {
				t.Errorf("%s is taken for %v", text, got)
			}
			continue
		}
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%s is %v, %v, want %s", text, got, err, want)
		}
	}
}
