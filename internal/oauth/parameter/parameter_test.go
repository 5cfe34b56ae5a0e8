package parameter_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/loop-health/loop/internal/loop"
	"github.com/loop-health/loop/internal/oauth/parameter"
)

func TestWithoutEmpty(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ sent, left string }{
		"RFC 6749 §3.1 a parameter without a value did not come": {"a=&b=1", "b=1"},
		"one that came twice stays, to be refused":               {"a=&a=", "a=&a="},
		"a space is a value":                                     {"a=+", "a=+"},
		"nothing":                                                {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			params, err := url.ParseQuery(test.sent)
			if err != nil {
				t.Fatal(err)
			}
			if left := parameter.WithoutEmpty(params).Encode(); left != test.left {
				t.Errorf("%q leaves %q", test.sent, left)
			}
		})
	}
}

func TestNoDuplicates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sent, field string
		refused     bool
	}{
		"each once":                           {sent: "a=1&b=2"},
		"RFC 6749 §3.1 one twice":             {sent: "scope=1&scope=1", refused: true, field: "scope"},
		"RFC 8707 §2 several resources":       {sent: "resource=a&resource=b"},
		"a name that no answer should repeat": {sent: "%3Cb%3E=1&%3Cb%3E=2", refused: true},
		"a name that is too long to repeat":   {sent: strings.Repeat("a", 41) + "=1&" + strings.Repeat("a", 41) + "=2", refused: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			params, err := url.ParseQuery(test.sent)
			if err != nil {
				t.Fatal(err)
			}
			err = parameter.NoDuplicates(params)
			if (err != nil) != test.refused {
				t.Fatalf("%q: %v", test.sent, err)
			}
			if err != nil && (loop.AsError(err).Code != loop.InvalidRequest || loop.AsError(err).Field != test.field) {
				t.Errorf("%q: %v about %q", test.sent, err, loop.AsError(err).Field)
			}
		})
	}
}

func TestSingleAndRequired(t *testing.T) {
	t.Parallel()
	params := url.Values{"one": {"1"}, "two": {"1", "2"}, "blank": {" "}}
	for name, want := range map[string]struct {
		value          string
		once, required bool
	}{
		"one":   {"1", true, true},
		"two":   {"", false, true},
		"blank": {" ", true, false},
		"none":  {"", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, err := parameter.Single(params, name)
			if value != want.value || (err == nil) != want.once {
				t.Errorf("single gives %q, %v", value, err)
			}
			if _, err := parameter.Required(params, name); (err == nil) != want.required {
				t.Errorf("required: %v", err)
			}
		})
	}
}
