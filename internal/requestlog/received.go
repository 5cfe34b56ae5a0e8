package requestlog

import (
	"net/url"
	"slices"
	"unicode/utf8"
)

// Parameter is a parameter of a request, as its developer may see it again.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
	// Length is how long a value was that is not kept, in bytes.
	Length int `json:"length,omitempty"`
	// Times is how often it was sent, where that was more than once.
	Times int `json:"times,omitempty"`
}

// shown are the parameters whose values are no secret and name nobody. Of every
// other one the length is kept alone.
var shown = []string{
	"acr_values", "audience", "aud", "client_assertion_type", "client_id", "code_challenge_method", "display", "dpop_jkt", "grant_type",
	"max_age", "post_logout_redirect_uri", "prompt", "redirect_uri", "resource", "response_mode", "response_type", "scope",
	"token_type_hint", "ui_locales",
}

// The bounds of what is kept of a request.
const (
	maxReceived = 30
	maxName     = 40
	maxValue    = 512
)

// Received is what is kept of a request's parameters, by name: no token, secret, code
// or value of anybody's.
func Received(sent url.Values) []Parameter {
	names := make([]string, 0, len(sent))
	for name := range sent {
		names = append(names, name)
	}
	slices.Sort(names)
	var kept []Parameter
	for _, name := range names[:min(len(names), maxReceived)] {
		kept = append(kept, received(name, sent[name]))
	}
	return kept
}

func received(name string, values []string) Parameter {
	p := Parameter{Name: cut(name, maxName)}
	if len(values) > 1 {
		p.Times = len(values)
	}
	switch {
	case len(values) == 0:
	case slices.Contains(shown, name):
		p.Value = cut(values[0], maxValue)
	default:
		p.Length = len(values[0])
	}
	return p
}

// cut shortens a text to so many bytes at most, whole letters only.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}
