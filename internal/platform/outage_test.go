package platform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loop-health/loop/internal/store"
)

// line is a line of the log.
type line struct {
	Level  string  `json:"level"`
	Msg    string  `json:"msg"`
	After  float64 `json:"after_seconds"`
	Folded int     `json:"folded"`
}

func linesOf(t *testing.T, out *bytes.Buffer) (lines []line) {
	t.Helper()
	for text := range strings.Lines(out.String()) {
		var one line
		if err := json.Unmarshal([]byte(text), &one); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, one)
	}
	return lines
}

func TestOutage_IsOneLineEachWayAndOneAMinuteBetween(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			away  atomic.Bool
			group sync.WaitGroup
			out   bytes.Buffer
		)
		ctx, cancel := context.WithCancel(t.Context())
		o := &outage{ready: func(context.Context) error {
			if away.Load() {
				return errors.New("connection refused")
			}
			return nil
		}}
		o.watchOver(ctx, &group)
		log := slog.New(quieter{slog.NewJSONHandler(&out, nil), o})
		fail := func() {
			log.With("kind", "mail").Error("claiming messages that are due", "cause", store.Unreadable(errors.New("refused")))
		}

		away.Store(true)
		for range 150 { // as background work does it
			fail()
			log.Error("something else", "cause", errors.New("a bug"))
			time.Sleep(time.Second)
		}
		away.Store(false)
		time.Sleep(2 * time.Second)
		fail() // a new one
		cancel()
		group.Wait()

		var got []line
		for _, one := range linesOf(t, &out) {
			if one.Msg != "something else" {
				got = append(got, one)
			}
		}
		want := []string{"claiming messages that are due", "the database still can't be used", "the database still can't be used", "the database can be used again", "claiming messages that are due"}
		if len(got) != len(want) {
			t.Fatalf("the log has %+v", got)
		}
		for i, msg := range want {
			if got[i].Msg != msg {
				t.Errorf("line %d is %+v, want %s", i, got[i], msg)
			}
		}
		if again := got[3]; again.Level != "INFO" || again.Folded != 149 || again.After < 149 || again.After > 152 {
			t.Errorf("the end is %+v", again)
		}
		if strings.Count(out.String(), "something else") != 150 {
			t.Error("lines that are about something else are folded, too")
		}
	})
}

func TestOutage_NothingIsFoldedWhereNobodyWatches(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(quieter{slog.NewJSONHandler(&out, nil), &outage{}})
	for range 3 {
		log.Error("sweeping", "cause", store.Unavailable(errors.New("refused")))
	}
	if got := len(linesOf(t, &out)); got != 3 {
		t.Errorf("%d lines, want 3", got)
	}
}
