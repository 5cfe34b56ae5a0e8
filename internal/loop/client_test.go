package loop_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loop-health/loop/internal/loop"
)

// TestClient_CloneSharesNothing fills every field, those to come too, and looks
// for memory that both clients reach.
func TestClient_CloneSharesNothing(t *testing.T) {
	t.Parallel()
	c := &loop.Client{}
	fill(reflect.ValueOf(c).Elem())
	clone := c.Clone()
	if diff := cmp.Diff(c, clone); diff != "" {
		t.Errorf("the clone differs (-client +clone):\n%s", diff)
	}
	reached := map[uintptr]string{}
	reach(reflect.ValueOf(c), "the client", func(at uintptr, name string) { reached[at] = name })
	reach(reflect.ValueOf(clone), "the clone", func(at uintptr, name string) {
		if owner, shared := reached[at]; shared {
			t.Errorf("%s is also %s", name, owner)
		}
	})
	if empty := (&loop.Client{}).Clone(); !reflect.DeepEqual(empty, &loop.Client{}) {
		t.Errorf("the clone of an empty client is %+v", empty)
	}
}

// fill gives every field a value, and every list, map and pointer something that
// it leads to.
func fill(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 3, 2, 8, 15, 0, 0, time.UTC)))
	case v.Kind() == reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element)
		v.SetMapIndex(reflect.New(v.Type().Key()).Elem(), element)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.String:
		v.SetString("text")
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.CanInt():
		v.SetInt(1)
	}
}

// reach reports all memory that the value leads to.
func reach(v reflect.Value, name string, report func(at uintptr, name string)) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return // nobody can alter what it leads to
		}
		for field, value := range v.Fields() {
			reach(value, name+"."+field.Name, report)
		}
	case reflect.Slice:
		report(v.Pointer(), name)
		for i := range v.Len() {
			reach(v.Index(i), name+"[]", report)
		}
	case reflect.Map:
		report(v.Pointer(), name)
		for _, value := range v.Seq2() {
			reach(value, name+"[]", report)
		}
	case reflect.Pointer:
		report(v.Pointer(), name)
		reach(v.Elem(), name, report)
	default:
	}
}
