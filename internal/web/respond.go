package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/loop-health/loop/internal/loop"
)

// status is the status of an answer that carries a code (docs/errors/index.md). Codes that travel by redirect alone have the status of the page
// that is shown where no redirect can be trusted.
func status(code loop.Code) int {
	switch code {
	case loop.InvalidClient, loop.Unauthenticated, loop.InvalidToken, loop.InsufficientUserAuthentication:
		return http.StatusUnauthorized
	case loop.InsufficientScope, loop.Forbidden:
		return http.StatusForbidden
	case loop.NotFound:
		return http.StatusNotFound
	case loop.MethodNotAllowed:
		return http.StatusMethodNotAllowed
	case loop.NotAcceptable:
		return http.StatusNotAcceptable
	case loop.Conflict:
		return http.StatusConflict
	case loop.PayloadTooLarge:
		return http.StatusRequestEntityTooLarge
	case loop.URITooLong:
		return http.StatusRequestURITooLong
	case loop.UnsupportedMediaType:
		return http.StatusUnsupportedMediaType
	case loop.RateLimited:
		return http.StatusTooManyRequests
	case loop.HeadersTooLarge:
		return http.StatusRequestHeaderFieldsTooLarge
	case loop.ServerError:
		return http.StatusInternalServerError
	case loop.TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusBadRequest
	}
}

// Status is the HTTP status of an answer that carries the error.
func Status(e *loop.Error) int { return status(e.Code) }

// WriteJSON answers with v as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	WriteEncodedJSON(w, status, body)
	return nil
}

// WriteEncodedJSON answers with JSON that is written already.
func WriteEncodedJSON(w http.ResponseWriter, status int, body []byte) {
	_ = writeJSON(w, status, body) // the client has gone: nobody reads the error
}

func writeJSON(w http.ResponseWriter, status int, body []byte) error {
	return write(w, "application/json", status, body)
}

func write(w http.ResponseWriter, kind string, status int, body []byte) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, err := w.Write(body)
	return err
}

// WriteJWT answers with a signed JWT of the given media type.
func WriteJWT(w http.ResponseWriter, kind, token string) error {
	_ = write(w, kind, http.StatusOK, []byte(token)) // as above
	return nil
}

// SeeOther answers with where to go next (303, so that nothing is posted again:
// RFC 9700 §4.12). The caller has proven that the address may be led to.
func SeeOther(w http.ResponseWriter, r *http.Request, to string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// errorAnswer is the body of every JSON error (docs/errors/index.md).
type errorAnswer struct {
	Error        loop.Code      `json:"error"`
	Description  string         `json:"error_description"`
	URI          string         `json:"error_uri"`
	RequestID    loop.RequestID `json:"request_id"`
	Field        string         `json:"field,omitempty"`
	RetryAfterMS int64          `json:"retry_after_ms,omitempty"`
}

func answerOf(e *loop.Error, id loop.RequestID, uri string) errorAnswer {
	return errorAnswer{Error: e.Code, Description: e.Description, URI: uri, RequestID: id, Field: e.Field, RetryAfterMS: e.RetryAfter.Milliseconds()}
}

// WriteError answers with the error as JSON. What is not a *loop.Error is shown
// as server_error; what lies beneath goes to the log alone.
func (s *Site) WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := s.publicError(w, r, err)
	answer := answerOf(e, RequestID(r.Context()), s.ExplainURI(r.Context(), e.Code))
	w.Header().Set("Cache-Control", "no-store")
	status := Status(e)
	if _, byResource := errors.AsType[refusedByResource](err); byResource && (e.Code == loop.InvalidDPoPProof || e.Code == loop.UseDPoPNonce) {
		status = http.StatusUnauthorized // RFC 9449 §7.1
	}
	if form := s.formOf(r); form != nil {
		kind, body := form(e, answer.RequestID, answer.URI)
		_ = write(w, kind, status, body) // as above
		return
	}
	_ = WriteJSON(w, status, answer)
}

// writeErrorPage answers with the error as a page of the host.
func (s *Site) writeErrorPage(w http.ResponseWriter, r *http.Request, err error) {
	e := s.publicError(w, r, err)
	if err := s.ErrorPage(w, r, e); err != nil {
		s.WriteError(w, r, fmt.Errorf("showing the error page for %s: %w", e.Code, err))
	}
}

// publicError prepares an error for the outside.
func (s *Site) publicError(w http.ResponseWriter, r *http.Request, err error) *loop.Error {
	e := loop.AsError(err)
	s.Note(w, r, e)
	return e
}

// Note notes an error for the log line, sets the headers that belong to it and
// gives its status: for pages that show it in their own way.
func (s *Site) Note(w http.ResponseWriter, r *http.Request, e *loop.Error) int {
	NoteError(r.Context(), e)
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(wholeSeconds(e.RetryAfter), 10))
	}
	return Status(e)
}

// DocumentationPath is where the documentation begins on the developers' host.
const DocumentationPath = "/docs"

// ErrorPath is the page of the documentation that explains the code, on the
// developers' host.
func ErrorPath(code loop.Code) string { return DocumentationPath + "/errors/" + string(code) }

// RequestParameter is by which a page of the documentation learns which request it is
// asked about.
const RequestParameter = "request"

// ExplainURI is ErrorURI with the id of the request, so that the page can lead the
// app's developer to what was received.
func (s *Site) ExplainURI(ctx context.Context, code loop.Code) string {
	return s.ErrorURI(code) + "?" + RequestParameter + "=" + string(RequestID(ctx))
}

// ErrorURI is the page of the documentation that explains the code.
func (s *Site) ErrorURI(code loop.Code) string {
	return s.Developers.JoinPath(ErrorPath(code)).String()
}
