// Package jsontext writes JSON by appending to it, for answers that are too long and
// too frequent for reflection. It has what encoding/json would write of a text.
package jsontext

import "encoding/json"

// AppendText appends a text as a JSON string, as json.Marshal writes it.
func AppendText(to []byte, text string) []byte {
	if !plain(text) {
		encoded, _ := json.Marshal(text) // a text always has a form
		return append(to, encoded...)
	}
	to = append(to, '"')
	to = append(to, text...)
	return append(to, '"')
}

// plain reports whether a text stands in JSON as it is: ASCII without quotes,
// control characters and what HTML would read.
func plain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}
