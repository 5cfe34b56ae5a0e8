package visitor

import (
	"net/http"

	"github.com/loop-health/loop/internal/loop"
)

// Between a right password and the code of a second factor, a cookie holds whose
// password it was, sealed. What decides on the next step asks for the code first.

// CodePath is where a code is asked for.
const CodePath = "/code"

// Wait notes in the browser that a code is asked for.
func (v *Visitors) Wait(w http.ResponseWriter, waits string) {
	v.waiting.Set(w, waits, loop.SignInStepLife)
}

// StopWaiting forgets that a code was asked for.
func (v *Visitors) StopWaiting(w http.ResponseWriter) { v.waiting.Clear(w) }

// Waits is what Wait noted in the request's browser; empty: nothing.
func (v *Visitors) Waits(r *http.Request) string { return v.waiting.Read(r) }
