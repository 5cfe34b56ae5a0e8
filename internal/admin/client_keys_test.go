package admin

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// A file of clients has a key for each flag, under the name that loop client show --json
// prints.
func TestClientKeys_AreAllFieldsUnderTheNamesThatAreShown(t *testing.T) {
	t.Parallel()
	shown := []string{"baa_signed_on", "baa_by", "no_baa"} // of which baa is made
	for _, field := range reflect.VisibleFields(reflect.TypeFor[clientView]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		shown = append(shown, name)
	}
	for name := range clientKeys() {
		if !slices.Contains(shown, name) {
			t.Errorf("%s is shown under another name", name)
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[clientFlags]()) {
		if !field.Anonymous && field.Tag.Get("toml") == "" {
			t.Errorf("the flag %s has no key", field.Name)
		}
	}
}
