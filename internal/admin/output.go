package admin

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// show answers with the value as JSON where that was asked for, else as write
// puts it for a person.
func (run *Run) show(value any, write func(io.Writer) error) error {
	if !run.JSON {
		return write(run.Stdout)
	}
	encoder := json.NewEncoder(run.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// line writes one sentence.
func line(format string, args ...any) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		return err
	}
}

// moment writes a time; nothing where there is none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
