package loop

import (
	"crypto/rand"
	"time"
)

// World is all that the platform takes from outside its own state: the time
// and randomness. Rules receive it, so that a test can hold both.
type World interface {
	// Now is the present moment in UTC. It never runs back, not even when the
	// machine's clock does.
	Now() time.Time
	// Read fills p with unpredictable bytes. It never fails.
	Read(p []byte) (int, error)
}

// Machine is the World of a running process: the system's clock, as it is, and
// the system's randomness. Wrap it in what keeps time from running back.
type Machine struct{}

// Now is the machine's time in UTC.
func (Machine) Now() time.Time { return time.Now().UTC() }

// Read fills p from the system's source of randomness.
func (Machine) Read(p []byte) (int, error) { return rand.Read(p) }
