package jsontext

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

func TestAppendTextWritesWhatTheStandardLibraryWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]*`)).Draw(t, "text")
		want, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := AppendText([]byte("before:"), text); string(got) != "before:"+string(want) {
			t.Errorf("%q became %s, not %s", text, got, want)
		}
	})
}
