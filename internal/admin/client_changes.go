package admin

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"

	"github.com/loop-health/loop/internal/loop"
)

// fieldChange is a field of a client before and after, in JSON's types; nil: it is empty.
type fieldChange struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// clientChanges are the fields in which two clients differ, by name. Before nil: there
// was none.
func clientChanges(before, after *loop.Client) []fieldChange {
	was, is := settable(before), settable(after)
	all := maps.Clone(was)
	maps.Copy(all, is)
	changes := []fieldChange{}
	for _, name := range sortedKeys(all) {
		if !reflect.DeepEqual(was[name], is[name]) {
			changes = append(changes, fieldChange{name, was[name], is[name]})
		}
	}
	return changes
}

// settable is what an operator sets of a client, under the names of client metadata,
// without what is empty.
func settable(c *loop.Client) map[string]any {
	fields := map[string]any{}
	if c == nil {
		return fields
	}
	text, err := json.Marshal(viewClient(c)) //nolint:gosec // G117: the view of a client that is kept has no secret
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		return nil // what a store has kept is JSON: it can't fail
	}
	for _, name := range []string{"client_id", "logo_state", "review", "enabled", "stopped", "created_at", "updated_at"} {
		delete(fields, name)
	}
	maps.DeleteFunc(fields, func(_ string, value any) bool { return isEmpty(value) })
	return fields
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case bool:
		return !value
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// written is a value as JSON has it, so that nothing in it acts on a terminal.
func written(value any) string {
	if value == nil {
		return "none"
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "?" // it was JSON before
	}
	return string(bytes.TrimSpace(text.Bytes()))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
