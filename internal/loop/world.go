package loop

import (
	"crypto/rand"
	"time"
)

// World is all that the platform takes from outside its own state: the time
// and randomness. Rules receive it, so that a test can hold both.
type World interface {
	// Now is the present moment in UTC.
	Now() time.Time
	// Elapsed is how long the world has run, by a clock that nobody can set: only
	// its differences mean anything. What counts down within a process goes by it.
	Elapsed() time.Duration
	// Read fills p with unpredictable bytes. It never fails.
	Read(p []byte) (int, error)
}

// Machine is the World of a running process: the system's clocks, as they are, and
// the system's randomness. Clock keeps a platform's time from what happens to them.
type Machine struct{}

// Now is the machine's time in UTC.
func (Machine) Now() time.Time { return time.Now().UTC() }

// Elapsed is how long the process has run, by the system's monotonic clock.
func (Machine) Elapsed() time.Duration { return time.Since(processStart) }

// processStart holds the monotonic clock's reading near the start of the process.
var processStart = time.Now()

// Read fills p from the system's source of randomness.
func (Machine) Read(p []byte) (int, error) { return rand.Read(p) }
