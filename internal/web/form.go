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
func Query(r *http.Request, read ...string) (url.Values, error) {
	return parseParameters(r.URL.RawQuery, read)
}

// Form reads a form-encoded body, once, and nothing from the query: 64 KiB and
// 100 values at most, UTF-8 without NUL. Another content type is
// InvalidRequest, a larger body PayloadTooLarge.
//
// Read names the parameters that the caller reads; none means all. One of them
// that is not well formed is InvalidRequest. Others may be as they like, and are
// left out where they are not well formed: what nobody reads refuses nothing.
func Form(w http.ResponseWriter, r *http.Request, read ...string) (url.Values, error) {
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
	return parseParameters(string(body), read)
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

// parseParameters reads form-encoded parameters.
func parseParameters(encoded string, read []string) (url.Values, error) {
	if strings.Count(encoded, "&") >= maxParameters {
		return nil, loop.Errorf(loop.InvalidRequest, "There are more than %d parameters. Send fewer.", maxParameters)
	}
	values := url.Values{}
	for pair := range strings.SplitSeq(encoded, "&") {
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, nameFits := decode(rawName)
		value, valueFits := decode(rawValue)
		switch {
		case pair == "":
		case nameFits && valueFits:
			values[name] = append(values[name], value)
		case len(read) == 0:
			return nil, loop.Errorf(loop.InvalidRequest, "The parameters are not well-formed: encode them as application/x-www-form-urlencoded, in UTF-8 and without NUL.")
		case nameFits && slices.Contains(read, name):
			return nil, loop.Errorf(loop.InvalidRequest, "The %s is not well-formed: encode it as application/x-www-form-urlencoded, in UTF-8 and without NUL, a semicolon as %%3B.", name).About(name)
		}
	}
	return values, nil
}

// decode undoes the encoding of a name or a value. A semicolon, which some software
// takes for the end of a parameter, is never taken as it is.
func decode(raw string) (text string, ok bool) {
	if strings.IndexByte(raw, ';') >= 0 {
		return "", false
	}
	text, err := url.QueryUnescape(raw)
	return text, err == nil && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}
