package main

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/loop-health/loop/internal/loop"
)

// key is one key of the configuration, as the tags of config say.
type key struct {
	name, fallback, required, help, more, placeholder string

	oneof []string // nil: it can be any text
	only  string   // environment or file; empty: it can be given in every way
	field int      // of config
}

// Where a key can be given alone.
const (
	onlyEnvironment = "environment"
	onlyFile        = "file"
)

// keys are all keys, in the order in which they are shown.
var keys = readKeys(reflect.TypeFor[config]())

func readKeys(of reflect.Type) []key {
	var all []key
	for i := range of.NumField() {
		tag := of.Field(i).Tag
		if name, ok := tag.Lookup("key"); ok {
			all = append(all, key{
				name: name, fallback: tag.Get("default"), required: tag.Get("required"), help: tag.Get("help"), more: tag.Get("more"),
				placeholder: tag.Get("placeholder"), oneof: strings.Fields(tag.Get("oneof")), only: tag.Get("only"), field: i,
			})
		}
	}
	return all
}

func (k key) variable() string { return "LOOP_" + strings.ToUpper(k.name) }

func (k key) flag() string { return "--" + strings.ReplaceAll(k.name, "_", "-") }

// ways are those by which the key can be given, for a person.
func (k key) ways() string {
	if k.only != "" {
		return k.variable()
	}
	return k.flag() + ", " + k.variable() + ", or " + k.name + " in the file of --config"
}

// read reads what was given for the key into its field. Where nobody gave anything, the
// field is what it is by default, or stays empty.
func (k key) read(c *config) error {
	from, ok := c.given[k.name]
	if !ok && k.required != "" {
		return fmt.Errorf("%s is missing: %s (%s)", k.name, k.required, k.ways())
	}
	text := from.text
	if !ok {
		text = k.fallback
	}
	if text == "" {
		return nil
	}
	if err := k.set(c, text); err != nil {
		return fmt.Errorf("%s: %w", from.at(k), err)
	}
	return nil
}

func (k key) set(c *config, text string) error {
	if len(k.oneof) > 0 {
		if text = strings.ToLower(text); !slices.Contains(k.oneof, text) {
			return fmt.Errorf("%q is none of %s%s", text, strings.Join(k.oneof, ", "), loop.Suggestion(text, k.oneof))
		}
	}
	field := reflect.ValueOf(c).Elem().Field(k.field)
	if value, ok := field.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return value.UnmarshalText([]byte(text))
	}
	field.SetString(text)
	return nil
}

// serveFlags are the keys as flags, for kong: a struct of texts, made from the keys.
type serveFlags struct {
	Config string       `help:"A TOML file with these same keys, written with underscores." placeholder:"FILE"`
	Keys   kong.Plugins `embed:""`
}

func newServeFlags() serveFlags {
	var fields []reflect.StructField
	for _, k := range keys {
		if k.only == "" {
			fields = append(fields, reflect.StructField{
				Name: reflect.TypeFor[config]().Field(k.field).Name, Type: reflect.TypeFor[string](),
				Tag: reflect.StructTag(fmt.Sprintf("name:%q help:%q placeholder:%q", strings.TrimPrefix(k.flag(), "--"), k.flagHelp(), k.placeholder)),
			})
		}
	}
	return serveFlags{Keys: kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}}
}

// flagHelp is the help of the key's flag: plain text, with the default.
func (k key) flagHelp() string {
	help := code.ReplaceAllString(k.help, "$1$2")
	if k.fallback != "" {
		help = strings.TrimSuffix(help, ".") + " (default: " + k.fallback + ")."
	}
	return help
}

// values gives what the flags say, by key; empty: a flag is not given.
func (f serveFlags) values() map[string]string {
	given := make(map[string]string)
	flags := reflect.ValueOf(f.Keys[0]).Elem()
	for _, k := range keys {
		if k.only == "" {
			given[k.name] = flags.FieldByName(reflect.TypeFor[config]().Field(k.field).Name).String()
		}
	}
	return given
}
