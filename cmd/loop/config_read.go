package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/loop-health/loop/internal/dev"
)

// sources are where the configuration comes from: the flags, which win, the
// environment, and the file.
type sources struct {
	file  string            // its path; empty: there is none
	flags map[string]string // by key
	env   dev.Environment
}

// readConfig reads the configuration. All faults are returned at once, joined.
func readConfig(from sources) (*config, error) {
	c := &config{}
	given, err := c.layers(from)
	faults := []error{err}
	for _, k := range keys {
		if k.only == onlyFile {
			continue // readFile has
		}
		text, ok := given[k.name]
		if !ok {
			text = k.fallback
		}
		if err := k.read(c, text); err != nil {
			faults = append(faults, fmt.Errorf("%s (%s): %w", k.name, k.variable(), err))
		}
	}
	faults = append(faults, c.readMaster(), c.readSMTPPassword(), c.agree())
	return c, errors.Join(faults...)
}

// databaseOf reads the two keys that say where the database is; empty: it is on
// SQLite, or there is no pooler to go past.
func databaseOf(from sources) (address, direct databaseAddress, err error) {
	given, err := (&config{}).layers(from)
	if err != nil {
		return "", "", err
	}
	for name, into := range map[string]*databaseAddress{"database": &address, "database_direct": &direct} {
		if given[name] != "" {
			err = errors.Join(err, into.UnmarshalText([]byte(given[name])))
		}
	}
	return address, direct, err
}

// layers puts the sources over one another and refuses keys that nobody knows.
func (c *config) layers(from sources) (map[string]string, error) {
	given, fileErr := c.readFile(from.file)
	envErr := unknownVariables(from.env)
	for _, k := range keys {
		if text := from.env.Get(k.variable()); text != "" && k.only != onlyFile {
			given[k.name] = text
		}
	}
	for name, text := range from.flags {
		if text != "" {
			given[name] = text
		}
	}
	return given, errors.Join(fileErr, envErr)
}

// readFile reads the configuration file, where there is one.
func (c *config) readFile(path string) (map[string]string, error) {
	given := make(map[string]string)
	if path == "" {
		return given, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // G304: the operator names it
	if err != nil {
		return given, fmt.Errorf("the configuration file can't be read: %w", err)
	}
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		return given, fmt.Errorf("the configuration file %s is not TOML: %w", path, err)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text, err := c.readLine(name, values[name])
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", path, err))
		} else if text != "" {
			given[name] = text
		}
	}
	return given, errors.Join(faults...)
}

// tables is a key of the file that is no text.
type tables interface {
	// ReadTables reads the key's tables.
	ReadTables(value any) error
}

// readLine reads what the file says of a key: its text, or tables at once.
func (c *config) readLine(name string, value any) (text string, err error) {
	at := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if at < 0 {
		return "", fmt.Errorf("there is no key %s%s; the keys are %s", name, suggestion(name, fileKeys()), strings.Join(fileKeys(), ", "))
	}
	k := keys[at]
	switch k.only {
	case onlyEnvironment:
		return "", fmt.Errorf("a secret does not belong in this file: set %s, or put it in a file of its own and name that in %s_file", k.variable(), name)
	case onlyFile:
		return "", reflect.ValueOf(c).Elem().Field(k.field).Addr().Interface().(tables).ReadTables(value) //nolint:forcetypeassert // a test reads each
	}
	switch value := value.(type) {
	case string, int64:
		return fmt.Sprint(value), nil
	case []any:
		return joinTexts(name, value)
	default:
		return "", fmt.Errorf("%s must be a text, a number or a list of texts, at the file's top level", name)
	}
}

// joinTexts reads a list as flags and variables have it: with commas between.
func joinTexts(name string, list []any) (string, error) {
	texts := make([]string, len(list))
	for i, one := range list {
		text, ok := one.(string)
		if !ok || text == "" || strings.Contains(text, ",") {
			return "", fmt.Errorf("%s: each value of the list must be a text without commas", name)
		}
		texts[i] = text
	}
	return strings.Join(texts, ","), nil
}

func fileKeys() (names []string) {
	for _, k := range keys {
		if k.only != onlyEnvironment {
			names = append(names, k.name)
		}
	}
	return names
}

// unknownVariables refuses LOOP_ variables that nobody reads, which are mostly
// typos. Those of an app's environment, of the tests and of scripts that name their
// binary mean something elsewhere.
func unknownVariables(env dev.Environment) error {
	var known []string
	for _, k := range keys {
		if k.only != onlyFile {
			known = append(known, k.variable())
		}
	}
	var faults []error
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		elsewhere := slices.ContainsFunc([]string{"LOOP_CLIENT_", "LOOP_REDIRECT_URI", "LOOP_MEMBER", "LOOP_DEVELOPER_", "LOOP_TEST_", "LOOP_VULNDB", "LOOP_BIN"},
			func(prefix string) bool { return strings.HasPrefix(name, prefix) })
		if strings.HasPrefix(name, "LOOP_") && !slices.Contains(known, name) && !elsewhere {
			faults = append(faults, fmt.Errorf("the environment sets %s, which nothing reads%s: correct or unset it", name, suggestion(name, known)))
		}
	}
	return errors.Join(faults...)
}
