package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
)

// holding is an answer whose connection was lost while it was being written: it still
// holds what it was given.
type holding struct {
	http.ResponseWriter
	held []byte
}

func (h *holding) Write(p []byte) (int, error) {
	h.held = p
	return 0, errors.New("the stream was reset")
}

// What is written over while a stream that was reset still sends it would reach
// another app.
func TestSec500_ABufferThatMayStillBeSentIsNotUsedAgain(t *testing.T) {
	w := &holding{ResponseWriter: httptest.NewRecorder()}
	b := TakeBuffer()
	b.Body = append(b.Body, `{"of":"anna"}`...)
	b.SendJSON(w, http.StatusOK)
	for range 100 {
		next := TakeBuffer()
		next.Body = append(next.Body, `{"of":"ben"}.`...)
	}
	if string(w.held) != `{"of":"anna"}` {
		t.Errorf("what may still be sent has become %s", w.held)
	}
}

func TestBuffer_SendsAllThatIsInIt(t *testing.T) {
	for range 3 { // the same one again, perhaps
		b := TakeBuffer()
		if len(b.Body) != 0 {
			t.Fatalf("a buffer holds %q at first", b.Body)
		}
		b.Body = append(b.Body, `{"a":1}`...)
		w := httptest.NewRecorder()
		b.SendJSON(w, http.StatusCreated)
		if w.Code != http.StatusCreated || w.Body.String() != `{"a":1}` || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Length") != "7" {
			t.Errorf("the answer is %d %v %s", w.Code, w.Header(), w.Body)
		}
	}
}
