package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// Fault is one thing that is wrong with a command, for the operator.
type Fault struct {
	Code  loop.Code `json:"error"` // of the platform's closed list; commandFailed: it has none
	Text  string    `json:"error_description"`
	Field string    `json:"field,omitempty"` // the field at fault, where there is one
}

// commandFailed is the code of a fault that is none of the platform's errors: a file that
// can't be read, a server that doesn't answer.
const commandFailed loop.Code = "command_failed"

// AsksForJSON reports whether a command's arguments ask for an answer in JSON, errors
// too.
func AsksForJSON(args []string) bool { return slices.Contains(args, "--json") }

// Fail writes every fault, one a line, or all as one object of JSON, and gives the exit
// status.
func Fail(stderr io.Writer, inJSON bool, err error) int {
	faults := faultsOf(err)
	if inJSON {
		_ = json.NewEncoder(stderr).Encode(map[string][]Fault{"errors": faults}) // nobody is left to tell
		return 1
	}
	for _, fault := range faults {
		_, _ = fmt.Fprintln(stderr, "loop: "+fault.Text)
	}
	return 1
}

// faultsOf turns an error into sentences for the operator, one for each error that was
// joined. What a *loop.Error hides from the outside, an operator may see.
func faultsOf(err error) []Fault {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []Fault
		for _, one := range joined.Unwrap() {
			all = append(all, faultsOf(one)...)
		}
		return all
	}
	known, ok := errors.AsType[*loop.Error](err)
	if !ok {
		return []Fault{{Code: commandFailed, Text: strings.ReplaceAll(err.Error(), "\n", "; ")}} // a sentence is a line
	}
	fault := Fault{Code: known.Code, Text: known.Description, Field: known.Field}
	switch cause := known.Unwrap(); {
	case cause == nil:
	case known.Code == loop.ServerError:
		fault.Text = cause.Error()
	case known.Code == loop.TemporarilyUnavailable:
		fault.Text += " The cause: " + strings.ReplaceAll(cause.Error(), "\n", "; ")
	}
	return []Fault{fault}
}
