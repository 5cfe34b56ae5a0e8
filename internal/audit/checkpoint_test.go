package audit

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
)

func TestSign_ParseReadsWhatWasSigned(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	want := Checkpoint{
		At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Heads: []Head{{Lane: "identity", Number: 7, Hash: []byte{1, 2}}}, Previous: []byte{3},
		Epoch: loop.Epoch{Number: 2, Counter: 9},
	}
	line, err := keys.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := keys.ParseCheckpoint(line)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseCheckpoint_RefusesWhatThePlatformDidNotSign(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	line, err := keys.Sign(Checkpoint{Heads: []Head{{Lane: "identity", Number: 7, Hash: nil}}})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := newKeys(t).Sign(Checkpoint{Heads: []Head{{Lane: "identity", Number: 7, Hash: nil}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "checkpoint", "no signature": `{"checkpoint":{}}`, "half a line": string(line[:len(line)/2]),
		"one of another platform": string(foreign),
	} {
		if c, err := keys.ParseCheckpoint([]byte(text)); err == nil {
			t.Errorf("%s: it is taken for %+v", name, c)
		}
	}
}

func TestSameHeads(t *testing.T) {
	t.Parallel()
	heads := []Head{{Lane: "identity", Number: 7, Hash: []byte{1}}, {Lane: "clinical", Number: 1, Hash: []byte{2}}}
	for name, test := range map[string]struct {
		other []Head
		same  bool
	}{
		"the same":       {[]Head{{Lane: "identity", Number: 7, Hash: []byte{1}}, {Lane: "clinical", Number: 1, Hash: []byte{2}}}, true},
		"a record more":  {[]Head{{Lane: "identity", Number: 8, Hash: []byte{1}}, {Lane: "clinical", Number: 1, Hash: []byte{2}}}, false},
		"another hash":   {[]Head{{Lane: "identity", Number: 7, Hash: []byte{9}}, {Lane: "clinical", Number: 1, Hash: []byte{2}}}, false},
		"another lane":   {[]Head{{Lane: "identity", Number: 7, Hash: []byte{1}}, {Lane: "portal", Number: 1, Hash: []byte{2}}}, false},
		"one lane fewer": {[]Head{{Lane: "identity", Number: 7, Hash: []byte{1}}}, false},
	} {
		if got := sameHeads(heads, test.other); got != test.same {
			t.Errorf("%s: %v", name, got)
		}
	}
}
