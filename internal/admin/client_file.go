package admin

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/tomltext"
)

// maxClientFile bounds a file of clients, in bytes.
const maxClientFile = 512 << 10

// clientTable is one table of a file of clients: which client is meant, and the fields
// that it is to have.
type clientTable struct {
	ID   *loop.ClientID `toml:"client_id"`
	Type *string        `toml:"client_type"`
	JWKS *string        `toml:"jwks"` // the public keys themselves: the server may not see a file of them
	clientFlags

	label string // the table's name, which means something in the file alone
	file  *clientFile
}

// clientFile is a file of clients as text, so that a fault can name its line.
type clientFile struct {
	path string
	text []byte
}

// readClients reads a file of clients, its tables in their order. All its faults come
// back at once, joined, but where it is not TOML at all.
func readClients(path string, from io.Reader) ([]*clientTable, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxClientFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file of clients: %w", err)
	}
	if len(text) > maxClientFile {
		return nil, fmt.Errorf("%s is larger than %d KiB: spread the apps over several files", path, maxClientFile>>10)
	}
	f := &clientFile{path, text}
	var values map[string]any
	read, err := toml.Decode(string(text), &values)
	if err != nil {
		return nil, tomltext.NotTOML(path, err)
	}
	var (
		labels []string
		faults []error
	)
	for _, key := range read.Keys() {
		if label := key[0]; !slices.Contains(labels, label) {
			labels = append(labels, label)
			faults = append(faults, f.check(label, values[label]))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if len(labels) == 0 {
		return nil, fmt.Errorf("%s names no app: each has a table, such as [morning-labs]", path)
	}
	return f.decode(labels)
}

// decode reads the tables, which have been checked.
func (f *clientFile) decode(labels []string) ([]*clientTable, error) {
	var named map[string]*clientTable
	if err := toml.Unmarshal(f.text, &named); err != nil {
		return nil, tomltext.NotTOML(f.path, err)
	}
	tables := make([]*clientTable, len(labels))
	for i, label := range labels {
		tables[i] = named[label]
		tables[i].label, tables[i].file = label, f
	}
	return tables, nil
}

// check refuses a table whose name is no bare key, and keys of it that nobody knows.
func (f *clientFile) check(label string, value any) error {
	table, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %q is in no table: each app has one, such as [morning-labs], and its keys below it", f.path, label)
	}
	if strings.Trim(label, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" || label == "" {
		return fmt.Errorf("%s: the table %q is not named by letters without accents, digits, - and _, such as [morning-labs]", f.path, label)
	}
	known := clientKeys()
	var faults []error
	for _, name := range sortedKeys(table) {
		if want, ok := known[name]; !ok {
			faults = append(faults, f.fault(label, name, "%s", unknownKey(name, sortedKeys(known))))
		} else if !fits(table[name], want) {
			faults = append(faults, f.fault(label, name, "%s must be %s", name, described(want)))
		}
	}
	return errors.Join(faults...)
}

// fault is a fault of a key, with its line, or that of its table where it is not in the file.
func (f *clientFile) fault(label, key, format string, args ...any) error {
	at := f.path
	if line := cmp.Or(tomltext.Line(f.text, label, key), tomltext.Line(f.text, label)); line > 0 {
		at = fmt.Sprintf("%s:%d", f.path, line)
	}
	return loop.Errorf(loop.ValidationError, "%s: [%s] %s", at, label, fmt.Sprintf(format, args...)).About(key)
}

// unknownKey says of a key that is none what to do.
func unknownKey(name string, known []string) string {
	switch name {
	case "client_secret":
		return "a secret does not belong in this file: a new app is given one, printed once, and loop client rotate-secret makes another"
	case "jwks_file":
		return "jwks_file is a flag: here the keys themselves are given, jwks = '''{\"keys\": [...]}'''"
	}
	return fmt.Sprintf("there is no key %q%s: the known ones are %s", name, loop.Suggestion(name, known), strings.Join(known, ", "))
}

// clientKeys are the keys of a table, each with the type of its field.
func clientKeys() map[string]reflect.Type {
	keys := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[clientTable]()) {
		if name := field.Tag.Get("toml"); name != "" && name != "-" {
			keys[name] = field.Type
		}
	}
	return keys
}

// fits reports whether a value of the file is of the kind that a field takes.
func fits(value any, field reflect.Type) bool {
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch value := value.(type) {
	case string:
		_, err := time.ParseDuration(value)
		return field.Kind() == reflect.String || field == reflect.TypeFor[time.Duration]() && err == nil
	case bool:
		return field.Kind() == reflect.Bool
	case []any:
		return field.Kind() == reflect.Slice && !slices.ContainsFunc(value, func(one any) bool { _, ok := one.(string); return !ok })
	case map[string]any:
		for _, one := range value {
			if _, ok := one.(int64); !ok {
				return false
			}
		}
		return field.Kind() == reflect.Map
	}
	return false
}

// described says what fits a field.
func described(field reflect.Type) string {
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch {
	case field == reflect.TypeFor[time.Duration]():
		return `a duration with its unit, as a text: "10m"`
	case field.Kind() == reflect.Bool:
		return "true or false"
	case field.Kind() == reflect.Slice:
		return `a list of texts: ["…", "…"]`
	case field.Kind() == reflect.Map:
		return "numbers by name: { token = 600 }"
	}
	return `a text: "…"`
}
