package biomarker

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// fill gives every field of a struct a value of its own, of those kinds that results
// have. Another kind fails the test: the form of chunks has to learn of it.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	for i := range v.NumField() {
		*n++
		switch field := v.Field(i).Addr().Interface().(type) {
		case *Decimal:
			*field = Decimal{fmt.Sprint("1.", *n)}
		case *time.Time:
			*field = time.UnixMicro(1_700_000_000_000_000 + int64(*n)).UTC()
		case *Range:
			fill(t, reflect.ValueOf(field).Elem(), n)
		default:
			switch v.Field(i).Kind() {
			case reflect.String:
				v.Field(i).SetString(fmt.Sprint("text ", *n))
			case reflect.Bool:
				v.Field(i).SetBool(true)
			default:
				t.Fatalf("a chunk does not know fields such as %s", v.Type().Field(i).Name)
			}
		}
	}
}

func unpack(t *testing.T, packed []byte) (all []Stored) {
	t.Helper()
	chunk, err := OpenChunk(packed)
	if err != nil {
		t.Fatal(err)
	}
	for {
		var r Stored
		some, err := chunk.Next(&r)
		if err != nil {
			t.Fatal(err)
		}
		if !some {
			return all
		}
		all = append(all, r)
	}
}

func TestChunk_EveryFieldComesBack(t *testing.T) {
	var full, plain Stored
	n := 0
	fill(t, reflect.ValueOf(&full.Result).Elem(), &n)
	full.Arrival, plain.Arrival = 7, 8
	plain.ID, plain.CollectedAt, plain.ParsedAt = "bmk_1", full.CollectedAt, full.ParsedAt
	want := []Stored{full, plain, full}
	got := unpack(t, AppendChunk(nil, want))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("packed %+v, unpacked %+v", want, got)
	}
}

func TestChunk_WhatALaterVersionAppendsIsPassedOver(t *testing.T) {
	at := time.UnixMicro(1_700_000_000_000_000).UTC()
	r := Stored{Result: Result{ID: "bmk_1", Code: "tsh", CollectedAt: at, ParsedAt: at}, Arrival: 1}
	packed := AppendChunk(nil, []Stored{r})
	numbers := len(packed) // where they begin
	for _, number := range r.numbers() {
		numbers -= len(binary.AppendVarint(nil, number))
	}
	later := slices.Concat(packed[:numbers], []byte{0}, packed[numbers:], []byte{0})
	later[1], later[2] = textsOfRow+1, numbersOfRow+1
	if got := unpack(t, later); len(got) != 1 || got[0] != r {
		t.Errorf("a row with one more text and one more number is read as %+v", got)
	}
}

func FuzzOpenChunk(f *testing.F) {
	at := time.UnixMicro(1_700_000_000_000_000).UTC()
	f.Add(AppendChunk(nil, []Stored{{Result: Result{ID: loop.ResultID("bmk_1"), Code: "tsh", Value: Decimal{"2.40"}, CollectedAt: at, ParsedAt: at}, Arrival: 1}}))
	f.Fuzz(func(t *testing.T, packed []byte) {
		chunk, err := OpenChunk(packed)
		if err != nil {
			return
		}
		var all []Stored
		for {
			var r Stored
			some, err := chunk.Next(&r)
			if err != nil {
				return
			}
			if !some {
				break
			}
			all = append(all, r)
		}
		again := unpack(t, AppendChunk(nil, all))
		for i := range all {
			if again[i] != all[i] {
				t.Fatalf("%+v was packed again as %+v", all[i], again[i])
			}
		}
	})
}
