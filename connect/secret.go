package connect

import (
	"fmt"
	"log/slog"
)

// redacted stands for a secret wherever it would be shown.
const redacted = "[secret]"

// Secret is a text that nobody but Loop and the app may see: a token, the app's own
// secret. Printed or logged it says only that it is there; string(s) is the text.
type Secret string

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the text (%#v).
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// Format hides the text, whatever the verb.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = fmt.Fprint(f, s.GoString())
		return
	}
	_, _ = fmt.Fprint(f, s.String())
}

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the text from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
