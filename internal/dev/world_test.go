package dev

import (
	"crypto/rand"
	"time"
)

// testWorld stands at one moment, with real randomness.
type testWorld struct{ now time.Time }

func newWorld() *testWorld { return &testWorld{now: time.Now().UTC()} } // certificates are judged by the machine's clock

func (w *testWorld) Now() time.Time { return w.now }

// Elapsed follows the clock.
func (w *testWorld) Elapsed() time.Duration     { return w.now.Sub(time.Unix(0, 0)) }
func (w *testWorld) Read(p []byte) (int, error) { return rand.Read(p) }
