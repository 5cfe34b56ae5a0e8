package connect_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/loop-health/loop/connect"
)

func TestMoment_KeepsThePrecisionOfTheLaboratory(t *testing.T) {
	for text, want := range map[string]connect.Moment{
		`"2026-03-02"`:           {Time: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), DateOnly: true},
		`"2026-03"`:              {Time: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), DateOnly: true},
		`"2026"`:                 {Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), DateOnly: true},
		`"2026-03-02T08:15:00Z"`: {Time: time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)},
	} {
		var got connect.Moment
		if err := json.Unmarshal([]byte(text), &got); err != nil || !got.Equal(want.Time) || got.DateOnly != want.DateOnly {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
		if again, err := json.Marshal(got); err != nil || string(again) != text {
			t.Errorf("%s is written as %s, %v", text, again, err)
		}
	}
	for _, text := range []string{`"yesterday"`, `5`, `"2026-13-01"`, `"2026-13"`, `"26"`, `"20261"`} {
		var got connect.Moment
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
}
