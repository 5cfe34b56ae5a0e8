package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/loop-health/loop/internal/loop"
)

// JSONBody reads a body of JSON, of so many bytes at most. Another content type is
// UnsupportedMediaType, a larger body PayloadTooLarge, one that is not UTF-8
// InvalidRequest.
func JSONBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, named := params["charset"]
	if err != nil || kind != "application/json" || len(r.Header.Values("Content-Type")) != 1 || named && charset != "utf-8" && charset != "UTF-8" {
		return nil, loop.Errorf(loop.UnsupportedMediaType, "Send the body as JSON: Content-Type application/json.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, loop.Errorf(loop.PayloadTooLarge, "The body is larger than %d bytes. Send less at once.", tooLarge.Limit)
	}
	if err != nil {
		return nil, loop.Errorf(loop.InvalidRequest, "The body ended before it was complete. Send it again.").Because(err)
	}
	if !utf8.Valid(body) {
		return nil, loop.Errorf(loop.InvalidRequest, "The body is not UTF-8.")
	}
	return body, nil
}
