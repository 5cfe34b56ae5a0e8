// Package tomltext says where in a TOML file something is wrong.
package tomltext

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// NotTOML says where the file at a path is not what it should be, of an error of the
// library's.
func NotTOML(path string, err error) error {
	fault, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return fmt.Errorf("%s is not TOML: %w", path, err)
	}
	return fmt.Errorf("%s:%d is not TOML: %s", path, fault.Position.Line, strings.ReplaceAll(fault.Message, "\n", " "))
}

// Line finds the line of a key: its name, after those of the tables that it is in, each a
// bare key; of a text of several lines it is the last. 0: it is not there. The library says where a value is that is refused, and
// nowhere else: so it is asked for this one alone, to be refused.
func Line(text []byte, key ...string) int {
	one := reflect.TypeFor[refused]()
	for i := len(key) - 1; i >= 0; i-- {
		one = reflect.StructOf([]reflect.StructField{{Name: "Key", Type: one, Tag: reflect.StructTag(fmt.Sprintf("toml:%q", key[i]))}})
	}
	fault, _ := errors.AsType[toml.ParseError](toml.Unmarshal(text, reflect.New(one).Interface()))
	return fault.Position.Line
}

// refused is a value that is never taken.
type refused struct{}

// UnmarshalTOML refuses.
func (*refused) UnmarshalTOML(any) error { return errors.New("refused") }
