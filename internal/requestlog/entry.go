package requestlog

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/loop-health/loop/internal/loop"
)

// Entry is a request of an app, and what it came to.
type Entry struct {
	Request  loop.RequestID `json:"id"`
	At       time.Time      `json:"at"`
	Host     string         `json:"host"`  // the role that answered: identity, clinical
	Route    string         `json:"route"` // its pattern, such as "POST /v1/oauth/token"
	Status   int            `json:"status"`
	Took     time.Duration  `json:"took"`
	Error    loop.Code      `json:"error,omitempty"`
	Fault    string         `json:"fault,omitempty"` // the error's description
	Field    string         `json:"field,omitempty"` // the parameter at fault
	Received []Parameter    `json:"received,omitempty"`
	// Scheme is that of the Authorization header; empty: there was none.
	Scheme string `json:"scheme,omitempty"`
	// Refresh: it asked for new tokens by a refresh token.
	Refresh bool `json:"refresh,omitempty"`
	// Claimed: the request said that it is the app's and proved nothing.
	Claimed bool `json:"-"`
}

// Class is what became of the request, by its status.
type Class string

// The classes. A redirect or a page can carry an error too: it counts as refused.
const (
	Answered Class = "answered"
	Refused  Class = "refused"
	Failed   Class = "failed" // on our side
)

// Class says what became of the request.
func (e Entry) Class() Class {
	switch {
	case e.Status >= 500 || e.Status == 0:
		return Failed
	case e.Status >= 400 || e.Error != "":
		return Refused
	}
	return Answered
}

// The sizes of an app's rings: of the requests that proved who sent them, and of
// those that only said so.
const (
	Kept        = 1000
	KeptClaimed = 200
)

// Batch is entries of one app, as they are stored together.
type Batch struct {
	Client  loop.ClientID
	Claimed bool
	Entries []Entry // oldest first; never empty
}

// At is when the newest of the batch began.
func (b Batch) At() time.Time { return b.Entries[len(b.Entries)-1].At }

// Encode gives the entries as text for a row.
func (b Batch) Encode() ([]byte, error) { return json.Marshal(b.Entries) }

// DecodeBatch reads what Encode gave.
func DecodeBatch(client loop.ClientID, claimed bool, text []byte) (Batch, error) {
	b := Batch{Client: client, Claimed: claimed}
	if err := json.Unmarshal(text, &b.Entries); err != nil {
		return Batch{}, fmt.Errorf("reading requests of %s: %w", client, err)
	}
	for i := range b.Entries {
		b.Entries[i].Claimed = claimed
	}
	return b, nil
}

// Hour is how many requests an app sent in an hour, by what became of them.
type Hour struct {
	Client    loop.ClientID
	Begin     time.Time
	Answered  int
	Refused   int
	Failed    int
	Refreshed int // of the answered, those that were refreshes
}

// KeptHours is how long the counts of an hour are kept.
const KeptHours = 30 * 24 * time.Hour
