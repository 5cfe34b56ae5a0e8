package loop

import (
	"testing"
	"time"
)

func TestParseBirthDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	for text, good := range map[string]bool{
		"1980-02-29": true, " 1980-02-29 ": true, "2026-03-02": true, "1900-01-01": true, "": true,
		"1981-02-29": false, "2026-03-03": false, "1899-12-31": false, "29.02.1980": false, "1980-2-9": false, "1980": false, "1980-02-29T00:00:00Z": false,
	} {
		date, err := ParseBirthDate(text, now)
		if (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
		if m := (Member{BornOn: date}); good && text == "1980-02-29" && m.BirthDate() != text || text == "" && m.BirthDate() != "" {
			t.Errorf("%q is written %q", text, m.BirthDate())
		}
	}
}
