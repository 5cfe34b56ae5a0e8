package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/loop-health/loop/internal/loop"
)

// maxFormBytes bounds a form's body; maxParameters the number of its values.
const (
	maxFormBytes  = 64 << 10
	maxParameters = 100
)

// Query reads the parameters of the request's query, as strictly as a form.
func Query(r *http.Request) (url.Values, error) { return parseParameters(r.URL.RawQuery) }

// Form reads a form-encoded body, once, and nothing from the query: 64 KiB and
// 100 values at most, UTF-8 without NUL. Another content type is
// InvalidRequest, a larger body PayloadTooLarge.
func Form(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if !IsForm(r) || len(r.Header.Values("Content-Type")) != 1 {
		return nil, loop.Errorf(loop.InvalidRequest, "Send the parameters as a form: Content-Type application/x-www-form-urlencoded.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFormBytes))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, loop.Errorf(loop.PayloadTooLarge, "The form is larger than %d bytes. Send less.", tooLarge.Limit)
	}
	if err != nil {
		return nil, loop.Errorf(loop.InvalidRequest, "The body ended before it was complete. Send it again.").Because(err)
	}
	return parseParameters(string(body))
}

const formType = "application/x-www-form-urlencoded"

// IsForm reports whether the request's body says that it is a form, with whatever
// parameters (RFC 9110 §8.3).
func IsForm(r *http.Request) bool {
	sent := r.Header.Get("Content-Type")
	if sent == formType || sent == "" { // as nearly all requests have it: nothing to parse
		return sent == formType
	}
	kind, _, err := mime.ParseMediaType(sent)
	return err == nil && kind == formType
}

// parseParameters reads form-encoded parameters. Each name and value must be
// well formed: one bad escape, a NUL or a byte that is not UTF-8 refuses all.
func parseParameters(encoded string) (url.Values, error) {
	if strings.Count(encoded, "&") >= maxParameters {
		return nil, loop.Errorf(loop.InvalidRequest, "There are more than %d parameters. Send fewer.", maxParameters)
	}
	values, err := url.ParseQuery(encoded)
	if err != nil {
		return nil, loop.Errorf(loop.InvalidRequest, "The parameters are not well-formed: encode them as application/x-www-form-urlencoded.").Because(err)
	}
	for name, list := range values {
		if !isText(name) || slices.ContainsFunc(list, func(value string) bool { return !isText(value) }) {
			return nil, loop.Errorf(loop.InvalidRequest, "A parameter holds a NUL or is not UTF-8.")
		}
	}
	return values, nil
}

// isText reports whether a text is UTF-8 without NUL.
func isText(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }
