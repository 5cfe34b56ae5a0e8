package audit

import "time"

// Filter says which records are meant. What is empty lets all through.
type Filter struct {
	Actor  string // the id of who acted
	Event  string // an event, or the thing in front of its dot: client is every event of clients
	Member string
	Client string
	Grant  string
	Since  time.Time // from this moment on
	Until  time.Time // before this moment

	// Behind gives of a lane the number of the record behind which to look.
	Behind map[string]int64
}
