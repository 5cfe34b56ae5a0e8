package outbox

import (
	"encoding/binary"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Policy is how messages of a kind are sent.
type Policy struct {
	Retries        []time.Duration // the waits between attempts; after the last attempt the message is given up
	Timeout        time.Duration   // of one attempt
	AtOnce         int             // attempts at a time, by this process
	PerDestination int             // attempts at a time at one destination
	Keeps          bool            // what a message says is kept when it is settled: it can be sent again
}

// claimMargin is how long a claim outlives the attempt that it is for, so that what
// became of it can be written.
const claimMargin = 30 * time.Second

// jitter is the largest part by which a wait is shortened, as one in so many:
// messages that failed together are not sent again together.
const jitter = 10

// wait is how long to wait after so many attempts; not ok after the last.
func (p Policy) wait(attempts int, w loop.World) (time.Duration, bool) {
	if attempts > len(p.Retries) {
		return 0, false
	}
	full := p.Retries[attempts-1]
	span := uint64(full / jitter) //nolint:gosec // G115: waits are not negative
	if span == 0 {
		return full, true
	}
	var random [8]byte
	_, _ = w.Read(random[:])
	return full - time.Duration(binary.BigEndian.Uint64(random[:])%span), true //nolint:gosec // G115: less than a wait
}
