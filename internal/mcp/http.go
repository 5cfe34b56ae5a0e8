package mcp

import (
	"errors"
	"net/http"

	"github.com/loop-health/loop/internal/web"
)

// maxBody bounds a request. Arguments are filters, and small.
const maxBody = 64 << 10

// Serve answers a POST to the endpoint, for a caller who was proven.
func (s *Server[C]) Serve(w http.ResponseWriter, r *http.Request, caller C) error {
	if _, err := web.Negotiate(r, "application/json"); err != nil {
		return err
	}
	body, err := web.JSONBody(w, r, maxBody)
	if err != nil {
		return err
	}
	m, fault := parse(body)
	if fault != nil {
		return write(w, http.StatusBadRequest, response{ID: null, Error: fault})
	}
	if m.isAnswer() || m.isNotification() {
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	req, fault := newRequest(m, r.Header)
	if fault != nil {
		return write(w, http.StatusBadRequest, response{ID: m.ID, Error: fault})
	}
	result, err := s.handle(r.Context(), caller, req)
	if fault, ok := errors.AsType[*Fault](err); ok {
		return write(w, statusOf(fault, req.modern), response{ID: m.ID, Error: fault})
	}
	if err != nil {
		return err
	}
	return write(w, http.StatusOK, response{ID: m.ID, Result: s.complete(result, req.modern)})
}

// null is the id of an answer to what could not be read.
var null = []byte("null")

// statusOf is the HTTP status of a fault: older clients read it from the body alone.
func statusOf(f *Fault, modern bool) int {
	if modern && f.Code == codeMethodNotFound {
		return http.StatusNotFound
	}
	return http.StatusOK
}

func write(w http.ResponseWriter, status int, answer response) error {
	answer.Version = "2.0"
	return web.WriteJSON(w, status, answer)
}
