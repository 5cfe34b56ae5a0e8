package web

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/loop-health/loop/internal/loop"
)

// ErrorForm writes an error in the form of a standard: its media type and the body.
// uri is the page that explains the error's code.
type ErrorForm func(e *loop.Error, id loop.RequestID, uri string) (kind string, body []byte)

type errorForm struct {
	path string
	form ErrorForm
}

// ErrorsBelow gives every error of an address below a path, and of the path itself,
// a form of its own: of routes, and of what reaches none.
func (s *Site) ErrorsBelow(path string, form ErrorForm) {
	s.forms = append(s.forms, errorForm{path, form})
}

// formOf is the form of errors at the request's address; nil: the platform's own.
func (s *Site) formOf(r *http.Request) ErrorForm {
	for _, f := range s.forms {
		if r.URL.Path == f.path || strings.HasPrefix(r.URL.Path, f.path+"/") {
			return f.form
		}
	}
	return nil
}

// WithMessage is the platform's own form, with the description as message as well: for
// clients that read error and message.
func WithMessage(e *loop.Error, id loop.RequestID, uri string) (kind string, body []byte) {
	body, _ = json.Marshal(struct { // texts and a number: never an error
		errorAnswer
		Message string `json:"message"`
	}{answerOf(e, id, uri), e.Description})
	return "application/json", body
}

// WriteAs answers with a body of a media type.
func WriteAs(w http.ResponseWriter, kind string, status int, body []byte) {
	_ = write(w, kind, status, body) // the client has gone: nobody reads the error
}
