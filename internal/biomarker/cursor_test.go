package biomarker

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/credential/credentialtest"
	"github.com/loop-health/loop/internal/loop"
)

var somewhere = Position{CollectedAt: time.UnixMicro(1_772_439_300_000_001).UTC(), ID: "bmk_01KAXYZ0000000000000000000", Arrival: 42}

func TestSec105_CursorIsGoodForItsMemberAndFiltersAlone(t *testing.T) {
	cursors := credentialtest.NewTagger(t)
	base := Query{Codes: []Code{"tsh"}, Statuses: []Status{High}, Category: "thyroid", From: somewhere.CollectedAt, Limit: 10}
	cursor := cursorFor(cursors, somewhere, "user_A", &base)

	same := base
	same.Cursor = cursor
	if back, err := position(cursors, "user_A", &same); err != nil || back != somewhere {
		t.Fatalf("the cursor gives %+v, %v", back, err)
	}
	same.Limit = 50
	if _, err := position(cursors, "user_A", &same); err != nil {
		t.Errorf("another limit: %v", err)
	}
	if _, err := position(cursors, "user_B", &same); err == nil {
		t.Error("another member's cursor is accepted")
	}
	if _, err := position(credentialtest.NewTagger(t), "user_A", &same); err == nil {
		t.Error("a cursor under another key is accepted")
	}
	for name, change := range map[string]func(*Query){
		"codes":    func(q *Query) { q.Codes = []Code{"tsh", "apob"} },
		"category": func(q *Query) { q.Category = "" },
		"statuses": func(q *Query) { q.Statuses = nil },
		"from":     func(q *Query) { q.From = q.From.Add(time.Microsecond) },
		"to":       func(q *Query) { q.To = somewhere.CollectedAt.Add(time.Hour) },
		"latest":   func(q *Query) { q.Latest = true },
	} {
		other := base
		other.Cursor = cursor
		change(&other)
		if _, err := position(cursors, "user_A", &other); loop.AsError(err).Field != "cursor" {
			t.Errorf("with other %s: %v", name, err)
		}
	}
}

func TestSec105_CursorCannotBeEdited(t *testing.T) {
	cursors := credentialtest.NewTagger(t)
	q := Query{Limit: 10}
	cursor := cursorFor(cursors, somewhere, "user_A", &q)
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		edited := append([]byte(nil), raw...)
		edited[i] ^= 1
		q.Cursor = base64.RawURLEncoding.EncodeToString(edited)
		if _, err := position(cursors, "user_A", &q); err == nil {
			t.Errorf("a change of byte %d is accepted", i)
		}
	}
	for name, text := range map[string]string{
		"cut": cursor[:len(cursor)-1], "longer": cursor + "A", "padded": cursor + "=", "broken by a newline": cursor[:10] + "\n" + cursor[10:],
	} {
		q.Cursor = text
		if _, err := position(cursors, "user_A", &q); err == nil {
			t.Errorf("a cursor that is %s is accepted", name)
		}
	}
}

// FuzzCursor: nothing is accepted but what was issued.
func FuzzCursor(f *testing.F) {
	cursors := credentialtest.NewTagger(f)
	issued := cursorFor(cursors, somewhere, "user_A", &Query{})
	f.Add(issued)
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := position(cursors, "user_A", &Query{Cursor: cursor})
		if (err == nil) != (cursor == "" || cursor == issued) {
			t.Fatalf("%q: %v", cursor, err)
		}
	})
}
