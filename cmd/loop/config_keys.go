package main

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// key is one key of the configuration, as the tags of config say.
type key struct {
	name, fallback, required, help, more, placeholder string

	only  string // environment or file; empty: it can be given in every way
	field int    // of config
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
				placeholder: tag.Get("placeholder"), only: tag.Get("only"), field: i,
			})
		}
	}
	return all
}

func (k key) variable() string { return "LOOP_" + strings.ToUpper(k.name) }

// read reads the key's text into its field. Where nobody gave one, the field stays
// empty.
func (k key) read(c *config, text string) error {
	if text == "" && k.required != "" {
		return fmt.Errorf("is missing: %s", k.required)
	}
	if text == "" {
		return nil
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
				Tag: reflect.StructTag(fmt.Sprintf("name:%q help:%q placeholder:%q", strings.ReplaceAll(k.name, "_", "-"), k.flagHelp(), k.placeholder)),
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
